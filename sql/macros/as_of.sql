-- Which articles were loaded at a moment, and what did they say? `from as_of(timestamptz '2025-06-01 12:00:00+00')`
create or replace macro as_of(moment) as table
select
    article_id,
    valid_from as observed_at,
    title,
    story_url,
    provider,
    topics,
    published_at,
    category,
    type,
    is_live,
    is_draft,
    is_published,
    is_removed,
    quality,
    heat,
    heat - quality as heat_bump
from staging.article_versions
where is_loaded and valid_from <= moment and (valid_to is null or valid_to > moment)
order by article_id
