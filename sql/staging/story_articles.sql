-- Which articles have or had which story address, and what did each say there last?
-- Grain: one row per story address and article through its renames (story_url, origin_id)
-- Key: story_url
-- Reads: staging.article_versions, staging.articles
-- Note: an article that changed its address is a row under each. Of what it said under one, the newest state counts.
with states as (
    select
        articles.story_url,
        coalesce(latest.origin_id, articles.article_id) as origin_id,
        articles.article_id,
        articles.provider,
        articles.title,
        articles.quality,
        articles.published_at,
        coalesce(latest.valid_from, articles.first_seen_at) as observed_at,
        latest.commit,
        true as is_current,
    from staging.articles
    left join staging.article_versions as latest
        on latest.article_id = articles.article_id
        and latest.valid_to is null
        and latest.is_loaded
    where articles.story_url is not null and articles.is_counted
    union all
    select story_url, origin_id, article_id, provider, title, quality, published_at, valid_from, commit, false
    from staging.article_versions
    where is_loaded and valid_to is not null and not is_draft and story_url is not null
),

story_articles as (
    select
        story_url,
        origin_id,
        bool_or(is_current) as is_current,
        min({'at': observed_at, 'commit': commit}) as first_seen,
        arg_max(
            {
                'article_id': article_id, 'provider': provider, 'title': title,
                'quality': quality, 'published_at': published_at
            },
            (is_current, observed_at)
        ) as newest,
    from states
    group by story_url, origin_id
)

select
    story_url,  -- canonical address
    origin_id,  -- the article through all its renames
    is_current,  -- the article has this address now
    newest.article_id as article_id,  -- its path in its newest state here
    newest.provider as provider,  -- its provider in that state
    newest.title as title,  -- its title in that state
    newest.quality as quality,  -- its editorial score in that state
    newest.published_at as published_at,  -- its moment of publication in that state
    first_seen['at'] as first_seen_at,  -- when it was first seen here
    first_seen['commit'] as commit,  -- the commit that brought it here, null if a run saw it on disk first
from story_articles
