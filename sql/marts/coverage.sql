-- Where does the front matter have gaps: what is missing, warned about or quarantined, and since when?
-- Grain: one row per collection and period with a file (collection, time_grain, period_start)
-- Reads: marts.articles, ops.files, staging.articles
-- Note: filter on one time_grain. The period is that of publication, else of the date in the file name, else of
-- the first run that saw the file, so undated and quarantined files are here too.
with files as (
    select
        coalesce(articles.collection, '(none)') as collection,
        coalesce(articles.published_date, file_date, cast(timezone('UTC', articles.first_seen_at) as date)) as day,
        true as is_article,
        articles.title is null as no_title,
        coalesce(trim(excerpt), '') = '' as no_excerpt,
        articles.published_date is null as no_date,
        articles.quality is null as no_quality,
        articles.provider is null as no_provider,
        len(topics) = 0 as no_topics,
        images = 0 as no_images,
        warnings,
    from marts.articles
    inner join staging.articles as dated on dated.article_id = articles.article_id
    union all by name
    select
        coalesce(collection, '(none)') as collection,
        coalesce(file_date, cast(timezone('UTC', first_seen_at) as date)) as day,
        false as is_article,
    from ops.files
    where status = 'quarantined'
),

periods as (
    select day, unnest(periods_of(day), recursive := true)
    from (select distinct day from files)
)

select
    files.collection,  -- first folder of the path without a leading underscore, (none) for files beside the folders
    periods.time_grain,  -- day, week, month, quarter or year
    periods.period_start,  -- first day of the period in UTC, Monday for weeks
    count(*) filter (is_article) as articles,  -- loaded articles
    count(*) filter (no_title) as missing_title,  -- articles without a title
    count(*) filter (no_excerpt) as missing_excerpt,  -- articles without an excerpt
    count(*) filter (no_date) as missing_date,  -- articles without publishedDateTime
    count(*) filter (no_quality) as missing_quality,  -- articles without a quality
    count(*) filter (no_provider) as missing_provider,  -- articles without a provider
    count(*) filter (no_topics) as missing_topics,  -- articles without a topic
    count(*) filter (no_images) as missing_images,  -- articles without an image
    cast(coalesce(sum(warnings), 0) as bigint) as warnings,  -- values of those articles set to null with a reason; ops.warnings names each
    count(*) filter (not is_article) as quarantined_files,  -- files that could not be loaded, on top of articles
from files
inner join periods on periods.day = files.day
group by files.collection, periods.time_grain, periods.period_start
order by files.collection, periods.time_grain, periods.period_start
