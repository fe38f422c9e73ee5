-- Which stories appear on several paths or came through several providers, who was first, and who scored best?
-- Grain: one row per story address that an article has or had (story_url)
-- Key: story_url
-- Reads: staging.other_urls, staging.story_articles
-- Note: an article can change its address (one press release, many providers): both addresses are rows then, the
-- earlier with is_current false, and name each other in other_urls. Of an article, its newest state there counts.
with others as (
    select
        story_url,
        list(
            {'story_url': other_url, 'provider': provider, 'quality': quality, 'first_seen_at': first_seen_at}
            order by first_seen_at, other_url, provider, quality
        ) as other_urls,
    from staging.other_urls
    group by story_url
),

stories as (
    select
        story_url,
        bool_or(is_current) as is_current,
        count(*) filter (is_current) as articles,
        list_sort(list(article_id) filter (is_current)) as article_ids,
        min(published_at) as first_published_at,
        min({'at': first_seen_at, 'commit': commit}) as first_seen,
        count(distinct provider) as providers,
        count(quality) as scored_articles,
        min(quality) as quality_min,
        max(quality) as quality_max,
        -- Sorted afterwards: `list(… order by …)` keeps a sorter for every group.
        list_sort(list({
            'published_at': coalesce(published_at, 'infinity'), 'first_seen_at': first_seen_at,
            'origin_id': origin_id, 'provider': provider, 'title': title, 'quality': quality
        })) as ranked,
    from staging.story_articles
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
    coalesce(others.other_urls, []) as other_urls,  -- other addresses that one of its articles had or has, with provider and score, first seen first
    stories.scored_articles,  -- articles with a quality, past ones too, each as it was last seen at this address
    list_filter(ranked, lambda article: article.quality is not null)[1].quality as first_quality,  -- quality of the first scored one
    stories.quality_min,  -- lowest quality of scored_articles
    stories.quality_max,  -- highest quality of scored_articles
    stories.quality_max - stories.quality_min as quality_range,  -- how far apart the articles are scored
    list_transform(ranked, lambda article: {'provider': article.provider, 'quality': article.quality}) as scores,  -- provider and quality of every article, past ones too, first one first
from stories
left join others on others.story_url = stories.story_url
order by stories.story_url
