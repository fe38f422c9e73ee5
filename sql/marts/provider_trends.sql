-- How much does each provider publish, how good is it, and is it rising?
-- Grain: one row per provider, time_grain and period, from the provider's first to its last period
-- Reads: date_periods(), staging.article_topics, staging.articles, trend_stats()
-- Note: filter on one time_grain; one provider can own most of a corpus (articles_share_without_largest). Empty
-- periods are rows of zeros, unless they made over 2 million rows of a time grain; trend_stats counts them anyway.
with providers as (
    select
        provider,
        -- Numbers in the order of the names: they join and sort for a fraction of what names cost.
        cast(row_number() over (order by provider) as integer) as series,
        row_number() over (order by count(*) desc, provider) = 1 as is_largest,
    from staging.articles
    where provider is not null
    group by provider
),

articles as (
    select
        articles.article_id,
        providers.series,
        articles.published_date,
        articles.is_live,
        articles.quality,
        articles.heat_bump,
    from staging.articles
    inner join providers on providers.provider = articles.provider
    where articles.published_date is not null
),

periods as (
    -- One byte to group, join and sort by, in the order of the names; the table gets the name.
    select * replace (cast(time_grain as enum('day', 'month', 'quarter', 'week', 'year')) as time_grain)
    from date_periods('articles')
),

placed as (
    select articles.*, periods.time_grain, periods.period_start
    from articles
    inner join periods on periods.published_date = articles.published_date
),

counted as (
    select
        series,
        time_grain,
        period_start,
        count(*) as articles,
        count(*) filter (is_live) as live_articles,
        count(quality) as scored_articles,
        count(heat_bump) as heat_bump_articles,
        round(avg(quality), 6) as quality_mean,
        quantile_cont(quality, [0.1, 0.5, 0.9]) as quality_quantiles,
        round(avg(heat_bump), 6) as heat_bump_mean,
        rank() over (partition by time_grain, period_start order by count(*) desc) as articles_rank,
    from placed
    group by series, time_grain, period_start
),

listed as (
    select
        articles.series,
        articles.published_date,
        lag(articles.published_date) over (
            partition by articles.series, article_topics.topic
            order by articles.published_date
        ) as listed_before,
    from articles
    inner join staging.article_topics on article_topics.article_id = articles.article_id
),

-- A topic counts where it is first listed in a period: a fourth of what count(distinct) costs.
topics as (
    select listed.series, periods.time_grain, periods.period_start, count(*) as topics
    from listed
    inner join periods on periods.published_date = listed.published_date
    where coalesce(listed.listed_before < periods.period_start, true)
    group by listed.series, periods.time_grain, periods.period_start
),

totals as (
    select
        counted.time_grain,
        counted.period_start,
        count(*) as providers,
        cast(sum(counted.articles) as bigint) as articles,
        coalesce(sum(counted.articles) filter (providers.is_largest), 0) as largest_articles,
    from counted
    inner join providers on providers.series = counted.series
    group by counted.time_grain, counted.period_start
)

select
    providers.provider,  -- lower-case domain without www., else the name; marts.providers has one row for each
    cast(moving.time_grain as varchar) as time_grain,  -- day, week, month, quarter or year
    moving.period_start,  -- first day of the period in UTC, Monday for weeks; the newest may be incomplete
    moving.articles,  -- articles published in the period
    coalesce(counted.live_articles, 0) as live_articles,  -- those that are published and not removed
    coalesce(counted.scored_articles, 0) as scored_articles,  -- those with a quality
    coalesce(counted.heat_bump_articles, 0) as heat_bump_articles,  -- those with quality and a measured heat
    coalesce(topics.topics, 0) as topics,  -- distinct topics, parents too
    coalesce(totals.articles, 0) as period_articles,  -- articles of the period that have a provider
    moving.articles / totals.articles as articles_share,  -- articles / period_articles: sums to 1 over all providers
    if(
        providers.is_largest,
        null,
        moving.articles / nullif(totals.articles - totals.largest_articles, 0)
    ) as articles_share_without_largest,  -- the same without the provider that is largest overall; null for that one
    counted.quality_mean,  -- mean quality of scored_articles
    round(counted.quality_quantiles[2], 6) as quality_median,  -- median quality of scored_articles
    round(counted.quality_quantiles[1], 6) as quality_p10,  -- a tenth of scored_articles is not above this quality
    round(counted.quality_quantiles[3], 6) as quality_p90,  -- a tenth of scored_articles is not below this quality
    counted.heat_bump_mean,  -- mean heat - quality of heat_bump_articles
    moving.articles_change,  -- articles less those of the period before, null in the first
    moving.articles_avg_4,  -- mean articles over this and up to 3 periods before
    moving.articles_zscore,  -- standard deviations from the mean of the up to 12 periods before; null with under 3 or if all are equal
    coalesce(counted.articles_rank, totals.providers + 1, 1) as articles_rank,  -- rank by articles among all providers of the period, 1 is most
    moving.articles_slope,  -- least-squares trend over this and up to 11 periods before, articles per period
from trend_stats('counted') as moving
inner join providers on providers.series = moving.series
left join counted
    on counted.series = moving.series
    and counted.time_grain = moving.time_grain
    and counted.period_start = moving.period_start
left join topics
    on topics.series = moving.series
    and topics.time_grain = moving.time_grain
    and topics.period_start = moving.period_start
left join totals on totals.time_grain = moving.time_grain and totals.period_start = moving.period_start
order by moving.series, moving.time_grain, moving.period_start
