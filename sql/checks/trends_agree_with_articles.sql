-- A trend table does not add up to the articles it is made of: do not trust its totals.
-- severity: error
with grains as (
    select unnest(periods_of(date '2000-01-01')).time_grain as time_grain
),

articles as (
    select
        count(*) as dated,
        count(provider) as with_provider,
        count(*) filter (article_id in (select article_id from staging.article_topics)) as with_topic,
    from staging.articles
    where published_date is not null and is_counted
),

topics as (
    select count(*) as listed
    from staging.article_topics
    inner join staging.articles on articles.article_id = article_topics.article_id
    where articles.published_date is not null and articles.is_counted
),

totals as (
    select 'marts.topic_trends' as table_name, time_grain, 'articles' as total, sum(articles) as actual
    from marts.topic_trends
    group by time_grain
    union all
    select 'marts.topic_trends', time_grain, 'fractional_articles', round(sum(fractional_articles), 3)
    from marts.topic_trends
    group by time_grain
    union all
    select 'marts.provider_trends', time_grain, 'articles', sum(articles)
    from marts.provider_trends
    group by time_grain
    union all
    select 'marts.quality_trends', time_grain, 'articles', sum(articles)
    from marts.quality_trends
    group by time_grain
),

expectations as (
    select 'marts.topic_trends' as table_name, 'articles' as total, listed as expected
    from topics
    union all
    select 'marts.topic_trends', 'fractional_articles', with_topic
    from articles
    union all
    select 'marts.provider_trends', 'articles', with_provider
    from articles
    union all
    select 'marts.quality_trends', 'articles', dated
    from articles
)

select expectations.table_name, grains.time_grain, expectations.total, expectations.expected, coalesce(totals.actual, 0) as actual
from expectations
cross join grains
left join totals
    on totals.table_name = expectations.table_name
    and totals.time_grain = grains.time_grain
    and totals.total = expectations.total
where expectations.expected <> coalesce(totals.actual, 0)
order by expectations.table_name, grains.time_grain, expectations.total
