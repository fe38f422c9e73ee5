-- A secret key (`secured`, `password`) reached a table: what is below it must never be stored.
-- severity: error
with extras as (
    select 'raw.articles' as table_name, article_id as path, extra from raw.articles
    union all
    select 'raw.article_images', article_id, extra from raw.article_images
    union all
    select 'raw.provider_images', article_id, extra from raw.provider_images
    union all
    select 'raw.related_articles', article_id, extra from raw.related_articles
    union all
    select 'raw.terms', path, extra from raw.terms
),

found as (
    select table_name, path
    from extras
    -- A quote inside a JSON string is escaped, so this matches keys only, at any depth.
    where regexp_matches(cast(extra as varchar), '(?i)"(secured|password)"\s*:')
    union all
    select schema_name || '.' || table_name, 'the whole column ' || column_name
    from duckdb_columns()
    where database_name = current_database() and lower(column_name) in ('secured', 'password')
)

select table_name, path
from found
order by table_name, path
