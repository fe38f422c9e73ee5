-- How much is published on each topic, how good is it, and is it rising?
-- Grain: one row per topic, grain and period, from the topic's first to its last period
-- Reads: staging.article_topics, staging.articles
-- Note: filter on one grain. `articles` counts an article under each of its topics, parents too: to add
-- up topics use fractional_articles, or leave parents out (not is_parent). Undated articles are not here.
with articles as (
    select
        article_topics.topic,
        -- Integers add up to the same total in any order, doubles do not: 10^12 units are one article.
        1_000_000_000_000 // article_topics.topics_listed as units,
        articles.published_date,
        articles.is_live,
        articles.quality,
        articles.attention,
        articles.provider,
    from staging.article_topics
    inner join staging.articles on articles.article_id = article_topics.article_id
    where articles.published_date is not null
),

topics as (
    select distinct topic, parent_topic, is_parent
    from staging.article_topics
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

counted as (
    select
        topic,
        grain,
        period_start,
        count(*) as articles,
        count(*) filter (is_live) as live_articles,
        count(quality) as scored_articles,
        count(attention) as attention_articles,
        count(distinct provider) as providers,
        sum(units) / 1_000_000_000_000 as fractional_articles,
        round(avg(quality), 6) as quality_mean,
        quantile_cont(quality, [0.1, 0.5, 0.9]) as quality_quantiles,
        round(avg(attention), 6) as attention_mean,
        rank() over (partition by grain, period_start order by count(*) desc) as articles_rank,
    from placed
    group by topic, grain, period_start
),

periods as (
    select topic, grain, unnest(periods_between(grain, min(period_start), max(period_start))) as period_start
    from counted
    group by topic, grain
),

filled as (
    select topic, grain, period_start, coalesce(articles, 0) as articles
    from periods
    left join counted using (topic, grain, period_start)
),

-- Few columns travel through the windows: there are many more periods than articles.
moving as (
    select
        *,
        articles - lag(articles) over by_time as articles_change,
        avg(articles) over (by_time rows 3 preceding) as articles_ma4,
        articles - avg(articles) over previous_12 as distance,
        if(count(*) over previous_12 >= 3, stddev_samp(articles) over previous_12, null) as deviation,
        -- One point has no slope; DuckDB would answer NaN.
        if(
            lag(articles) over by_time is null,
            null,
            regr_slope(articles, date_diff(grain, date '1970-01-01', period_start)) over (by_time rows 11 preceding)
        ) as articles_slope,
    from filled
    window
        by_time as (partition by topic, grain order by period_start),
        previous_12 as (by_time rows between 12 preceding and 1 preceding)
),

totals as (
    select
        grain,
        period_start,
        count(*) as topics,
        round(sum(fractional_articles)) as articles,
    from counted
    group by grain, period_start
)

select
    moving.topic,  -- name of the topic; marts.topics has one row for each
    topics.parent_topic,  -- name of its parent topic, null for a root
    topics.is_parent,  -- is the parent of another topic
    moving.grain,  -- day, week, month, quarter or year
    moving.period_start,  -- first day of the period in UTC, Monday for weeks; the newest may be incomplete
    moving.articles,  -- articles published in the period under the topic
    coalesce(counted.live_articles, 0) as live_articles,  -- those that are published and not removed
    coalesce(counted.scored_articles, 0) as scored_articles,  -- those with a quality
    coalesce(counted.attention_articles, 0) as attention_articles,  -- those with quality and a measured heat
    coalesce(counted.providers, 0) as providers,  -- distinct providers
    coalesce(counted.fractional_articles, 0) as fractional_articles,  -- articles, each split evenly over its topics: adds up over topics
    coalesce(cast(totals.articles as bigint), 0) as period_articles,  -- articles of the period that have a topic
    coalesce(counted.fractional_articles, 0) / totals.articles as articles_share,  -- fractional_articles / period_articles: sums to 1 over all topics, parents included
    counted.quality_mean,  -- mean quality of scored_articles
    round(counted.quality_quantiles[2], 6) as quality_median,  -- median quality of scored_articles
    round(counted.quality_quantiles[1], 6) as quality_p10,  -- a tenth of scored_articles is not above this quality
    round(counted.quality_quantiles[3], 6) as quality_p90,  -- a tenth of scored_articles is not below this quality
    counted.attention_mean,  -- mean heat - quality of attention_articles
    moving.articles_change,  -- articles less those of the period before, null in the first
    round(moving.articles_ma4, 6) as articles_ma4,  -- mean articles over this and up to 3 periods before
    round(moving.distance / nullif(moving.deviation, 0), 6) as articles_z,  -- standard deviations from the mean of the up to 12 periods before; null with under 3 or if all are equal
    coalesce(counted.articles_rank, totals.topics + 1, 1) as articles_rank,  -- rank by articles among all topics of the period, 1 is most
    round(moving.articles_slope, 6) as articles_slope,  -- least-squares trend over this and up to 11 periods before, articles per period
from moving
left join counted
    on counted.topic = moving.topic
    and counted.grain = moving.grain
    and counted.period_start = moving.period_start
left join totals on totals.grain = moving.grain and totals.period_start = moving.period_start
inner join topics on topics.topic = moving.topic
order by moving.topic, moving.grain, moving.period_start
