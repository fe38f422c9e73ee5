-- How is quality distributed in each category and type, and how does that move?
-- Grain: one row per category, type, time_grain and period, from the pair's first to its last period
-- Reads: date_periods(), staging.articles, trend_stats()
-- Note: filter on one time_grain; weigh means of several rows by scored_articles. Empty periods are rows of
-- zeros, unless they made over 2 million rows of a time grain; trend_stats counts them anyway.
with typed as (
    select
        coalesce(category, '(none)') as category,
        coalesce(type, '(none)') as type,
        published_date,
        is_live,
        quality,
        heat_bump,
        provider,
    from staging.articles
    where published_date is not null
),

pairs as (
    select
        category,
        type,
        -- Numbers in the order of the names: they join and sort for a fraction of what names cost.
        row_number() over (order by category, type) as series,
    from (select distinct category, type from typed)
),

articles as (
    select pairs.series, typed.*
    from typed
    inner join pairs on pairs.category = typed.category and pairs.type = typed.type
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
        count(distinct provider) as providers,
        round(avg(quality), 6) as quality_mean,
        quantile_cont(quality, [0.1, 0.5, 0.9]) as quality_quantiles,
        round(stddev_samp(quality), 6) as quality_stddev,
        -- Ten points a bucket: fine enough to show the cut at 70, coarse enough to read.
        cast(histogram(quality // 10 * 10) as map(integer, bigint)) as quality_histogram,
        round(avg(heat_bump), 6) as heat_bump_mean,
        rank() over (partition by time_grain, period_start order by count(*) desc) as articles_rank,
    from placed
    group by series, time_grain, period_start
),

totals as (
    select
        time_grain,
        period_start,
        count(*) as pairs,
        cast(sum(articles) as bigint) as articles,
    from counted
    group by time_grain, period_start
)

select
    pairs.category,  -- category, (none) when absent
    pairs.type,  -- article, video and the like, (none) when absent
    cast(moving.time_grain as varchar) as time_grain,  -- day, week, month, quarter or year
    moving.period_start,  -- first day of the period in UTC, Monday for weeks; the newest may be incomplete
    moving.articles,  -- articles published in the period
    coalesce(counted.live_articles, 0) as live_articles,  -- those that are published and not removed
    coalesce(counted.scored_articles, 0) as scored_articles,  -- those with a quality
    coalesce(counted.heat_bump_articles, 0) as heat_bump_articles,  -- those with quality and a measured heat
    coalesce(counted.providers, 0) as providers,  -- distinct providers
    coalesce(totals.articles, 0) as period_articles,  -- articles of the period in all categories and types
    moving.articles / totals.articles as articles_share,  -- articles / period_articles: sums to 1 over all categories and types
    counted.live_articles / counted.articles as live_share,  -- live_articles / articles
    (counted.articles - counted.scored_articles) / counted.articles as unscored_share,  -- articles without a quality / articles
    counted.quality_mean,  -- mean quality of scored_articles
    round(counted.quality_quantiles[2], 6) as quality_median,  -- median quality of scored_articles
    round(counted.quality_quantiles[1], 6) as quality_p10,  -- a tenth of scored_articles is not above this quality
    round(counted.quality_quantiles[3], 6) as quality_p90,  -- a tenth of scored_articles is not below this quality
    counted.quality_stddev,  -- sample standard deviation of the quality of scored_articles
    coalesce(counted.quality_histogram, map {}) as quality_histogram,  -- scored_articles per ten points of quality: lower bound -> articles, empty buckets left out
    counted.heat_bump_mean,  -- mean heat - quality of heat_bump_articles
    moving.articles_change,  -- articles less those of the period before, null in the first
    moving.articles_avg_4,  -- mean articles over this and up to 3 periods before
    moving.articles_zscore,  -- standard deviations from the mean of the up to 12 periods before; null with under 3 or if all are equal
    coalesce(counted.articles_rank, totals.pairs + 1, 1) as articles_rank,  -- rank by articles among all pairs of the period, 1 is most
    moving.articles_slope,  -- least-squares trend over this and up to 11 periods before, articles per period
from trend_stats('counted') as moving
inner join pairs on pairs.series = moving.series
left join counted
    on counted.series = moving.series
    and counted.time_grain = moving.time_grain
    and counted.period_start = moving.period_start
left join totals on totals.time_grain = moving.time_grain and totals.period_start = moving.period_start
order by moving.series, moving.time_grain, moving.period_start
