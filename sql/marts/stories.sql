-- Which stories stand on several paths or went through several providers, who was first, who scored best?
-- Grain: one row per story address that an article has or had (story_url)
-- Reads: staging.article_versions, staging.articles
-- Note: a path can change its address (one press release, many providers): both addresses are rows then, the
-- earlier with is_current false, and name each other in other_urls.
with held as (
    select story_url, article_id, provider, quality, published_at, first_seen_at, title, true as is_current
    from staging.articles
    where story_url is not null
    union all
    select story_url, article_id, provider, quality, null, valid_from, title, false as is_current
    from staging.article_versions
    where
        story_url is not null
        and is_loaded
        -- A state that is the article's only one, as most are, says nothing that the article does not.
        and not (
            change = 'added'
            and valid_to is null
            and (article_id, valid_from) in (select article_id, first_seen_at from staging.articles)
        )
),

shared as (
    select story_url
    from held
    group by story_url
    having count(*) > 1
    union
    select story_url
    from held
    where article_id in (select article_id from held group by article_id having count(*) > 1)
),

-- One state of one path needs no grouping: most stories are nothing else, and this takes a third of the time.
lone as (
    select
        story_url,
        is_current,
        if(is_current, 1, 0) as articles,
        if(is_current, [article_id], []) as article_ids,
        nullif(provider, '') as first_provider,
        if(first_provider is null, 0, 1) as providers,
        published_at as first_published_at,
        first_seen_at,
        nullif(title, '') as title,
        if(quality is null, 0, 1) as scored_articles,
        quality as first_quality,
        quality as quality_min,
        quality as quality_max,
        [{'nth': 1::bigint, 'provider': first_provider, 'quality': quality}] as ranked,
    from held
    where story_url not in (select story_url from shared)
),

per_path as (
    select
        story_url,
        article_id,
        bool_or(held.is_current) as is_current,
        -- The article may be older than its address: history knows since when it has this one.
        coalesce(min(held.first_seen_at) filter (not held.is_current), min(held.first_seen_at)) as first_seen_at,
        min(published_at) as published_at,
        -- The state of today goes before the states of the past, the latest before earlier ones.
        arg_max(coalesce(provider, ''), (held.is_current, held.first_seen_at)) as provider,
        arg_max(coalesce(title, ''), (held.is_current, held.first_seen_at)) as title,
        arg_max(quality, (held.is_current, held.first_seen_at)) filter (quality is not null) as quality,
    from held
    where story_url in (select story_url from shared)
    group by story_url, article_id
),

ordered as (
    select
        *,
        row_number() over (
            partition by story_url
            order by published_at nulls last, first_seen_at, article_id
        ) as nth,
    from per_path
),

swaps as (
    select distinct
        one.story_url,
        other.story_url as other_url,
        nullif(other.provider, '') as provider,
        other.quality,
        other.first_seen_at,
    from per_path as one
    inner join per_path as other on other.article_id = one.article_id and other.story_url <> one.story_url
),

others as (
    select
        story_url,
        list({'story_url': other_url, 'provider': provider, 'quality': quality, 'first_seen_at': first_seen_at}
            order by first_seen_at, other_url, provider, quality) as other_urls,
    from swaps
    group by story_url
),

told as (
    select
        story_url,
        bool_or(is_current) as is_current,
        count(*) filter (is_current) as articles,
        coalesce(list(article_id order by article_id) filter (is_current), []) as article_ids,
        len(list_distinct(list(nullif(provider, '')))) as providers,
        min(published_at) as first_published_at,
        min(first_seen_at) as first_seen_at,
        arg_min(nullif(provider, ''), nth) as first_provider,
        arg_min(nullif(title, ''), nth) as title,
        count(quality) as scored_articles,
        arg_min(quality, nth) filter (quality is not null) as first_quality,
        min(quality) as quality_min,
        max(quality) as quality_max,
        -- Sorted afterwards: `list(… order by …)` keeps a sorter for every group.
        list_sort(list({'nth': nth, 'provider': nullif(provider, ''), 'quality': quality})) as ranked,
    from ordered
    group by story_url
)

select
    told.story_url,  -- canonical address
    told.title,  -- title where it was first
    told.is_current,  -- an article has this address now
    told.articles,  -- articles (paths) that have it now
    told.article_ids,  -- their paths
    told.providers,  -- distinct providers of this address
    told.first_provider,  -- the one that published it first, by published_at, else by when it was first seen
    told.first_published_at,  -- earliest publication among its articles
    told.first_seen_at,  -- start of the refresh that first saw it
    coalesce(others.other_urls, []) as other_urls,  -- other addresses that one of its paths had or has, with outlet and score, first seen first
    told.scored_articles,  -- paths with a quality, past ones too
    told.first_quality,  -- quality of the first scored one
    told.quality_min,  -- lowest quality
    told.quality_max,  -- highest quality
    told.quality_max - told.quality_min as quality_range,  -- how far apart the providers are scored
    list_transform(told.ranked, lambda path: {'provider': path.provider, 'quality': path.quality}) as scores,  -- provider and quality of every path, first one first
from (from told union all by name from lone) as told
left join others on others.story_url = told.story_url
order by told.story_url
