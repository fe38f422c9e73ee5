-- How long the periods of a time grain are.
create or replace macro period_length(time_grain) as case time_grain
    when 'day' then interval 1 day
    when 'week' then interval 7 days
    when 'month' then interval 1 month
    when 'quarter' then interval 3 months
    when 'year' then interval 1 year
end
