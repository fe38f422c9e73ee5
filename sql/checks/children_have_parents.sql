-- A topic, image or related item belongs to an article that is not there: an article left without what hangs on it.
-- severity: error
with children as (
    select 'raw.article_topics' as table_name, article_id from raw.article_topics
    union all
    select 'raw.article_images', article_id from raw.article_images
    union all
    select 'raw.provider_images', article_id from raw.provider_images
    union all
    select 'raw.related_articles', article_id from raw.related_articles
    union all
    select 'staging.article_topics', article_id from staging.article_topics
)

select children.table_name, children.article_id, count(*) as rows
from children
anti join raw.articles on articles.article_id = children.article_id
group by children.table_name, children.article_id
order by children.table_name, children.article_id
