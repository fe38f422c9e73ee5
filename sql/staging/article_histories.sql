-- Where did each article come from, where is it now, and how often did it change?
-- Grain: one row per article that is or was there, through all its renames (origin_id)
-- Key: origin_id
-- Reads: staging.article_versions
-- Note: article_id is null for an article that is gone. What the very first moment shows was there before: its
-- articles came with an import, whenever they were published.
with histories as (
    select
        origin_id,
        max(article_id) filter (valid_to is null and is_loaded) as article_id,
        min(valid_from) as first_seen_at,
        arg_min({'provider': provider, 'published_at': published_at, 'committed_at': committed_at}, valid_from) as first_state,
        max(valid_from) as changed_at,
        count(*) filter (not is_old_path) as versions,
    from staging.article_versions
    group by origin_id
)

select
    origin_id,  -- the article through all its renames: the first path it was seen under
    article_id,  -- its path, null when it is gone
    first_state.provider as first_provider,  -- provider in its first state
    first_state.published_at as first_published_at,  -- moment of publication in its first state
    first_seen_at,  -- time of its first commit, or start of the run that first saw it
    -- A late pull makes the observation late, a clock that was ahead the commit.
    least(first_state.committed_at, first_seen_at) as arrived_at,  -- first_seen_at, or the time of the commit if that is earlier
    changed_at,  -- start of its newest state
    versions,  -- states that were observed
from histories
