-- How is quality distributed in each category and type, and how does that move?
-- Grain: one row per category, type, grain and period, from the pair's first to its last period
-- Reads: staging.articles
-- Note: filter on one grain; weigh means of several rows by scored_articles. Empty periods are rows of
-- zeros, unless they made over 2 million rows of a grain; movement counts them anyway.
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
        date_diff(grain, date '1970-01-05', period_start) as n,
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
        rank() over (partition by grain, period_start order by count(*) desc) as articles_rank,
    from placed
    group by category, type, grain, period_start
),

spans as (
    select
        category,
        type,
        grain,
        min(period_start) as first_start,
        max(period_start) as last_start,
        min(n) as first_n,
        max(n) - min(n) + 1 as periods,
    from counted
    group by category, type, grain
),

-- Tens of thousands of sparse series have hundreds of empty periods for each that has an article.
filled_grains as (
    select grain
    from spans
    group by grain
    having sum(periods) <= 2_000_000
),

periods as (
    select category, type, grain, unnest(periods_between(grain, first_start, last_start)) as period_start
    from spans
    where grain in (select grain from filled_grains)
    union all
    select category, type, grain, period_start
    from counted
    where grain not in (select grain from filled_grains)
),

filled as (
    select
        category,
        type,
        grain,
        period_start,
        spans.first_n,
        date_diff(grain, date '1970-01-05', period_start) as n,
        coalesce(counted.articles, 0) as articles,
    from periods
    inner join spans using (category, type, grain)
    left join counted using (category, type, grain, period_start)
),

-- Ranges of period numbers: a period without a row counts as zero. Sums of integers are exact.
summed as (
    select
        *,
        least(n - first_n, 12) as earlier_periods,
        least(n - first_n + 1, 12) as slope_periods,
        sum(articles) over (by_time range between 1 preceding and 1 preceding) as previous,
        sum(articles) over (by_time range between 3 preceding and current row) as last_4,
        sum(articles) over earlier as earlier,
        sum(articles * articles) over earlier as earlier_squares,
        sum(articles) over recent as recent,
        sum(articles * (n - first_n)) over recent as recent_products,
    from filled
    window
        by_time as (partition by category, type, grain order by n),
        earlier as (by_time range between 12 preceding and 1 preceding),
        recent as (by_time range between 11 preceding and current row)
),

moving as (
    select
        category,
        type,
        grain,
        period_start,
        articles,
        if(n = first_n, null, articles - cast(coalesce(previous, 0) as bigint)) as articles_change,
        last_4 / least(n - first_n + 1, 4) as articles_ma4,
        articles - coalesce(earlier, 0) / nullif(earlier_periods, 0) as distance,
        if(
            earlier_periods >= 3,
            sqrt(
                (coalesce(earlier_squares, 0) * earlier_periods - coalesce(earlier, 0) * coalesce(earlier, 0))
                / (earlier_periods * (earlier_periods - 1))
            ),
            null
        ) as deviation,
        -- Least squares over consecutive numbers: sum of products less mean number times sum, over the
        -- numbers' sum of squares, which for m numbers is m (m^2 - 1) / 12.
        (recent_products - recent * (n - first_n - (slope_periods - 1) / 2))
        / nullif(slope_periods * (slope_periods * slope_periods - 1) / 12, 0) as articles_slope,
    from summed
),

totals as (
    select
        grain,
        period_start,
        count(*) as pairs,
        cast(sum(articles) as bigint) as articles,
    from counted
    group by grain, period_start
)

select
    moving.category,  -- category, (none) when absent
    moving.type,  -- article, video and the like, (none) when absent
    moving.grain,  -- day, week, month, quarter or year
    moving.period_start,  -- first day of the period in UTC, Monday for weeks; the newest may be incomplete
    moving.articles,  -- articles published in the period
    coalesce(counted.live_articles, 0) as live_articles,  -- those that are published and not removed
    coalesce(counted.scored_articles, 0) as scored_articles,  -- those with a quality
    coalesce(counted.attention_articles, 0) as attention_articles,  -- those with quality and a measured heat
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
    counted.attention_mean,  -- mean heat - quality of attention_articles
    moving.articles_change,  -- articles less those of the period before, null in the first
    round(moving.articles_ma4, 6) as articles_ma4,  -- mean articles over this and up to 3 periods before
    round(moving.distance / nullif(moving.deviation, 0), 6) as articles_z,  -- standard deviations from the mean of the up to 12 periods before; null with under 3 or if all are equal
    coalesce(counted.articles_rank, totals.pairs + 1, 1) as articles_rank,  -- rank by articles among all pairs of the period, 1 is most
    round(moving.articles_slope, 6) as articles_slope,  -- least-squares trend over this and up to 11 periods before, articles per period
from moving
left join counted
    on counted.category = moving.category
    and counted.type = moving.type
    and counted.grain = moving.grain
    and counted.period_start = moving.period_start
left join totals on totals.grain = moving.grain and totals.period_start = moving.period_start
order by moving.category, moving.type, moving.grain, moving.period_start
