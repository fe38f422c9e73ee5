-- The topics each article lists, as typed.
-- Grain: one row per article and listed topic (article_id, position)
create table raw.article_topics (
    article_id varchar,            -- raw.articles.article_id
    position integer,              -- place in the list, from 1
    topic varchar,                 -- topic as typed
)
