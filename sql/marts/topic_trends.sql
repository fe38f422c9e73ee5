-- How much is published on each topic, how good is it, and is it rising?
-- Grain: one row per topic and period, from its first to the newest one (topic, time_grain, period_start)
-- Reads: staging.article_periods, staging.article_topics, staging.topics, trends()
-- Note: filter on one time_grain; add up fractional_articles or leave parents out (not is_parent). Days without an
-- article are no rows; longer periods are rows of zeros, until a topic has been empty for a year.
with dated as (
    select article_topics.topic as series, article_topics.topics_listed as split_over, days.*
    from staging.article_periods as days
    inner join staging.article_topics on article_topics.article_id = days.article_id
    where days.time_grain = 'day'
)

select
    topics.topic,  -- name of the topic; marts.topics has one row for each
    topics.parent_topic,  -- name of its parent topic, null for a root
    topics.is_parent,  -- is the parent of another topic
    trends.time_grain,  -- day, week, month, quarter or year
    trends.period_start,  -- first day of the period in the time zone of the site, Monday for weeks
    trends.is_complete,  -- the newest date of the corpus is not before the period's last day; movement is null where it is
    trends.articles,  -- articles published in the period under the topic
    trends.live_articles,  -- those that are published and not removed
    trends.scored_articles,  -- those with a quality
    trends.heat_articles,  -- those with a measured heat
    trends.heat_bump_articles,  -- those with both
    trends.providers,  -- distinct providers
    trends.fractional_articles,  -- articles, each split evenly over its topics: adds up over topics
    trends.period_articles,  -- articles of the period that have a topic
    trends.articles_share,  -- fractional_articles / period_articles: sums to 1 over all topics, parents included; null when there are none
    trends.quality_mean,  -- mean quality of scored_articles
    trends.quality_stderr,  -- standard error of quality_mean, null with under two scores
    trends.quality_median,  -- median quality of scored_articles
    trends.quality_p10,  -- 10th percentile of the quality of scored_articles, interpolated between two of few
    trends.quality_p90,  -- 90th percentile of the same
    trends.heat_mean,  -- mean heat of heat_articles
    trends.heat_bump_mean,  -- mean heat - quality of heat_bump_articles
    trends.articles_change,  -- articles less those of the period before, null in the first and in an incomplete one
    trends.articles_avg_4,  -- mean articles over this and up to 3 periods before, null in an incomplete one
    trends.articles_zscore,  -- sample standard deviations from the mean of the up to 12 periods before; null if incomplete, with under 3, a mean below 2 or no deviation
    trends.articles_rank,  -- rank by articles among all topics of the period, 1 is most; null without articles
    trends.articles_slope,  -- least-squares trend over this and up to 11 periods before, articles per period; null if incomplete
from trends('dated') as trends
inner join staging.topics on topics.topic = trends.series
order by topics.topic, trends.time_grain, trends.period_start
