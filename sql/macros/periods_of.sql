-- The five periods a date lies in, one per grain; weeks start on Monday.
create or replace macro periods_of(day) as [
    {'grain': 'day', 'period_start': day},
    {'grain': 'week', 'period_start': cast(date_trunc('week', day) as date)},
    {'grain': 'month', 'period_start': cast(date_trunc('month', day) as date)},
    {'grain': 'quarter', 'period_start': cast(date_trunc('quarter', day) as date)},
    {'grain': 'year', 'period_start': cast(date_trunc('year', day) as date)}
]
