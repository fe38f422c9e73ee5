-- How much does each provider publish, how good is it, and is it rising?
-- Grain: one row per provider, grain and period, from the provider's first to its last period
-- Reads: staging.article_topics, staging.articles
-- Note: filter on one grain. One provider can own most of a corpus: articles_share_without_largest leaves
-- out the largest one. Articles without a date or provider are not here.
with articles as (
    select article_id, provider, published_date, is_live, quality, attention
    from staging.articles
    where published_date is not null and provider is not null
),

largest as (
    select provider
    from staging.articles
    where provider is not null
    group by provider
    order by count(*) desc, provider
    limit 1
),

calendar as (
    select published_date, unnest(periods_of(published_date), recursive := true)
    from (select distinct published_date from articles)
),

placed as (
    select articles.*, calendar.grain, calendar.period_start
    from articles
    inner join calendar on calendar.published_date = articles.published_date
),

periods as (
    select
        provider,
        grain,
        unnest(periods_between(grain, min(period_start), max(period_start))) as period_start,
    from placed
    group by provider, grain
),

counted as (
    select
        periods.provider,
        periods.grain,
        periods.period_start,
        count(placed.article_id) as articles,
        count_if(placed.is_live) as live_articles,
        count(placed.quality) as scored_articles,
        count(placed.attention) as attention_articles,
        round(avg(placed.quality), 6) as quality_mean,
        quantile_cont(placed.quality, [0.1, 0.5, 0.9]) as quality_quantiles,
        round(avg(placed.attention), 6) as attention_mean,
        row_number() over (partition by periods.provider, periods.grain order by periods.period_start) as n,
    from periods
    left join placed
        on placed.provider = periods.provider
        and placed.grain = periods.grain
        and placed.period_start = periods.period_start
    group by periods.provider, periods.grain, periods.period_start
),

topics as (
    select
        placed.provider,
        placed.grain,
        placed.period_start,
        count(distinct article_topics.topic) as topics,
    from placed
    inner join staging.article_topics on article_topics.article_id = placed.article_id
    group by placed.provider, placed.grain, placed.period_start
),

moving as (
    select
        *,
        sum(articles) over same_period as period_articles,
        sum(if(provider in (select provider from largest), articles, 0)) over same_period as largest_articles,
        rank() over (same_period order by articles desc) as articles_rank,
        articles - lag(articles) over by_time as articles_change,
        avg(articles) over (by_time rows 3 preceding) as articles_ma4,
        articles - avg(articles) over previous_12 as distance,
        if(count(*) over previous_12 >= 3, stddev_samp(articles) over previous_12, null) as deviation,
        if(n > 1, regr_slope(articles, n) over (by_time rows 11 preceding), null) as articles_slope,
    from counted
    window
        same_period as (partition by grain, period_start),
        by_time as (partition by provider, grain order by period_start),
        previous_12 as (by_time rows between 12 preceding and 1 preceding)
)

select
    moving.provider,  -- lower-case domain without www., else the name; marts.providers has one row for each
    moving.grain,  -- day, week, month, quarter or year
    moving.period_start,  -- first day of the period in UTC, Monday for weeks; the newest may be incomplete
    moving.articles,  -- articles published in the period
    moving.live_articles,  -- those that are published and not removed
    moving.scored_articles,  -- those with a quality
    moving.attention_articles,  -- those with quality and a measured heat
    coalesce(topics.topics, 0) as topics,  -- distinct topics, parents too
    cast(moving.period_articles as bigint) as period_articles,  -- articles of the period that have a provider
    moving.articles / nullif(moving.period_articles, 0) as articles_share,  -- articles / period_articles: sums to 1 over all providers
    if(
        moving.provider in (select provider from largest),
        null,
        moving.articles / nullif(moving.period_articles - moving.largest_articles, 0)
    ) as articles_share_without_largest,  -- the same without the provider that is largest overall; null for that one
    moving.quality_mean,  -- mean quality of scored_articles
    moving.quality_quantiles[2] as quality_median,  -- median quality of scored_articles
    moving.quality_quantiles[1] as quality_p10,  -- a tenth of scored_articles is not above this quality
    moving.quality_quantiles[3] as quality_p90,  -- a tenth of scored_articles is not below this quality
    moving.attention_mean,  -- mean heat - quality of attention_articles
    moving.articles_change,  -- articles less those of the period before, null in the first
    round(moving.articles_ma4, 6) as articles_ma4,  -- mean articles over this and up to 3 periods before
    round(moving.distance / nullif(moving.deviation, 0), 6) as articles_z,  -- standard deviations from the mean of the up to 12 periods before; null with under 3 or if all are equal
    moving.articles_rank,  -- rank by articles among all providers of the period, 1 is most
    round(moving.articles_slope, 6) as articles_slope,  -- least-squares trend over this and up to 11 periods before, articles per period
from moving
left join topics
    on topics.provider = moving.provider
    and topics.grain = moving.grain
    and topics.period_start = moving.period_start
order by moving.provider, moving.grain, moving.period_start
