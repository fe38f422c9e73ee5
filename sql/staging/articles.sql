-- Which articles are there, with clean names, one clock and one address per story?
-- Grain: one row per loaded article (article_id)
-- Key: article_id
-- Reads: raw.articles, staging.clock, staging.translations
-- Note: whatever counts articles, counts those that are counted (is_counted). An article without published is
-- live; heat -1 (not measured) is null here; one story can be several articles: count distinct story_url.
with articles as (
    select
        articles.article_id,
        clean_text(collection) as collection,
        clean_text(category) as category,
        clean_text(type) as type,
        coalesce(translations.language, clock.language) as language,
        translations.translation_of,
        nullif(title_text, '') as title,
        canonical_url(coalesce(nullif(trim(original_url), ''), web_url)) as story_url,
        provider_key(provider_domain, provider_name) as provider,
        clean_name(provider_name) as provider_name,
        published_at,
        -- A stored date makes every trend several times faster than cutting timestamps there.
        day_in(clock.time_zone, published_at) as published_date,
        coalesce(published_date >= clock.next_date, false) as is_scheduled,
        -- Its last day lasts: 5 May 23:59 is over on the 6th, 5 May 0:00 on the 5th.
        day_in(clock.time_zone, expires_at - interval 1 microsecond + interval 1 day) as expired_date,
        coalesce(expired_date < clock.next_date, expired_date is not null) as is_expired,
        updated_at,
        expires_at,
        file_date,
        coalesce(is_draft, false) or is_draft_path(articles.article_id) as is_draft,
        is_published,
        is_removed,
        -- The difference of two numbers of 32 bits needs more.
        cast(quality as bigint) as quality,
        cast(nullif(heat, -1) as bigint) as heat,
        first_seen_at,
    from raw.articles
    left join staging.translations on translations.article_id = articles.article_id
    cross join staging.clock
),

reasons as (
    select
        *,
        case
            when is_removed then 'removed'
            when is_draft then 'draft'
            when not is_published then 'unpublished'
            when is_scheduled then 'scheduled'
            when is_expired then 'expired'
        end as not_live_reason,
    from articles
)

select
    article_id,  -- path of the file below the source; raw.articles has its texts and addresses
    story_url,  -- canonical address of originalUrl, else webUrl; http and https are the same story
    collection,  -- first folder of the path, without a leading underscore
    category,  -- category, white space trimmed
    type,  -- article, video and the like
    language,  -- as front matter says, else the path, else that of the site; in small letters, as pt-br
    translation_of,  -- article_id of the article that is counted for all of its translations, null for that one
    title,  -- title as plain text
    provider,  -- lower-case domain without www., else the provider's name
    provider_name,  -- name this article gives its provider; staging.providers has the usual one
    published_at,  -- moment of publication
    published_date,  -- its day in the time zone of the site
    is_scheduled,  -- its day has not come yet
    updated_at,  -- moment of the last update the file speaks of
    expires_at,  -- moment from which on the site shows it no longer, null when it stays
    file_date,  -- date in the file name; in some files a day off published_date
    first_seen_at,  -- start of the run that first saw the article
    not (is_draft or is_scheduled) and translation_of is null as is_counted,  -- trends, means and movers count it: no draft, no translation, and its day has come
    not_live_reason is null as is_live,  -- readers can see it: nothing says otherwise
    not_live_reason,  -- the first that holds: removed, draft, unpublished (a ranking cut), scheduled, expired; null when live
    is_draft,  -- its site keeps it back: a draft, hidden, private or unlisted
    is_published,  -- published as typed: a ranking cut, null when absent
    is_removed,  -- removed as typed, null when absent
    quality,  -- editorial score, 0 or more, no upper bound
    heat,  -- quality plus a temporary bump, null when not measured
    heat - quality as heat_bump,  -- the bump alone, null unless both are measured
from reasons
order by article_id
