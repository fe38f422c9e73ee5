-- How is quality distributed in each category and type, and how does that move?
-- Grain: one row per category, type and period, from the pair's first to the newest one (category, type, time_grain, period_start)
-- Reads: staging.article_periods, trends()
-- Note: filter on one time_grain; weigh means of several rows by scored_articles. Days without an article are no
-- rows; longer periods are rows of zeros, until a pair has been empty for a year.
with dated as (
    select {'category': category, 'type': type} as series, 1 as split_over, *
    from staging.article_periods
    where time_grain = 'day'
),

distributions as (
    select
        category,
        type,
        time_grain,
        period_start,
        round(stddev_samp(quality), 6) as quality_stddev,
        -- Ten points a bucket: fine enough to show the cut at 70, coarse enough to read. // cuts towards zero.
        histogram(cast(floor(quality / 10) * 10 as bigint)) as quality_histogram,
    from staging.article_periods
    group by category, type, time_grain, period_start
)

select
    trends.series.category as category,  -- category, (none) when absent
    trends.series.type as type,  -- article, video and the like, (none) when absent
    trends.time_grain,  -- day, week, month, quarter or year
    trends.period_start,  -- first day of the period in the time zone of the site, Monday for weeks
    trends.is_complete,  -- the newest date of the corpus is not before the period's last day; movement is null where it is
    trends.articles,  -- articles published in the period
    trends.live_articles,  -- those that are published and not removed
    trends.scored_articles,  -- those with a quality
    trends.heat_articles,  -- those with a measured heat
    trends.heat_bump_articles,  -- those with both
    trends.providers,  -- distinct providers
    trends.period_articles,  -- articles of the period in all categories and types
    trends.articles_share,  -- articles / period_articles: sums to 1 over all categories and types; null when there are none
    trends.live_articles / nullif(trends.articles, 0) as live_share,  -- live_articles / articles
    (trends.articles - trends.scored_articles) / nullif(trends.articles, 0) as unscored_share,  -- articles without a quality / articles
    trends.quality_mean,  -- mean quality of scored_articles
    trends.quality_stderr,  -- standard error of quality_mean, null with under two scores
    trends.quality_median,  -- median quality of scored_articles
    trends.quality_p10,  -- 10th percentile of the quality of scored_articles, interpolated between two of few
    trends.quality_p90,  -- 90th percentile of the same
    distributions.quality_stddev,  -- sample standard deviation of the quality of scored_articles
    coalesce(distributions.quality_histogram, map {}) as quality_histogram,  -- scored_articles per ten points of quality: lower bound -> articles, empty buckets left out
    trends.heat_mean,  -- mean heat of heat_articles
    trends.heat_bump_mean,  -- mean heat - quality of heat_bump_articles
    trends.articles_change,  -- articles less those of the period before, null in the first and in an incomplete one
    trends.articles_avg_4,  -- mean articles over this and up to 3 periods before, null in an incomplete one
    trends.articles_zscore,  -- sample standard deviations from the mean of the up to 12 periods before; null if incomplete, with under 3, a mean below 2 or no deviation
    trends.articles_rank,  -- rank by articles among all pairs of the period, 1 is most; null without articles
    trends.articles_slope,  -- least-squares trend over this and up to 11 periods before, articles per period; null if incomplete
from trends('dated') as trends
left join distributions
    on distributions.category = trends.series.category
    and distributions.type = trends.series.type
    and distributions.time_grain = trends.time_grain
    and distributions.period_start = trends.period_start
order by category, type, trends.time_grain, trends.period_start
