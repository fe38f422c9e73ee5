-- Which topics does each article have?
-- Grain: one row per article and distinct topic (article_id, topic_key)
-- Key: article_id
-- Reads: raw.article_topics, staging.topics
-- Note: most articles list a parent topic beside its child, so a sum over all topics counts them twice:
-- leave parents out (not is_parent) or add 1 / topics_listed.
with spellings as (
    select unnest(spellings) as spelling, topic_key
    from staging.topics
),

listed as (
    select article_topics.article_id, spellings.topic_key, min(article_topics.position) as position
    from raw.article_topics
    inner join spellings on spellings.spelling = article_topics.topic
    group by article_topics.article_id, spellings.topic_key
)

select
    listed.article_id,  -- staging.articles.article_id
    topics.topic_key,  -- name without case, - _ / and accents: the topic's identity
    topics.topic,  -- name in the topic file, else the most frequent spelling
    topics.parent_topic,  -- name of the parent topic, null for a root
    topics.is_root,  -- has no parent topic
    topics.is_parent,  -- is the parent of another topic
    listed.position,  -- place in the article's list, from 1
    count(*) over (partition by listed.article_id) as topics_listed,  -- distinct topics of the article
from listed
inner join staging.topics on topics.topic_key = listed.topic_key
