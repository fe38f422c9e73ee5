-- The periods of every date that a relation with a published_date has: one row per date and time_grain.
create or replace macro date_periods(dated) as table
select published_date, period.time_grain, period.period_start
from (
    select published_date, unnest(periods_of(published_date)) as period
    from (select distinct published_date from query_table(dated))
)
