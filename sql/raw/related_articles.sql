-- The related items each article cites.
-- Grain: one row per article and related item (article_id, position)
create table raw.related_articles (
    article_id varchar,            -- raw.articles.article_id of the citing article
    position integer,              -- place in the list, from 1
    title varchar,                 -- title as typed
    excerpt varchar,               -- excerpt as typed
    published_at timestamptz,      -- publishedDateTime; a date without a zone is UTC
    web_url varchar,               -- webUrl as typed
    amp_web_url varchar,           -- ampWebUrl as typed
    cdn_amp_web_url varchar,       -- cdnAmpWebUrl as typed
    type varchar,                  -- article, video and the like, as typed
    quality integer,               -- editorial score of the cited item, 0 or more
    provider_name varchar,         -- provider.name as typed
    provider_domain varchar,       -- provider.domain as typed
    extra json,                    -- every key that has no column, nested images too
)
