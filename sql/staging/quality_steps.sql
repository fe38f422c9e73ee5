-- From which state to which did each article go in each period of observation?
-- Grain: one row per article, time_grain and period in which it was seen to change (origin_id, time_grain, period_start)
-- Key: origin_id
-- Reads: staging.article_versions, staging.past_spellings, staging.topics
-- Note: periods are those of observation, not of publication. Before is the state at the end of the period before,
-- however often the article changed or moved in between; null stands for an article that was not there.
with topic_lists as materialized (
    -- A number stands for the list: carried along by each of its items, one list of 50,000 would fill the memory.
    select row_number() over () as list_id, topics
    from (select distinct topics from staging.article_versions)
),

spellings as (
    select unnest(spellings) as spelling, topic
    from staging.topics
    union all
    select spelling, topic
    from staging.past_spellings
),

topic_names as (
    select listed.list_id, list_sort(list(distinct spellings.topic)) as names
    from (select list_id, unnest(topics) as spelling from topic_lists) as listed
    inner join spellings on spellings.spelling = listed.spelling
    group by listed.list_id
),

states as (
    select
        versions.origin_id,
        cast(timezone('UTC', versions.valid_from) as date) as from_date,
        cast(timezone('UTC', versions.valid_to) as date) as to_date,
        if(
            versions.is_loaded and not versions.is_draft,
            {
                'quality': versions.quality,
                'story_url': coalesce(versions.story_url, '(none)'),
                'provider': coalesce(versions.provider, '(none)'),
                'category': coalesce(versions.category, '(none)'),
                'topics': coalesce(topic_names.names, ['(none)'])
            },
            null
        ) as state,
    from staging.article_versions as versions
    left join topic_lists on topic_lists.topics = versions.topics
    left join topic_names on topic_names.list_id = topic_lists.list_id
    where not versions.is_old_path
),

period_states as (
    select states.*, periods.time_grain, periods.period_start
    from states
    cross join unnest(periods_of(from_date)) as listed (periods)
    -- Only the last state of a period is compared.
    where coalesce(date_trunc(periods.time_grain, to_date) <> periods.period_start, true)
),

steps as (
    select after.origin_id, after.time_grain, after.period_start, before.state as before, after.state as after
    from period_states as after
    -- What was there when the period began.
    left join (from states where to_date is not null) as before
        on before.origin_id = after.origin_id
        and before.from_date < after.period_start
        and before.to_date >= after.period_start
)

select
    origin_id,  -- the article through all its renames
    time_grain,  -- day, week, month, quarter or year
    period_start,  -- first day of the period of observation in UTC, Monday for weeks
    before,  -- quality, story_url, provider, category and topics at the end of the period before
    after,  -- the same at the end of this period
    coalesce(
        before.quality is not null and after.quality is not null
        and before.story_url = after.story_url and before.provider = after.provider,
        false
    ) as is_same_story,  -- scored before and after, at the same address and provider
from steps
