-- How much is published in each of many series, how good is it, and how does it move? `dated` names a relation of
-- (series, split_over, published_date, is_live, provider, quality, heat, heat_bump), one row per article in a series;
-- an article that is split over many series counts as a part of one in articles_share.
create or replace macro trends(dated) as table
with articles as (
    select
        series,
        split_over,
        published_date,
        is_live,
        provider,
        quality,
        heat,
        heat_bump,
        lag(published_date) over (partition by series, provider order by published_date) as earlier_date,
    from query_table(dated)
),

periods as (
    select published_date, unnest(periods_of(published_date), recursive := true)
    from (select distinct published_date from articles)
),

period_counts as (
    select
        series,
        time_grain,
        period_start,
        count(*) as articles,
        count(*) filter (is_live) as live_articles,
        count(quality) as scored_articles,
        count(heat) as heat_articles,
        count(heat_bump) as heat_bump_articles,
        -- Those that the period begins with: to tell providers apart takes twice as long.
        count(provider) filter (coalesce(earlier_date < period_start, true)) as providers,
        -- Integers add up to the same total in any order, doubles do not: 10^12 units are one article.
        sum(1_000_000_000_000 // split_over) / 1_000_000_000_000 as fractional_articles,
        round(avg(quality), 6) as quality_mean,
        round(stddev_samp(quality) / sqrt(count(quality)), 6) as quality_stderr,
        quantile_cont(quality, [0.1, 0.5, 0.9]) as quality_quantiles,
        round(avg(heat), 6) as heat_mean,
        round(avg(heat_bump), 6) as heat_bump_mean,
    from articles
    inner join periods on periods.published_date = articles.published_date
    group by series, time_grain, period_start
),

totals as (
    select time_grain, period_start, cast(round(sum(fractional_articles)) as bigint) as articles
    from period_counts
    group by time_grain, period_start
),

counts as (
    select *, rank() over (partition by time_grain, period_start order by articles desc) as articles_rank
    from period_counts
)

select
    stats.*,
    coalesce(counts.live_articles, 0) as live_articles,
    coalesce(counts.scored_articles, 0) as scored_articles,
    coalesce(counts.heat_articles, 0) as heat_articles,
    coalesce(counts.heat_bump_articles, 0) as heat_bump_articles,
    coalesce(counts.providers, 0) as providers,
    coalesce(counts.fractional_articles, 0) as fractional_articles,
    coalesce(totals.articles, 0) as period_articles,
    coalesce(counts.fractional_articles, 0) / totals.articles as articles_share,
    counts.quality_mean,
    counts.quality_stderr,
    round(counts.quality_quantiles[1], 6) as quality_p10,
    round(counts.quality_quantiles[2], 6) as quality_median,
    round(counts.quality_quantiles[3], 6) as quality_p90,
    counts.heat_mean,
    counts.heat_bump_mean,
    counts.articles_rank,
from trend_stats('period_counts') as stats
left join counts
    on counts.series = stats.series
    and counts.time_grain = stats.time_grain
    and counts.period_start = stats.period_start
left join totals on totals.time_grain = stats.time_grain and totals.period_start = stats.period_start
