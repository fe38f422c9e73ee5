-- Which articles of different providers tell the same story by their title, and who was first?
-- Grain: one row per pair of articles of two providers, at most seven days apart (article_id, later_article_id)
-- Reads: staging.articles, staging.title_pairs
-- Note: a likeness of titles, no proof: look at similarity, which begins at 0.6 and is 1 for the same words.
-- marts.stories goes by addresses, which are hardly ever shared.
select
    one.article_id,  -- the article that was published first
    later.article_id as later_article_id,  -- the one that followed
    one.provider,  -- provider of the first
    later.provider as later_provider,  -- provider of the one that followed
    one.title,  -- title of the first
    later.title as later_title,  -- title of the one that followed
    one.published_at,  -- publication of the first
    later.published_at as later_published_at,  -- publication of the one that followed
    round((epoch(later.published_at) - epoch(one.published_at)) / 86400, 2) as days_later,  -- days between them
    one.quality,  -- quality of the first
    later.quality as later_quality,  -- quality of the one that followed
    title_pairs.similarity,  -- words in both titles / words in either, without case, accents and punctuation
from staging.title_pairs
inner join staging.articles as one on one.article_id = title_pairs.article_id
inner join staging.articles as later on later.article_id = title_pairs.later_article_id
order by one.article_id, later.article_id
