-- The first days of all periods of a time grain from one period to another, both included.
create or replace macro periods_between(time_grain, first_start, last_start) as cast(
    generate_series(
        first_start,
        last_start,
        case time_grain
            when 'day' then interval 1 day
            when 'week' then interval 7 days
            when 'month' then interval 1 month
            when 'quarter' then interval 3 months
            when 'year' then interval 1 year
        end
    ) as date[]
)
