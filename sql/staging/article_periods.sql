-- In which periods does each article count?
-- Grain: one row per article with a date and time_grain (article_id, time_grain)
-- Reads: staging.articles
-- Note: filter on one time_grain: there are five rows for each article. Scheduled articles come in when their
-- day has come. Every trend is counted from here; join staging.article_topics for other cuts.
with periods as (
    select published_date, unnest(periods_of(published_date), recursive := true)
    from (select distinct published_date from staging.articles where not is_scheduled)
)

select
    articles.article_id,  -- staging.articles.article_id
    periods.time_grain,  -- day, week, month, quarter or year
    periods.period_start,  -- first day of the period in UTC, Monday for weeks
    articles.published_date,  -- date of publication in UTC
    coalesce(articles.collection, '(none)') as collection,  -- first folder of the path, (none) beside the folders
    coalesce(articles.category, '(none)') as category,  -- category, (none) when absent
    coalesce(articles.type, '(none)') as type,  -- article, video and the like, (none) when absent
    articles.provider,  -- lower-case domain without www., else the name
    articles.is_live,  -- published unless said otherwise, and not removed
    articles.quality,  -- editorial score
    articles.heat,  -- quality plus a temporary bump, null when not measured
    articles.heat_bump,  -- the bump alone, null unless both are measured
from staging.articles
inner join periods on periods.published_date = articles.published_date
where not articles.is_scheduled
