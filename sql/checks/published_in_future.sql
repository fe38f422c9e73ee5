-- An article is dated more than a day after this refresh: a typing error, and every "last 28 days" counts from it.
-- severity: warn
select article_id, published_at
from raw.articles
where
    -- A day of grace for clocks and zones.
    published_at > (select max(started_at) from ops.runs) + interval 1 day
order by article_id
