-- Which topics do spellings stand for that only the past has?
-- Grain: one row per spelling that a past state lists and no article of today (spelling)
-- Reads: staging.article_versions, staging.topics
-- Note: a topic of today with that name, else one that is gone, called by its first spelling. staging.topics has the
-- spellings of today.
with listed as (
    select distinct unnest(topics) as spelling
    from (select distinct topics from staging.article_versions)
),

past_spellings as (
    select spelling, clean_text(spelling) as label, topic_key(label) as topic_key
    from listed
    where label is not null and spelling not in (select unnest(spellings) from staging.topics)
)

select
    past_spellings.spelling,  -- topic as typed in the past
    coalesce(
        topics.topic, min(past_spellings.label) over (partition by past_spellings.topic_key)
    ) as topic,  -- name of the topic
from past_spellings
left join staging.topics on topics.topic_key = past_spellings.topic_key
