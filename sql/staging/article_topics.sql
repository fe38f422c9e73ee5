-- Which topics does each article have?
-- Grain: one row per article and distinct topic (article_id, topic_key)
-- Reads: raw.article_topics, staging.topics
-- Note: most articles list a parent topic beside its child, so a sum over all topics counts them twice:
-- leave parents out (not is_parent) or add 1 / topics_listed.
with spellings as (
    -- Numbers in the order of the keys: they join and sort for a fraction of what names cost.
    select unnest(spellings) as spelling, row_number() over (order by topic_key) as number
    from staging.topics
),

topics as (
    select *, row_number() over (order by topic_key) as number
    from staging.topics
),

listed as (
    select article_topics.article_id, spellings.number, min(article_topics.position) as position
    from raw.article_topics
    inner join spellings on spellings.spelling = article_topics.topic
    group by article_topics.article_id, spellings.number
),

lengths as (
    select article_id, count(*) as topics_listed
    from listed
    group by article_id
)

select
    listed.article_id,  -- staging.articles.article_id
    topics.topic_key,  -- case-folded name: the topic's identity
    topics.topic,  -- name in the topic file, else the most frequent spelling
    topics.parent_topic,  -- name of the parent topic, null for a root
    topics.is_root,  -- has no parent topic
    topics.is_parent,  -- is the parent of another topic
    listed.position,  -- place in the article's list, from 1
    lengths.topics_listed,  -- distinct topics of the article
from listed
inner join topics on topics.number = listed.number
inner join lengths on lengths.article_id = listed.article_id
order by listed.article_id, listed.position, listed.number
