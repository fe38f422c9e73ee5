-- How much does each provider publish, how good is it, and is it rising?
-- Grain: one row per provider and period, from its first to the newest one (provider, time_grain, period_start)
-- Reads: staging.article_periods, staging.article_topics, staging.articles, trends()
-- Note: filter on one time_grain; one provider can own most of a corpus (articles_share_without_largest). Days without
-- an article are no rows; longer periods are rows of zeros, until a provider has been empty for a year.
with dated as (
    select provider as series, 1 as split_over, *
    from staging.article_periods
    where provider is not null and time_grain = 'day'
),

largest as (
    select provider
    from staging.articles
    where provider is not null and is_counted
    group by provider
    order by count(*) desc, provider
    limit 1
),

largest_counts as (
    select time_grain, period_start, count(*) as articles
    from staging.article_periods
    where provider = (select provider from largest)
    group by time_grain, period_start
),

topic_dates as (
    select
        dated.provider,
        dated.published_date,
        lag(dated.published_date) over (
            partition by dated.provider, article_topics.topic order by dated.published_date
        ) as earlier_date,
    from dated
    inner join staging.article_topics on article_topics.article_id = dated.article_id
),

periods as (
    select published_date, unnest(periods_of(published_date), recursive := true)
    from (select distinct published_date from topic_dates)
),

-- A topic counts with the first of its articles in a period.
topic_counts as (
    select topic_dates.provider, periods.time_grain, periods.period_start, count(*) as topics
    from topic_dates
    inner join periods on periods.published_date = topic_dates.published_date
    where coalesce(topic_dates.earlier_date < periods.period_start, true)
    group by topic_dates.provider, periods.time_grain, periods.period_start
)

select
    trends.series as provider,  -- lower-case domain without www., else the name; marts.providers has one row for each
    trends.time_grain,  -- day, week, month, quarter or year
    trends.period_start,  -- first day of the period in the time zone of the site, Monday for weeks
    trends.is_complete,  -- the newest date of the corpus is not before the period's last day; movement is null where it is
    trends.articles,  -- articles published in the period
    trends.live_articles,  -- those that are published and not removed
    trends.scored_articles,  -- those with a quality
    trends.heat_articles,  -- those with a measured heat
    trends.heat_bump_articles,  -- those with both
    coalesce(topic_counts.topics, 0) as topics,  -- distinct topics, parents too
    trends.period_articles,  -- articles of the period that have a provider
    trends.articles_share,  -- articles / period_articles: sums to 1 over all providers; null when there are none
    if(
        trends.series = (select provider from largest),
        null,
        trends.articles / nullif(trends.period_articles - coalesce(largest_counts.articles, 0), 0)
    ) as articles_share_without_largest,  -- the same without the provider that is largest overall (articles_rank 1 in marts.providers); null for that one
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
    trends.articles_rank,  -- rank by articles among all providers of the period, 1 is most; null without articles
    trends.articles_slope,  -- least-squares trend over this and up to 11 periods before, articles per period; null if incomplete
from trends('dated') as trends
left join topic_counts
    on topic_counts.provider = trends.series
    and topic_counts.time_grain = trends.time_grain
    and topic_counts.period_start = trends.period_start
left join largest_counts
    on largest_counts.time_grain = trends.time_grain
    and largest_counts.period_start = trends.period_start
order by trends.series, trends.time_grain, trends.period_start
