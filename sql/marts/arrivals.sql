-- How long after its publication does an article come into the collection, provider by provider?
-- Grain: one row per provider and period of arrival (provider, time_grain, period_start)
-- Reads: staging.article_histories, staging.first_look
-- Note: filter on one time_grain. An article arrives with its first commit, or with the first run that saw it. The
-- very first commit or run is an import of what was there before, which says nothing about delays, so it is left out.
with arrivals as (
    select
        coalesce(histories.first_provider, '(none)') as provider,
        cast(timezone('UTC', histories.arrived_at) as date) as day,
        histories.first_published_at > histories.arrived_at as is_early,
        if(is_early, null, epoch(histories.arrived_at) - epoch(histories.first_published_at)) / 86400 as lag_days,
    from staging.article_histories as histories
    cross join staging.first_look
    where histories.first_seen_at > first_look.first_seen_at
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
