-- The newest state in the history of an article is not the article as it is loaded: some change was not recorded.
-- severity: warn
with history as (
    select *
    from staging.article_versions
    where valid_to is null and is_loaded
),

differences as (
    select
        coalesce(articles.article_id, history.article_id) as article_id,
        case
            when articles.article_id is null then ['the article is gone']
            when history.article_id is null then ['it has no history']
            else list_filter(
                [
                    if(articles.quality is distinct from history.quality, 'quality', null),
                    if(articles.heat is distinct from history.heat, 'heat', null),
                    if(articles.title is distinct from history.title, 'title', null),
                    if(articles.story_url is distinct from history.story_url, 'story_url', null),
                    if(articles.provider is distinct from history.provider, 'provider', null),
                    if(articles.published_at is distinct from history.published_at, 'published_at', null),
                    if(articles.category is distinct from history.category, 'category', null),
                    if(articles.type is distinct from history.type, 'type', null),
                    if(articles.is_draft is distinct from history.is_draft, 'is_draft', null),
                    if(articles.is_published is distinct from history.is_published, 'is_published', null),
                    if(articles.is_removed is distinct from history.is_removed, 'is_removed', null)
                ],
                lambda difference: difference is not null
            )
        end as differences,
    from staging.articles
    full join history on history.article_id = articles.article_id
)

select article_id, differences
from differences
where len(differences) > 0
order by article_id
