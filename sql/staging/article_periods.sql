-- In which periods does each article count?
-- Grain: one row per article with a date and time_grain (article_id, time_grain)
-- Key: article_id
-- Reads: staging.articles
-- Note: filter on one time_grain: there are five rows for each article. Only what is counted is here, so drafts are
-- not, and scheduled articles come in on their day. Every trend is made from here.
with periods as (
    select published_date, unnest(periods_of(published_date), recursive := true)
    from (select distinct published_date from staging.articles where is_counted)
)

select
    articles.article_id,  -- staging.articles.article_id
    periods.time_grain,  -- day, week, month, quarter or year
    periods.period_start,  -- first day of the period in the time zone of the site, Monday for weeks
    articles.published_date,  -- day of publication there
    coalesce(articles.collection, '(none)') as collection,  -- first folder of the path, (none) beside the folders
    coalesce(articles.category, '(none)') as category,  -- category, (none) when absent
    coalesce(articles.type, '(none)') as type,  -- article, video and the like, (none) when absent
    articles.provider,  -- lower-case domain without www., else the name
    articles.is_live,  -- readers can see it
    articles.quality,  -- editorial score
    articles.heat,  -- quality plus a temporary bump, null when not measured
    articles.heat_bump,  -- the bump alone, null unless both are measured
from staging.articles
inner join periods on periods.published_date = articles.published_date
where articles.is_counted
