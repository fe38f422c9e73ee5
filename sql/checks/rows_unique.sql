-- A table has two rows where its grain allows one: everything joined to it counts twice.
-- severity: error
with doubled as (
    select 'raw.articles' as table_name, article_id as key, count(*) as rows
    from raw.articles group by article_id having count(*) > 1
    union all
    select 'raw.article_topics', concat_ws(' · ', article_id, position), count(*)
    from raw.article_topics group by article_id, position having count(*) > 1
    union all
    select 'raw.article_images', concat_ws(' · ', article_id, position), count(*)
    from raw.article_images group by article_id, position having count(*) > 1
    union all
    select 'raw.provider_images', concat_ws(' · ', article_id, position), count(*)
    from raw.provider_images group by article_id, position having count(*) > 1
    union all
    select 'raw.related_articles', concat_ws(' · ', article_id, position), count(*)
    from raw.related_articles group by article_id, position having count(*) > 1
    union all
    select 'raw.article_versions', concat_ws(' · ', article_id, observed_at), count(*)
    from raw.article_versions group by article_id, observed_at having count(*) > 1
    union all
    select 'raw.commits', commit, count(*)
    from raw.commits group by commit having count(*) > 1
    union all
    select 'raw.terms', concat_ws(' · ', path, term_id), count(*)
    from raw.terms group by path, term_id having count(*) > 1
    union all
    select 'ops.files', path, count(*)
    from ops.files group by path having count(*) > 1
    union all
    select 'ops.runs', run_id, count(*)
    from ops.runs group by run_id having count(*) > 1
    union all
    select 'staging.articles', article_id, count(*)
    from staging.articles group by article_id having count(*) > 1
    union all
    select 'staging.article_topics', concat_ws(' · ', article_id, topic), count(*)
    from staging.article_topics group by article_id, topic having count(*) > 1
    union all
    select 'staging.article_periods', concat_ws(' · ', article_id, time_grain), count(*)
    from staging.article_periods group by article_id, time_grain having count(*) > 1
    union all
    select 'staging.topics', topic_key, count(*)
    from staging.topics group by topic_key having count(*) > 1
    union all
    select 'staging.providers', provider, count(*)
    from staging.providers group by provider having count(*) > 1
    union all
    select 'marts.articles', article_id, count(*)
    from marts.articles group by article_id having count(*) > 1
    union all
    select 'marts.similar_titles', concat_ws(' · ', article_id, later_article_id), count(*)
    from marts.similar_titles group by article_id, later_article_id having count(*) > 1
    union all
    select 'marts.topics', topic, count(*)
    from marts.topics group by topic having count(*) > 1
    union all
    select 'marts.providers', provider, count(*)
    from marts.providers group by provider having count(*) > 1
    union all
    select 'marts.topic_trends', concat_ws(' · ', topic, time_grain, period_start), count(*)
    from marts.topic_trends group by topic, time_grain, period_start having count(*) > 1
    union all
    select 'marts.provider_trends', concat_ws(' · ', provider, time_grain, period_start), count(*)
    from marts.provider_trends group by provider, time_grain, period_start having count(*) > 1
    union all
    select 'marts.quality_trends', concat_ws(' · ', category, type, time_grain, period_start), count(*)
    from marts.quality_trends group by category, type, time_grain, period_start having count(*) > 1
    union all
    select 'marts.topic_pairs', concat_ws(' · ', topic, other_topic), count(*)
    from marts.topic_pairs group by topic, other_topic having count(*) > 1
    union all
    select 'marts.topic_providers', concat_ws(' · ', topic, provider), count(*)
    from marts.topic_providers group by topic, provider having count(*) > 1
    union all
    select 'marts.related_providers', concat_ws(' · ', provider, related_provider), count(*)
    from marts.related_providers group by provider, related_provider having count(*) > 1
    union all
    select 'marts.stories', story_url, count(*)
    from marts.stories group by story_url having count(*) > 1
    union all
    select 'staging.quality_steps', concat_ws(' · ', origin_id, time_grain, period_start), count(*)
    from staging.quality_steps group by origin_id, time_grain, period_start having count(*) > 1
    union all
    select 'marts.quality_changes_by', concat_ws(' · ', dimension, member, time_grain, period_start), count(*)
    from marts.quality_changes_by group by dimension, member, time_grain, period_start having count(*) > 1
    union all
    select 'marts.quality_changes', concat_ws(' · ', time_grain, period_start), count(*)
    from marts.quality_changes group by time_grain, period_start having count(*) > 1
    union all
    select 'marts.coverage', concat_ws(' · ', collection, time_grain, period_start), count(*)
    from marts.coverage group by collection, time_grain, period_start having count(*) > 1
)

select table_name, key, rows
from doubled
order by table_name, key
