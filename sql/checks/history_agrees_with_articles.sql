-- The newest state in the history of an article is not the article as it is loaded: some change was not recorded.
-- severity: warn
with history as (
    select *
    from staging.article_versions
    where valid_to is null and is_loaded
)

select
    coalesce(articles.article_id, history.article_id) as article_id,
    articles.quality,
    history.quality as history_quality,
    articles.heat,
    history.heat as history_heat,
from staging.articles
full join history on history.article_id = articles.article_id
where
    articles.article_id is null
    or history.article_id is null
    or articles.quality is distinct from history.quality
    or articles.heat is distinct from history.heat
    or articles.is_published is distinct from history.is_published
order by article_id
