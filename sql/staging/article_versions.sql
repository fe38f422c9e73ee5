-- Which state did each article have, from when until when?
-- Grain: one row per article and observed change (article_id, valid_from)
-- Reads: raw.article_versions
-- Note: a row holds from valid_from until just before valid_to. A removal is a row without scores, so that
-- nothing seems to last on: filter on is_loaded.
with versions as (
    select
        *,
        change <> 'removed' as is_loaded,
        lead(observed_at) over (partition by article_id order by observed_at) as valid_to,
    from raw.article_versions
)

select
    article_id,  -- path at the time; a renamed article goes on under its new path
    observed_at as valid_from,  -- start of the refresh that saw this state
    valid_to,  -- start of the refresh that saw the next one, null for the latest
    change,  -- added, changed, renamed, removed or returned
    changed_fields,  -- names of the columns that changed
    renamed_from,  -- the earlier path of a renamed article, otherwise null
    is_loaded,  -- the article was there: false from its removal on
    title,  -- title as typed
    canonical_url(original_url) as story_url,  -- canonical address of originalUrl, null when there is none
    provider_key(provider_domain, null) as provider,  -- lower-case domain without www., null when there is none
    topics,  -- topics as typed, in listed order
    is_published,  -- published as typed, null when absent
    if(is_loaded, quality, null) as quality,  -- quality in this state, null when removed
    if(is_loaded, nullif(heat, -1), null) as heat,  -- heat in this state, null when not measured or removed
from versions
order by article_id, valid_from
