-- Which articles does no trend, mean or mover count, and why?
-- Grain: one row per article that is not counted (article_id)
-- Reads: staging.articles
-- Note: few rows that seldom change, so that what counts topics need not be made again for a new score.
select
    article_id,  -- staging.articles.article_id
    if(is_draft, 'draft', if(translation_of is null, 'scheduled', 'translation')) as reason,  -- draft, scheduled, translation
from staging.articles
where not is_counted
order by article_id
