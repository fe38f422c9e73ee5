-- How is quality distributed in each category and type, and how does that move?
-- Grain: one row per category, type, grain and period, from the pair's first to its last period
-- Reads: staging.articles
-- Note: filter on one grain. An article without a category or type counts as (none), one without a date
-- is not here. Means of several rows do not add up: weigh them by scored_articles.
with articles as (
    select
        coalesce(category, '(none)') as category,
        coalesce(type, '(none)') as type,
        published_date,
        is_live,
        quality,
        attention,
        provider,
    from staging.articles
    where published_date is not null
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
        category,
        type,
        grain,
        period_start,
        count(*) as articles,
        count(*) filter (is_live) as live_articles,
        count(quality) as scored_articles,
        count(attention) as attention_articles,
        count(distinct provider) as providers,
        round(avg(quality), 6) as quality_mean,
        quantile_cont(quality, [0.1, 0.5, 0.9]) as quality_quantiles,
        round(stddev_samp(quality), 6) as quality_stddev,
        -- Ten points a bucket: fine enough to show the cut at 70, coarse enough to read.
        cast(histogram(quality // 10 * 10) as map(integer, bigint)) as quality_histogram,
        round(avg(attention), 6) as attention_mean,
    from placed
    group by category, type, grain, period_start
),

periods as (
    select
        category,
        type,
        grain,
        unnest(periods_between(grain, min(period_start), max(period_start))) as period_start,
    from counted
    group by category, type, grain
),

filled as (
    select * replace (coalesce(articles, 0) as articles)
    from periods
    left join counted using (category, type, grain, period_start)
),

moving as (
    select
        *,
        sum(articles) over same_period as period_articles,
        rank() over (same_period order by articles desc) as articles_rank,
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
        same_period as (partition by grain, period_start),
        by_time as (partition by category, type, grain order by period_start),
        previous_12 as (by_time rows between 12 preceding and 1 preceding)
)

select
    category,  -- category, (none) when absent
    type,  -- article, video and the like, (none) when absent
    grain,  -- day, week, month, quarter or year
    period_start,  -- first day of the period in UTC, Monday for weeks; the newest may be incomplete
    articles,  -- articles published in the period
    coalesce(live_articles, 0) as live_articles,  -- those that are published and not removed
    coalesce(scored_articles, 0) as scored_articles,  -- those with a quality
    coalesce(attention_articles, 0) as attention_articles,  -- those with quality and a measured heat
    coalesce(providers, 0) as providers,  -- distinct providers
    cast(period_articles as bigint) as period_articles,  -- articles of the period in all categories and types
    articles / nullif(period_articles, 0) as articles_share,  -- articles / period_articles: sums to 1 over all categories and types
    live_articles / nullif(articles, 0) as live_share,  -- live_articles / articles
    (articles - scored_articles) / nullif(articles, 0) as unscored_share,  -- articles without a quality / articles
    quality_mean,  -- mean quality of scored_articles
    round(quality_quantiles[2], 6) as quality_median,  -- median quality of scored_articles
    round(quality_quantiles[1], 6) as quality_p10,  -- a tenth of scored_articles is not above this quality
    round(quality_quantiles[3], 6) as quality_p90,  -- a tenth of scored_articles is not below this quality
    quality_stddev,  -- sample standard deviation of the quality of scored_articles
    coalesce(quality_histogram, map {}) as quality_histogram,  -- scored_articles per ten points of quality: lower bound -> articles, empty buckets left out
    attention_mean,  -- mean heat - quality of attention_articles
    articles_change,  -- articles less those of the period before, null in the first
    round(articles_ma4, 6) as articles_ma4,  -- mean articles over this and up to 3 periods before
    round(distance / nullif(deviation, 0), 6) as articles_z,  -- standard deviations from the mean of the up to 12 periods before; null with under 3 or if all are equal
    articles_rank,  -- rank by articles among all pairs of the period, 1 is most
    round(articles_slope, 6) as articles_slope,  -- least-squares trend over this and up to 11 periods before, articles per period
from moving
order by category, type, grain, period_start
