-- An average quality lies outside the smallest and largest quality it was made of, or the percentiles are out of order.
-- severity: error
with topics as (
    select article_topics.topic, min(articles.quality) as lowest, max(articles.quality) as highest
    from staging.article_topics
    inner join staging.articles on articles.article_id = article_topics.article_id
    group by article_topics.topic
),

providers as (
    select provider, min(quality) as lowest, max(quality) as highest
    from staging.articles
    group by provider
),

pairs as (
    select
        coalesce(category, '(none)') as category,
        coalesce(type, '(none)') as type,
        min(quality) as lowest,
        max(quality) as highest,
    from staging.articles
    group by all
),

averages as (
    select
        'marts.topic_trends' as table_name, topic_trends.topic as key, time_grain, period_start,
        quality_mean, quality_p10, quality_median, quality_p90, lowest, highest,
    from marts.topic_trends
    inner join topics on topics.topic = topic_trends.topic
    union all
    select
        'marts.provider_trends', provider_trends.provider, time_grain, period_start,
        quality_mean, quality_p10, quality_median, quality_p90, lowest, highest,
    from marts.provider_trends
    inner join providers on providers.provider = provider_trends.provider
    union all
    select
        'marts.quality_trends', quality_trends.category || ' · ' || quality_trends.type, time_grain, period_start,
        quality_mean, quality_p10, quality_median, quality_p90, lowest, highest,
    from marts.quality_trends
    inner join pairs on pairs.category = quality_trends.category and pairs.type = quality_trends.type
)

select *
from averages
where
    quality_mean not between lowest and highest
    or quality_p10 < lowest
    or quality_p90 > highest
    or quality_median not between quality_p10 and quality_p90
order by table_name, key, time_grain, period_start
