-- Which other addresses did the articles of a story have?
-- Grain: one row per story address, article and other address of this article (origin_id, story_url, other_url)
-- Key: origin_id
-- Reads: staging.story_articles
-- Note: each pair of addresses is there twice, once from each side; most articles keep the address they came with.
select
    one.origin_id,  -- the article through all its renames
    one.story_url,  -- canonical address
    other.story_url as other_url,  -- another canonical address that it has or had
    other.provider,  -- its provider under that one
    other.quality,  -- its editorial score under that one
    other.first_seen_at,  -- when it was first seen there
from staging.story_articles as one
inner join staging.story_articles as other on other.origin_id = one.origin_id and other.story_url <> one.story_url
