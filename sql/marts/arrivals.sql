-- How long after its publication does an article come into the collection, provider by provider?
-- Grain: one row per provider and period of arrival (provider, time_grain, period_start)
-- Reads: staging.article_versions
-- Note: filter on one time_grain. An article arrives with its first commit, or with the first run that saw it. The
-- very first commit or run is an import of what was there before, which says nothing about delays, so it is left out.
with firsts as (
    select
        coalesce(provider, '(none)') as provider,
        published_at,
        valid_from,
        -- A late pull makes the observation late, a clock that was ahead the commit.
        least(committed_at, valid_from) as arrived_at,
    from staging.article_versions
    where change = 'added'
    qualify row_number() over (partition by origin_id order by valid_from) = 1
),

arrivals as (
    select
        provider,
        cast(timezone('UTC', arrived_at) as date) as day,
        published_at > arrived_at as is_early,
        if(published_at <= arrived_at, epoch(arrived_at) - epoch(published_at), null) / 86400 as lag_days,
    from firsts
    where valid_from > (select min(valid_from) from firsts)
),

periods as (
    select day, unnest(periods_of(day), recursive := true)
    from (select distinct day from arrivals)
)

select
    arrivals.provider,  -- provider when the article arrived, (none) without one
    periods.time_grain,  -- day, week, month, quarter or year
    periods.period_start,  -- first day of the period of arrival in UTC, Monday for weeks
    count(*) as articles,  -- articles that arrived
    count(*) filter (arrivals.is_early) as early_articles,  -- of those, dated later than they arrived: scheduled ones
    count(arrivals.lag_days) as dated_articles,  -- of those, with a date up to their arrival
    count(*) filter (arrivals.lag_days < 1) as same_day_articles,  -- of the dated ones, those within 24 hours
    round(median(arrivals.lag_days), 2) as lag_days_median,  -- days from publication to arrival, over dated_articles
    round(quantile_cont(arrivals.lag_days, 0.9), 2) as lag_days_p90,  -- nine in ten came within so many days
from arrivals
inner join periods on periods.day = arrivals.day
group by arrivals.provider, periods.time_grain, periods.period_start
order by arrivals.provider, periods.time_grain, periods.period_start
