-- Which keys of the front matter feed no column, and what do they hold, article by article?
create or replace macro unmapped_values(is_wanted) as table
select
    article_id,
    -- Both lists are in the order of the document: one with a thousand keys is read twice, not a thousand times.
    unnest(json_keys(extra)) as key,
    unnest(extra -> '$.*') as value,
from raw.articles
where is_wanted
