-- The day of a moment in a time zone.
create or replace macro day_in(time_zone, moment) as cast(timezone(time_zone, moment) as date)
