-- How much is published on each topic, how good is it, and is it rising?
-- Grain: one row per topic, time_grain and period, from the topic's first to the newest period
-- Reads: staging.article_periods, staging.article_topics, staging.topics, trend_stats()
-- Note: filter on one time_grain; add up fractional_articles or leave parents out (not is_parent). Days without an
-- article are no rows; longer periods are rows of zeros, until a topic has been empty for a year.
with period_counts as (
    select
        article_topics.topic as series,
        periods.time_grain,
        periods.period_start,
        count(*) as articles,
        count(*) filter (periods.is_live) as live_articles,
        count(periods.quality) as scored_articles,
        count(periods.heat) as heat_articles,
        count(periods.heat_bump) as heat_bump_articles,
        count(distinct periods.provider) as providers,
        -- Integers add up to the same total in any order, doubles do not: 10^12 units are one article.
        sum(1_000_000_000_000 // article_topics.topics_listed) / 1_000_000_000_000 as fractional_articles,
        round(avg(periods.quality), 6) as quality_mean,
        quantile_cont(periods.quality, [0.1, 0.5, 0.9]) as quality_quantiles,
        round(avg(periods.heat), 6) as heat_mean,
        round(avg(periods.heat_bump), 6) as heat_bump_mean,
        rank() over (partition by periods.time_grain, periods.period_start order by count(*) desc) as articles_rank,
    from staging.article_periods as periods
    inner join staging.article_topics on article_topics.article_id = periods.article_id
    group by article_topics.topic, periods.time_grain, periods.period_start
),

totals as (
    select time_grain, period_start, cast(round(sum(fractional_articles)) as bigint) as articles
    from period_counts
    group by time_grain, period_start
)

select
    topics.topic,  -- name of the topic; marts.topics has one row for each
    topics.parent_topic,  -- name of its parent topic, null for a root
    topics.is_parent,  -- is the parent of another topic
    trends.time_grain,  -- day, week, month, quarter or year
    trends.period_start,  -- first day of the period in UTC, Monday for weeks
    trends.is_complete,  -- the newest date of the corpus is not before the period's last day; movement is null where it is
    trends.articles,  -- articles published in the period under the topic
    coalesce(counts.live_articles, 0) as live_articles,  -- those that are published and not removed
    coalesce(counts.scored_articles, 0) as scored_articles,  -- those with a quality
    coalesce(counts.heat_articles, 0) as heat_articles,  -- those with a measured heat
    coalesce(counts.heat_bump_articles, 0) as heat_bump_articles,  -- those with both
    coalesce(counts.providers, 0) as providers,  -- distinct providers
    coalesce(counts.fractional_articles, 0) as fractional_articles,  -- articles, each split evenly over its topics: adds up over topics
    coalesce(totals.articles, 0) as period_articles,  -- articles of the period that have a topic
    coalesce(counts.fractional_articles, 0) / totals.articles as articles_share,  -- fractional_articles / period_articles: sums to 1 over all topics, parents included; null when there are none
    counts.quality_mean,  -- mean quality of scored_articles
    round(counts.quality_quantiles[2], 6) as quality_median,  -- median quality of scored_articles
    round(counts.quality_quantiles[1], 6) as quality_p10,  -- 10th percentile of the quality of scored_articles, interpolated between two of few
    round(counts.quality_quantiles[3], 6) as quality_p90,  -- 90th percentile of the same
    counts.heat_mean,  -- mean heat of heat_articles
    counts.heat_bump_mean,  -- mean heat - quality of heat_bump_articles
    trends.articles_change,  -- articles less those of the period before, null in the first and in an incomplete one
    trends.articles_avg_4,  -- mean articles over this and up to 3 periods before, null in an incomplete one
    trends.articles_zscore,  -- sample standard deviations from the mean of the up to 12 periods before; null if incomplete, with under 3, a mean below 2 or no deviation
    counts.articles_rank,  -- rank by articles among all topics of the period, 1 is most; null without articles
    trends.articles_slope,  -- least-squares trend over this and up to 11 periods before, articles per period; null if incomplete
from trend_stats('period_counts') as trends
inner join staging.topics on topics.topic = trends.series
left join period_counts as counts
    on counts.series = trends.series
    and counts.time_grain = trends.time_grain
    and counts.period_start = trends.period_start
left join totals on totals.time_grain = trends.time_grain and totals.period_start = trends.period_start
order by topics.topic, trends.time_grain, trends.period_start
