-- How is quality distributed in each category and type, and how does that move?
-- Grain: one row per category, type, time_grain and period, from the pair's first to the newest period
-- Reads: staging.article_periods, trend_stats()
-- Note: filter on one time_grain; weigh means of several rows by scored_articles. Days without an article are no
-- rows; longer periods are rows of zeros, until a pair has been empty for a year.
with period_counts as (
    select
        {'category': category, 'type': type} as series,
        time_grain,
        period_start,
        count(*) as articles,
        count(*) filter (is_live) as live_articles,
        count(quality) as scored_articles,
        count(heat) as heat_articles,
        count(heat_bump) as heat_bump_articles,
        count(distinct provider) as providers,
        round(avg(quality), 6) as quality_mean,
        quantile_cont(quality, [0.1, 0.5, 0.9]) as quality_quantiles,
        round(stddev_samp(quality), 6) as quality_stddev,
        -- Ten points a bucket: fine enough to show the cut at 70, coarse enough to read. // cuts towards zero.
        histogram(cast(floor(quality / 10) * 10 as bigint)) as quality_histogram,
        round(avg(heat), 6) as heat_mean,
        round(avg(heat_bump), 6) as heat_bump_mean,
        rank() over (partition by time_grain, period_start order by count(*) desc) as articles_rank,
    from staging.article_periods
    group by category, type, time_grain, period_start
),

totals as (
    select time_grain, period_start, cast(sum(articles) as bigint) as articles
    from period_counts
    group by time_grain, period_start
)

select
    trends.series.category as category,  -- category, (none) when absent
    trends.series.type as type,  -- article, video and the like, (none) when absent
    trends.time_grain,  -- day, week, month, quarter or year
    trends.period_start,  -- first day of the period in UTC, Monday for weeks
    trends.is_complete,  -- the newest date of the corpus is not before the period's last day; movement is null where it is
    trends.articles,  -- articles published in the period
    coalesce(counts.live_articles, 0) as live_articles,  -- those that are published and not removed
    coalesce(counts.scored_articles, 0) as scored_articles,  -- those with a quality
    coalesce(counts.heat_articles, 0) as heat_articles,  -- those with a measured heat
    coalesce(counts.heat_bump_articles, 0) as heat_bump_articles,  -- those with both
    coalesce(counts.providers, 0) as providers,  -- distinct providers
    coalesce(totals.articles, 0) as period_articles,  -- articles of the period in all categories and types
    trends.articles / totals.articles as articles_share,  -- articles / period_articles: sums to 1 over all categories and types; null when there are none
    counts.live_articles / counts.articles as live_share,  -- live_articles / articles
    (counts.articles - counts.scored_articles) / counts.articles as unscored_share,  -- articles without a quality / articles
    counts.quality_mean,  -- mean quality of scored_articles
    round(counts.quality_quantiles[2], 6) as quality_median,  -- median quality of scored_articles
    round(counts.quality_quantiles[1], 6) as quality_p10,  -- 10th percentile of the quality of scored_articles, interpolated between two of few
    round(counts.quality_quantiles[3], 6) as quality_p90,  -- 90th percentile of the same
    counts.quality_stddev,  -- sample standard deviation of the quality of scored_articles
    coalesce(counts.quality_histogram, map {}) as quality_histogram,  -- scored_articles per ten points of quality: lower bound -> articles, empty buckets left out
    counts.heat_mean,  -- mean heat of heat_articles
    counts.heat_bump_mean,  -- mean heat - quality of heat_bump_articles
    trends.articles_change,  -- articles less those of the period before, null in the first and in an incomplete one
    trends.articles_avg_4,  -- mean articles over this and up to 3 periods before, null in an incomplete one
    trends.articles_zscore,  -- sample standard deviations from the mean of the up to 12 periods before; null if incomplete, with under 3, a mean below 2 or no deviation
    counts.articles_rank,  -- rank by articles among all pairs of the period, 1 is most; null without articles
    trends.articles_slope,  -- least-squares trend over this and up to 11 periods before, articles per period; null if incomplete
from trend_stats('period_counts') as trends
left join period_counts as counts
    on counts.series = trends.series
    and counts.time_grain = trends.time_grain
    and counts.period_start = trends.period_start
left join totals on totals.time_grain = trends.time_grain and totals.period_start = trends.period_start
order by category, type, trends.time_grain, trends.period_start
