-- How did the score of an article move over time, and what changed with it?
-- Grain: one row per article and observed change (article_id, valid_from)
-- Key: origin_id
-- Reads: staging.article_versions
-- Note: one path can hold one story after another (is_different_story): a fall in quality is then another
-- provider's score, so the changes are null there. Versions are not articles: never average over them.
with states as (
    select
        *,
        lag(quality) over by_time as earlier_quality,
        lag(heat) over by_time as earlier_heat,
        coalesce(
            lag(valid_from) over by_time is not null
            and (story_url, provider) is distinct from (lag(story_url) over by_time, lag(provider) over by_time),
            false
        ) as is_different_story,
    from staging.article_versions
    window by_time as (partition by origin_id order by valid_from, not is_old_path)
)

select
    article_id,  -- path at the time; a renamed article goes on under its new path
    origin_id,  -- the article through all its renames: the first path it was seen under
    valid_from,  -- time of the commit that made this state, or start of the run that saw it first
    valid_to,  -- valid_from of the next one, null for the latest
    change,  -- added, changed, renamed, removed or returned
    changed_fields,  -- names of the columns that changed
    renamed_from,  -- the earlier path of a renamed article, otherwise null
    is_different_story,  -- the path held another address or provider before
    is_loaded,  -- the article was there: false from its removal on
    title,  -- title as plain text
    story_url,  -- canonical address of originalUrl, else webUrl
    provider,  -- lower-case domain without www., else the provider's name
    topics,  -- topics as typed, in listed order
    is_live,  -- published unless said otherwise, neither a draft nor removed, whatever its dates
    is_draft,  -- its site kept it back
    is_published,  -- published as typed, null when absent
    is_removed,  -- removed as typed, null when absent
    commit,  -- commit that made the change, null when it was seen on disk
    quality,  -- quality in this state, null when removed
    heat,  -- heat in this state, null when not measured or removed
    heat - quality as heat_bump,  -- heat - quality, null unless both are known
    if(is_different_story, null, quality - earlier_quality) as quality_change,  -- quality less the quality of the state before, null for another story
    if(is_different_story, null, heat - earlier_heat) as heat_change,  -- heat less the heat of the state before, null for another story
from states
order by article_id, valid_from
