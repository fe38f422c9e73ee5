-- The first days of all periods of a time grain from one period to another, both included.
create or replace macro periods_between(time_grain, first_start, last_start) as cast(
    generate_series(first_start, last_start, period_length(time_grain)) as date[]
)
