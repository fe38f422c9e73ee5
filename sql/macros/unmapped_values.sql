-- Which keys of the front matter feed no column, and what do they hold, article by article?
create or replace macro unmapped_values() as table
with keys as (
    select article_id, extra, unnest(json_keys(extra)) as key
    from raw.articles
)

select
    article_id,
    key,
    -- A JSON pointer, so that dots and quotes in a key mean themselves.
    extra -> ('/' || replace(replace(key, '~', '~0'), '/', '~1')) as value
from keys
