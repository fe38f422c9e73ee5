-- The images each article lists.
-- Grain: one row per article and image (article_id, position)
create table raw.article_images (
    article_id varchar,            -- raw.articles.article_id
    position integer,              -- place in the list, from 1
    url varchar,                   -- address as typed; can be relative to the site
    width integer,                 -- pixels
    height integer,                -- pixels
    is_cached boolean,             -- isCached; null when absent
    title varchar,                 -- title as typed
    extra json,                    -- every key that has no column, null when there is none
)
