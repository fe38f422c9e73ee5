-- How the articles of many series move, from the first to the last period of each. `counted` names a relation
-- of (series, time_grain, period_start, articles), one row per period with an article. Empty periods become rows of
-- zeros while a time grain makes at most 2 million rows; trend_stats counts them anyway.
create or replace macro trend_stats(counted) as table
with counts as (
    select series, time_grain, period_start, articles, cast(date_diff(time_grain, date '1970-01-05', period_start) as integer) as n
    from query_table(counted)
),

spans as (
    select
        series,
        time_grain,
        min(period_start) as first_start,
        max(period_start) as last_start,
        min(n) as first_n,
        max(n) as last_n
    from counts
    group by series, time_grain
),

-- Tens of thousands of sparse series have hundreds of empty periods for each that has an article.
filled_grains as (
    select time_grain
    from spans
    group by time_grain
    having sum(last_n - first_n + 1) <= 2_000_000
),

periods as (
    select
        series,
        time_grain,
        first_n,
        unnest(periods_between(time_grain, first_start, last_start)) as period_start,
        cast(unnest(range(first_n, last_n + 1)) as integer) as n
    from spans
    where time_grain in (select time_grain from filled_grains)
),

filled as (
    select periods.*, coalesce(counts.articles, 0) as articles
    from periods
    left join counts
        on counts.series = periods.series
        and counts.time_grain = periods.time_grain
        and counts.n = periods.n
),

sparse as (
    select counts.series, counts.time_grain, spans.first_n, counts.period_start, counts.n, counts.articles
    from counts
    inner join spans on spans.series = counts.series and spans.time_grain = counts.time_grain
    where counts.time_grain not in (select time_grain from filled_grains)
),

-- Sums of integers are exact. Without gaps twelve rows are twelve periods, and rows are the faster to find.
filled_sums as (
    select
        *,
        lag(articles) over by_time as previous,
        lag(articles, 12) over by_time as outgoing,
        sum(articles) over (by_time rows between 3 preceding and current row) as last_4,
        sum(articles) over earlier as earlier,
        sum(articles * articles) over earlier as earlier_squares,
        sum(articles * (n - first_n)) over recent as recent_products
    from filled
    window
        by_time as (partition by series, time_grain order by n),
        earlier as (by_time rows between 12 preceding and 1 preceding),
        recent as (by_time rows between 11 preceding and current row)
),

sparse_sums as (
    select
        *,
        sum(articles) over (by_time range between 1 preceding and 1 preceding) as previous,
        sum(articles) over (by_time range between 12 preceding and 12 preceding) as outgoing,
        sum(articles) over (by_time range between 3 preceding and current row) as last_4,
        sum(articles) over earlier as earlier,
        sum(articles * articles) over earlier as earlier_squares,
        sum(articles * (n - first_n)) over recent as recent_products
    from sparse
    window
        by_time as (partition by series, time_grain order by n),
        earlier as (by_time range between 12 preceding and 1 preceding),
        recent as (by_time range between 11 preceding and current row)
),

moving as (
    select
        *,
        least(n - first_n, 12) as earlier_periods,
        least(n - first_n + 1, 12) as slope_periods,
        articles + coalesce(earlier, 0) - coalesce(outgoing, 0) as recent,
        articles - coalesce(earlier, 0) / nullif(earlier_periods, 0) as distance,
        if(
            earlier_periods >= 3,
            sqrt(
                (coalesce(earlier_squares, 0) * earlier_periods - coalesce(earlier, 0) * coalesce(earlier, 0))
                / (earlier_periods * (earlier_periods - 1))
            ),
            null
        ) as deviation
    from (select * from filled_sums union all by name select * from sparse_sums)
)

select
    series,
    time_grain,
    period_start,
    articles,
    if(n = first_n, null, articles - cast(coalesce(previous, 0) as bigint)) as articles_change,
    round(last_4 / least(n - first_n + 1, 4), 6) as articles_avg_4,
    round(distance / nullif(deviation, 0), 6) as articles_zscore,
    -- Least squares over consecutive numbers: sum of products less mean number times sum, over the
    -- numbers' sum of squares, which for m numbers is m (m^2 - 1) / 12.
    round(
        (recent_products - recent * (n - first_n - (slope_periods - 1) / 2))
        / nullif(slope_periods * (slope_periods * slope_periods - 1) / 12, 0),
        6
    ) as articles_slope
from moving
