-- How did the score of an article move over time, and what changed with it?
-- Grain: one row per article and observed change (article_id, valid_from)
-- Reads: staging.article_history
-- Note: a row holds from valid_from until just before valid_to; observations are refreshes, so a score that
-- moved and came back between two of them is not here. Removals are rows without scores (not is_loaded).
select
    article_id,  -- path at the time; a renamed article goes on under its new path
    valid_from,  -- start of the refresh that saw this state
    valid_to,  -- start of the refresh that saw the next one, null for the latest
    change,  -- added, changed, renamed, removed or returned
    changed_fields,  -- names of the columns that changed
    renamed_from,  -- the earlier path of a renamed article, otherwise null
    is_loaded,  -- the article was there: false from its removal on
    title,  -- title as typed
    story_url,  -- canonical address of originalUrl, null when there is none
    provider,  -- lower-case domain without www., null when there is none
    topics,  -- topics as typed, in listed order
    is_published,  -- published as typed, null when absent
    quality,  -- quality in this state, null when removed
    heat,  -- heat in this state, null when not measured or removed
    heat - quality as attention,  -- heat - quality, null unless both are known
    quality - lag(quality) over by_time as quality_change,  -- quality less the quality of the state before
    heat - lag(heat) over by_time as heat_change,  -- heat less the heat of the state before
from staging.article_history
window by_time as (partition by article_id order by valid_from)
order by article_id, valid_from
