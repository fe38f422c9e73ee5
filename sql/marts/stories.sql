-- Which stories appear on several paths or came through several providers, who was first, and who scored best?
-- Grain: one row per story address that an article has or had (story_url)
-- Reads: staging.article_versions, staging.articles
-- Note: an article can change its address (one press release, many providers): both addresses are rows then, the
-- earlier with is_current false, and name each other in other_urls. Of an article, its newest state there counts.
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
    where articles.is_counted
    union all
    select story_url, origin_id, article_id, provider, title, quality, published_at, valid_from, commit, false
    from staging.article_versions
    where is_loaded and valid_to is not null and not is_draft
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
    where story_url is not null
    group by story_url, origin_id
),

other_urls as (
    select
        one.story_url,
        list(
            {
                'story_url': other.story_url, 'provider': other.newest.provider,
                'quality': other.newest.quality, 'first_seen_at': other.first_seen['at']
            }
            order by other.first_seen['at'], other.story_url, other.newest.provider, other.newest.quality
        ) as other_urls,
    from story_articles as one
    inner join story_articles as other on other.origin_id = one.origin_id and other.story_url <> one.story_url
    group by one.story_url
),

stories as (
    select
        story_url,
        bool_or(is_current) as is_current,
        count(*) filter (is_current) as articles,
        list_sort(list(newest.article_id) filter (is_current)) as article_ids,
        min(newest.published_at) as first_published_at,
        min(first_seen) as first_seen,
        count(distinct newest.provider) as providers,
        count(newest.quality) as scored_articles,
        min(newest.quality) as quality_min,
        max(newest.quality) as quality_max,
        -- Sorted afterwards: `list(… order by …)` keeps a sorter for every group.
        list_sort(list({
            'published_at': coalesce(newest.published_at, 'infinity'), 'first_seen_at': first_seen['at'],
            'origin_id': origin_id, 'provider': newest.provider, 'title': newest.title, 'quality': newest.quality
        })) as ranked,
    from story_articles
    group by story_url
)

select
    stories.story_url,  -- canonical address
    list_filter(ranked, lambda article: article.title is not null)[1].title as title,  -- title where it was first
    stories.is_current,  -- an article has this address now
    stories.articles,  -- articles (paths) that have it now
    coalesce(stories.article_ids, []) as article_ids,  -- their paths
    stories.providers,  -- distinct providers of this address, each article counted as it was last seen there
    list_filter(ranked, lambda article: article.provider is not null)[1].provider as first_provider,  -- the one that published it first, by published_at, else by when it was first seen
    stories.first_published_at,  -- earliest publication among its articles, past ones too
    stories.first_seen['at'] as first_seen_at,  -- time of its first commit, or start of the run that first saw it
    stories.first_seen['commit'] as commit,  -- the commit that brought it, null if a run saw it on disk first
    coalesce(other_urls.other_urls, []) as other_urls,  -- other addresses that one of its articles had or has, with provider and score, first seen first
    stories.scored_articles,  -- articles with a quality, past ones too, each as it was last seen at this address
    list_filter(ranked, lambda article: article.quality is not null)[1].quality as first_quality,  -- quality of the first scored one
    stories.quality_min,  -- lowest quality of scored_articles
    stories.quality_max,  -- highest quality of scored_articles
    stories.quality_max - stories.quality_min as quality_range,  -- how far apart the articles are scored
    list_transform(ranked, lambda article: {'provider': article.provider, 'quality': article.quality}) as scores,  -- provider and quality of every article, past ones too, first one first
from stories
left join other_urls on other_urls.story_url = stories.story_url
order by stories.story_url
