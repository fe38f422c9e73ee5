-- Where does the front matter have gaps: what is missing, warned about or quarantined, and since when?
-- Grain: one row per collection, time_grain and period with a file
-- Reads: ops.files, ops.warnings, raw.article_images, raw.articles, staging.article_topics, staging.articles
-- Note: filter on one time_grain. The period is that of publication, else of the date in the file name, else of
-- the first run that saw the file, so undated and quarantined files are here too.
with file_warnings as (
    select path, count(*) as warnings
    from ops.warnings
    group by path
),

articles as (
    select
        coalesce(articles.collection, '(none)') as collection,
        coalesce(
            articles.published_date,
            articles.file_date,
            cast(timezone('UTC', articles.first_seen_at) as date)
        ) as day,
        1 as articles,
        0 as quarantined_files,
        coalesce(file_warnings.warnings, 0) as warnings,
        articles.title is null as no_title,
        coalesce(trim(typed.excerpt_text), '') = '' as no_excerpt,
        articles.published_date is null as no_date,
        articles.quality is null as no_quality,
        articles.provider is null as no_provider,
        articles.article_id not in (select article_id from staging.article_topics) as no_topics,
        articles.article_id not in (select article_id from raw.article_images) as no_images,
    from staging.articles
    inner join raw.articles as typed on typed.article_id = articles.article_id
    left join file_warnings on file_warnings.path = articles.article_id
),

quarantined as (
    select
        coalesce(collection, '(none)') as collection,
        coalesce(file_date, cast(timezone('UTC', first_seen_at) as date)) as day,
        1 as quarantined_files,
    from ops.files
    where status = 'quarantined'
),

dated as (
    select * from articles where day is not null
    union all by name
    select * from quarantined where day is not null
),

periods as (
    select day, unnest(periods_of(day), recursive := true)
    from (select distinct day from dated)
),

counted as (
    select
        dated.collection,
        periods.time_grain,
        periods.period_start,
        count(dated.articles) as articles,
        count(*) filter (dated.no_title) as missing_title,
        count(*) filter (dated.no_excerpt) as missing_excerpt,
        count(*) filter (dated.no_date) as missing_date,
        count(*) filter (dated.no_quality) as missing_quality,
        count(*) filter (dated.no_provider) as missing_provider,
        count(*) filter (dated.no_topics) as missing_topics,
        count(*) filter (dated.no_images) as missing_images,
        sum(dated.warnings) as warnings,
        sum(dated.quarantined_files) as quarantined_files,
    from dated
    inner join periods on periods.day = dated.day
    group by dated.collection, periods.time_grain, periods.period_start
)

select
    collection,  -- first folder of the path without a leading underscore, (none) for files beside the folders
    time_grain,  -- day, week, month, quarter or year
    period_start,  -- first day of the period in UTC, Monday for weeks
    articles,  -- loaded articles
    missing_title,  -- articles without a title
    missing_excerpt,  -- articles without an excerpt
    missing_date,  -- articles without publishedDateTime
    missing_quality,  -- articles without a quality
    missing_provider,  -- articles without a provider
    missing_topics,  -- articles without a topic
    missing_images,  -- articles without an image
    cast(coalesce(warnings, 0) as bigint) as warnings,  -- values of those articles set to null with a reason; ops.warnings names each
    cast(coalesce(quarantined_files, 0) as bigint) as quarantined_files,  -- files that could not be loaded, on top of articles
from counted
order by collection, time_grain, period_start
