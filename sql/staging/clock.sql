-- On which day is the next article due, or no longer live, in which time zone, and what is the source language?
-- Grain: one row
-- Reads: ops.runs, raw.articles
-- Note: days after the newest run are ahead. It is not the day of that run, so that midnight alone changes nothing:
-- what lies before next_date has come, all else has not.
with runs as (
    select
        coalesce(arg_max(time_zone, started_at), 'UTC') as time_zone,
        arg_max(language, started_at) filter (started_at = (select max(started_at) from ops.runs)) as language,
        max(started_at) as started_at,
    from ops.runs
),

days as (
    select published_at as moment
    from raw.articles
    union all
    select expires_at - interval 1 microsecond + interval 1 day
    from raw.articles
)

select
    any_value(runs.time_zone) as time_zone,  -- time zone of the site: days and periods begin at its midnight
    any_value(runs.language) as language,  -- language that the site is written in, null when nobody said so
    min(day_in(runs.time_zone, days.moment)) filter (
        day_in(runs.time_zone, days.moment) > day_in(runs.time_zone, runs.started_at)
    ) as next_date,  -- next day on which an article is due or expires, null when none is ahead
from runs
left join days on true
