-- What did each member of a dimension gain and lose in each period of observation?
-- Grain: one row per member and period in which its scores changed (dimension, member, time_grain, period_start)
-- Sums by: dimension, member, time_grain, period_start
-- Reads: staging.quality_steps
-- Note: sums of whole numbers, which need no second look at what was added up before. Of a member that is one of an
-- article's three topics, a third counts.
with memberships as (
    select
        time_grain,
        period_start,
        is_same_story,
        before.quality as quality_before,
        after.quality as quality_after,
        unnest(
            [
                {'dimension': 'all', 'members_before': ['(all)'], 'members_after': ['(all)']},
                {'dimension': 'provider', 'members_before': [before.provider], 'members_after': [after.provider]},
                {'dimension': 'category', 'members_before': [before.category], 'members_after': [after.category]},
                {'dimension': 'topic', 'members_before': before.topics, 'members_after': after.topics}
            ],
            recursive := true
        ),
    from staging.quality_steps
),

steps as (
    select *, is_same_story and members_before = members_after as stays
    from memberships
    where not (stays and quality_before = quality_after)
),

-- What a step takes from its members and gives to them.
entries as (
    select
        dimension, time_grain, period_start, stays, is_after,
        if(is_after, quality_after, quality_before) as quality,
        if(is_after, members_after, members_before) as members,
        -- Integers add up to the same total in any order, doubles do not; 64 bits would not hold a score of 32. What
        -- is left over goes to the first members: a score of 32 bits would show that it is missing.
        cast(1_000_000_000_000 as hugeint) // len(members)
        + cast(generate_subscripts(members, 1) <= 1_000_000_000_000 % len(members) as bigint) as units,
        unnest(members) as member,
    from steps
    cross join unnest([false, true]) as sides (is_after)
    where quality is not null
)

select
    dimension,  -- topic, provider, category, or all for the whole
    member,  -- its name, (none) for articles without one
    time_grain,  -- day, week, month, quarter or year
    period_start,  -- first day of the period of observation in UTC, Monday for weeks
    count(*) as entries,  -- gains and losses
    count(*) filter (not stays and is_after) as new_articles,  -- articles that it gained
    count(*) filter (not stays and not is_after) as removed_articles,  -- articles that it lost
    count(*) filter (stays and is_after) as rescored_articles,  -- articles that stayed, with another quality
    cast(sum(if(not stays and is_after, units, 0)) as decimal(38, 0)) as new_units,  -- what it gained, in parts of 10^12 of an article
    cast(sum(if(not stays and not is_after, units, 0)) as decimal(38, 0)) as removed_units,  -- what it lost, likewise
    cast(sum(if(not stays and is_after, units * quality, 0)) as decimal(38, 0)) as new_points,  -- units times quality of what it gained
    cast(sum(if(not stays and not is_after, units * quality, 0)) as decimal(38, 0)) as removed_points,  -- units times quality of what it lost
    cast(sum(if(stays, if(is_after, units, -units) * quality, 0)) as decimal(38, 0)) as rescored_points,  -- what new scores made of what stayed, likewise
from entries
group by dimension, member, time_grain, period_start
