-- Which articles are there, with clean names, one clock and one address per story?
-- Grain: one row per loaded article (article_id)
-- Reads: raw.articles
-- Note: an article without published counts as live; heat -1 (not measured) is null here; the same story
-- can be several articles, so count distinct story_url for stories.
with articles as (
    select
        article_id,
        clean_text(collection) as collection,
        clean_text(category) as category,
        clean_text(type) as type,
        nullif(title_text, '') as title,
        canonical_url(coalesce(nullif(trim(original_url), ''), web_url)) as story_url,
        provider_key(provider_domain, provider_name) as provider,
        clean_text(provider_name) as provider_name,
        published_at,
        -- A stored date makes every trend several times faster than cutting timestamps there.
        cast(timezone('UTC', published_at) as date) as published_date,
        updated_at,
        file_date,
        is_published,
        is_removed,
        -- The difference of two numbers of 32 bits needs more.
        cast(quality as bigint) as quality,
        cast(nullif(heat, -1) as bigint) as heat,
        first_seen_at,
    from raw.articles
),

newest as (
    -- The newest look at the source, never the clock of a rebuild: the same data gives the same rows.
    select max(cast(timezone('UTC', observed_at) as date)) as observed_date
    from raw.articles
)

select
    article_id,  -- path of the file below the source; raw.articles has its texts and addresses
    story_url,  -- canonical address of originalUrl, else webUrl; http and https are the same story
    collection,  -- first folder of the path, without a leading underscore
    category,  -- category, white space trimmed
    type,  -- article, video and the like
    title,  -- title as plain text
    provider,  -- lower-case domain without www., else the provider's name
    provider_name,  -- name this article gives its provider; staging.providers has the usual one
    published_at,  -- moment of publication
    published_date,  -- its date in UTC
    coalesce(published_date > newest.observed_date, false) as is_scheduled,  -- its day has not come yet: no trend counts it
    updated_at,  -- moment of the last update the file speaks of
    file_date,  -- date in the file name; in some files a day off published_date
    first_seen_at,  -- start of the run that first saw the article
    coalesce(is_published, true) and not coalesce(is_removed, false) as is_live,  -- published unless said otherwise, and not removed
    is_published,  -- published as typed: a ranking cut, null when absent
    is_removed,  -- removed as typed, null when absent
    quality,  -- editorial score, 0 or more, no upper bound
    heat,  -- quality plus a temporary bump, null when not measured
    heat - quality as heat_bump,  -- the bump alone, null unless both are measured
from articles
cross join newest
order by article_id
