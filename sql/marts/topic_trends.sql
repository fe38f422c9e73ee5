-- How much is published on each topic, how good is it, and is it rising?
-- Grain: one row per topic, time_grain and period, from the topic's first to its last period
-- Reads: date_periods(), staging.article_topics, staging.articles, trend_stats()
-- Note: filter on one time_grain; add up fractional_articles or leave parents out (not is_parent). Empty periods
-- are rows of zeros, unless they made over 2 million rows of a time grain; trend_stats counts them anyway.
with topics as (
    select
        topic,
        parent_topic,
        is_parent,
        -- Numbers in the order of the names: they join and sort for a fraction of what names cost.
        cast(row_number() over (order by topic) as integer) as series,
    from (select distinct topic, parent_topic, is_parent from staging.article_topics)
),

articles as (
    select
        topics.series,
        -- Integers add up to the same total in any order, doubles do not: 10^12 units are one article.
        1_000_000_000_000 // article_topics.topics_listed as units,
        articles.published_date,
        articles.is_live,
        articles.quality,
        articles.heat_bump,
        articles.provider,
        lag(articles.published_date) over (
            partition by topics.series, articles.provider
            order by articles.published_date
        ) as provided_before,
    from staging.article_topics
    inner join topics on topics.topic = article_topics.topic
    inner join staging.articles on articles.article_id = article_topics.article_id
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
        -- A provider counts where it is first in a period: a fourth of what count(distinct) costs.
        count(provider) filter (coalesce(provided_before < period_start, true)) as providers,
        sum(units) / 1_000_000_000_000 as fractional_articles,
        round(avg(quality), 6) as quality_mean,
        quantile_cont(quality, [0.1, 0.5, 0.9]) as quality_quantiles,
        round(avg(heat_bump), 6) as heat_bump_mean,
        rank() over (partition by time_grain, period_start order by count(*) desc) as articles_rank,
    from placed
    group by series, time_grain, period_start
),

totals as (
    select
        time_grain,
        period_start,
        count(*) as topics,
        round(sum(fractional_articles)) as articles,
    from counted
    group by time_grain, period_start
)

select
    topics.topic,  -- name of the topic; marts.topics has one row for each
    topics.parent_topic,  -- name of its parent topic, null for a root
    topics.is_parent,  -- is the parent of another topic
    cast(moving.time_grain as varchar) as time_grain,  -- day, week, month, quarter or year
    moving.period_start,  -- first day of the period in UTC, Monday for weeks; the newest may be incomplete
    moving.articles,  -- articles published in the period under the topic
    coalesce(counted.live_articles, 0) as live_articles,  -- those that are published and not removed
    coalesce(counted.scored_articles, 0) as scored_articles,  -- those with a quality
    coalesce(counted.heat_bump_articles, 0) as heat_bump_articles,  -- those with quality and a measured heat
    coalesce(counted.providers, 0) as providers,  -- distinct providers
    coalesce(counted.fractional_articles, 0) as fractional_articles,  -- articles, each split evenly over its topics: adds up over topics
    coalesce(cast(totals.articles as bigint), 0) as period_articles,  -- articles of the period that have a topic
    coalesce(counted.fractional_articles, 0) / totals.articles as articles_share,  -- fractional_articles / period_articles: sums to 1 over all topics, parents included
    counted.quality_mean,  -- mean quality of scored_articles
    round(counted.quality_quantiles[2], 6) as quality_median,  -- median quality of scored_articles
    round(counted.quality_quantiles[1], 6) as quality_p10,  -- a tenth of scored_articles is not above this quality
    round(counted.quality_quantiles[3], 6) as quality_p90,  -- a tenth of scored_articles is not below this quality
    counted.heat_bump_mean,  -- mean heat - quality of heat_bump_articles
    moving.articles_change,  -- articles less those of the period before, null in the first
    moving.articles_avg_4,  -- mean articles over this and up to 3 periods before
    moving.articles_zscore,  -- standard deviations from the mean of the up to 12 periods before; null with under 3 or if all are equal
    coalesce(counted.articles_rank, totals.topics + 1, 1) as articles_rank,  -- rank by articles among all topics of the period, 1 is most
    moving.articles_slope,  -- least-squares trend over this and up to 11 periods before, articles per period
from trend_stats('counted') as moving
inner join topics on topics.series = moving.series
left join counted
    on counted.series = moving.series
    and counted.time_grain = moving.time_grain
    and counted.period_start = moving.period_start
left join totals on totals.time_grain = moving.time_grain and totals.period_start = moving.period_start
order by moving.series, moving.time_grain, moving.period_start
