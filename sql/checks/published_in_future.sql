-- An article is dated more than a day after this run: it is loaded, and no trend counts it until its day has come.
-- severity: warn
select article_id, published_at
from raw.articles
where
    -- A day of grace for clocks and zones.
    published_at > (select max(started_at) from ops.runs) + interval 1 day
order by article_id
