-- Which state did each article have, from when until when?
-- Grain: one row per article and observed change (article_id, valid_from)
-- Key: origin_id
-- Reads: raw.article_versions
-- Note: a row holds from valid_from until just before valid_to. A removal is a row without scores, so that
-- nothing seems to last on: filter on is_loaded. origin_id follows an article through its renames.
with ends as (
    -- Nothing but what is sorted: windows carry every column along.
    select
        rowid,
        -- A rename is two rows of one moment: the old path is removed before the new one goes on.
        lead(observed_at) over (partition by origin_id order by observed_at, change = 'renamed') as valid_to,
    from raw.article_versions
),

versions as (
    select states.*, ends.valid_to, change <> 'removed' as is_loaded
    from raw.article_versions as states
    inner join ends on ends.rowid = states.rowid
)

select
    article_id,  -- path at the time; a renamed article goes on under its new path
    origin_id,  -- the article through all its renames: the first path it was seen under
    observed_at as valid_from,  -- time of the commit that made this state, or start of the run that saw it first
    valid_to,  -- valid_from of the next one, null for the latest
    change,  -- added, changed, renamed, removed or returned
    changed_fields,  -- names of the columns that changed
    renamed_from,  -- the earlier path of a renamed article, otherwise null
    is_loaded,  -- the article was there: false from its removal on
    change = 'removed' and valid_to is not distinct from observed_at as is_old_path,  -- the article moved away in this moment, and went on elsewhere
    clean_text(category) as category,  -- category, white space trimmed
    clean_text(type) as type,  -- article, video and the like
    nullif(title_text, '') as title,  -- title as plain text
    canonical_url(coalesce(nullif(trim(original_url), ''), web_url)) as story_url,  -- canonical address of originalUrl, else webUrl
    provider_key(provider_domain, provider_name) as provider,  -- lower-case domain without www., else the provider's name
    published_at,  -- moment of publication
    topics,  -- topics as typed, in listed order
    is_loaded
    and coalesce(is_published, true)
    and not (coalesce(is_removed, false) or coalesce(is_draft, false) or is_draft_path(article_id)) as is_live,  -- published unless said otherwise, neither a draft nor removed, whatever its dates
    coalesce(is_draft, false) or is_draft_path(article_id) as is_draft,  -- its site kept it back
    is_published,  -- published as typed, null when absent
    is_removed,  -- removed as typed, null when absent
    cast(if(is_loaded, quality, null) as bigint) as quality,  -- quality in this state, null when removed
    cast(if(is_loaded, nullif(heat, -1), null) as bigint) as heat,  -- heat in this state, null when not measured or removed
    commit,  -- commit that made the change, null when it was seen on disk
    committed_at,  -- time of that commit, null when it was seen on disk
from versions
order by article_id, valid_from
