-- The five periods a date lies in, one per time grain; weeks start on Monday.
create or replace macro periods_of(day) as [
    {'time_grain': 'day', 'period_start': day},
    {'time_grain': 'week', 'period_start': cast(date_trunc('week', day) as date)},
    {'time_grain': 'month', 'period_start': cast(date_trunc('month', day) as date)},
    {'time_grain': 'quarter', 'period_start': cast(date_trunc('quarter', day) as date)},
    {'time_grain': 'year', 'period_start': cast(date_trunc('year', day) as date)}
]
