-- Which topics appear together, more often than chance would have it?
-- Grain: one row per two topics that share an article, from each side (topic, other_topic)
-- Reads: staging.article_topics, staging.uncounted
-- Note: a parent goes with each of its children by design: leave those out with not is_parent_pair. Articles
-- that list more than 50 topics tag everything and relate nothing, so they are left out.
with topics as (
    select article_id, topic, parent_topic
    from staging.article_topics
    -- Pairs grow with the square of the list: one list of 50,000 would make 2.5 billion.
    where topics_listed <= 50 and article_id not in (select article_id from staging.uncounted)
),

totals as (
    select topic, count(*) as articles
    from topics
    group by topic
),

everything as (
    select count(distinct article_id) as articles
    from topics
),

pairs as (
    select
        one.topic,
        other.topic as other_topic,
        count(*) as articles,
        bool_or(
            one.parent_topic is not distinct from other.topic
            or other.parent_topic is not distinct from one.topic
        ) as is_parent_pair,
    from topics as one
    inner join topics as other on other.article_id = one.article_id and other.topic <> one.topic
    group by one.topic, other.topic
)

select
    pairs.topic,  -- name of the topic
    pairs.other_topic,  -- name of the topic that appears with it
    pairs.is_parent_pair,  -- one is the parent of the other
    pairs.articles,  -- articles that list both
    one.articles as topic_articles,  -- articles that list topic
    other.articles as other_articles,  -- articles that list other_topic
    everything.articles as all_articles,  -- articles that list any topic
    round(pairs.articles / one.articles, 6) as share_of_topic,  -- articles / topic_articles
    round(pairs.articles * everything.articles / (one.articles * other.articles), 6) as lift,  -- how many times more often than if the two were independent; 1 is chance
    round(pairs.articles / (one.articles + other.articles - pairs.articles), 6) as jaccard,  -- articles with both / articles with either
from pairs
inner join totals as one on one.topic = pairs.topic
inner join totals as other on other.topic = pairs.other_topic
cross join everything
order by pairs.topic, pairs.other_topic
