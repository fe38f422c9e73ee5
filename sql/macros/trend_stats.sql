-- How the articles of many series move. `period_counts` names a relation of (series, time_grain, period_start,
-- articles), one row per period with an article. Weeks and coarser periods without one become rows of zeros, from
-- the series' first to the corpus' newest period, or until a series has been empty for a year. Days are not filled.
-- Movement (change, average, z-score, slope) counts empty days all the same, and is null while a period lasts.
-- Months of 4, 0, 2 and 6 articles: the last has change 4, average (4 + 0 + 2 + 6) / 4 = 3, z-score (6 - 2) / 2 = 2 from
-- the mean 2 and deviation 2 of the three before, and slope (-1.5 * 4 - 0.5 * 0 + 0.5 * 2 + 1.5 * 6) / 5 = 0.8.
create or replace macro trend_stats(period_counts) as table
with newest as (
    select max(published_date) as newest_date
    from staging.article_periods
),

spans as (
    select
        series,
        time_grain,
        -- One number for both: windows sort by it in half the time.
        row_number() over (order by series, time_grain) as span,
        min(period_start) as first_start,
        least(
            cast(date_trunc(time_grain, max(period_start) + interval 1 year) as date),
            cast(date_trunc(time_grain, any_value(newest_date)) as date)
        ) as last_start
    from query_table(period_counts)
    cross join newest
    group by series, time_grain
),

counts as (
    select spans.span, period_start, articles
    from query_table(period_counts)
    inner join spans using (series, time_grain)
),

periods as (
    select span, unnest(periods_between(time_grain, first_start, last_start)) as period_start
    from spans
    where time_grain <> 'day'
    union all
    select span, period_start
    from counts
    inner join spans using (span)
    where time_grain = 'day'
),

numbered as (
    select
        span,
        period_start,
        -- Periods since the series' first.
        date_diff(time_grain, first_start, period_start) as n,
        coalesce(articles, 0) as articles
    from periods
    inner join spans using (span)
    left join counts using (span, period_start)
),

-- Sums of integers are exact, in whatever order they are added up.
sums as (
    select
        *,
        sum(articles) over (by_time range between 1 preceding and 1 preceding) as previous,
        sum(articles) over (by_time range between 3 preceding and current row) as last_4,
        sum(articles) over previous_12 as previous_sum,
        sum(articles * articles) over previous_12 as previous_squares,
        sum(articles) over last_12 as last_sum,
        sum(articles * n) over last_12 as last_products,
        least(n, 12) as previous_periods,
        least(n + 1, 12) as last_periods
    from numbered
    window
        by_time as (partition by span order by n),
        previous_12 as (by_time range between 12 preceding and 1 preceding),
        last_12 as (by_time range between 11 preceding and current row)
),

moments as (
    select
        *,
        period_start + period_length(time_grain) <= newest_date + interval 1 day as is_complete,
        coalesce(previous_sum, 0) / nullif(previous_periods, 0) as previous_mean,
        sqrt(
            (coalesce(previous_squares, 0) * previous_periods - pow(coalesce(previous_sum, 0), 2))
            / (previous_periods * (previous_periods - 1))
        ) as previous_stddev
    from sums
    inner join spans using (span)
    cross join newest
)

select
    series,
    time_grain,
    period_start,
    is_complete,
    articles,
    if(is_complete and n > 0, articles - cast(coalesce(previous, 0) as bigint), null) as articles_change,
    if(is_complete, round(last_4 / least(n + 1, 4), 6), null) as articles_avg_4,
    -- Of counts whose mean is below 2, one in twelve that do not move is 2 deviations above it, at 10 one in twenty.
    if(
        is_complete and previous_periods >= 3 and previous_mean >= 2,
        round((articles - previous_mean) / nullif(previous_stddev, 0), 6),
        null
    ) as articles_zscore,
    -- Least squares over consecutive numbers: sum of products less mean number times sum, over the
    -- numbers' sum of squares, which for m numbers is m (m^2 - 1) / 12.
    if(
        is_complete,
        round(
            (last_products - last_sum * (n - (last_periods - 1) / 2))
            / nullif(last_periods * (last_periods * last_periods - 1) / 12, 0),
            6
        ),
        null
    ) as articles_slope
from moments
