-- No article has a date, so every trend is empty: say in matterhouse.yaml which key holds it, as `columns: {published_at: [KEY]}`; keys that hold dates are listed.
-- severity: warn
with counted as (
    select count(*) as articles, count(published_at) as dated
    from raw.articles
),

keys as (
    select unnest(json_keys(extra)) as key, extra
    from raw.articles
),

candidates as (
    select key, count(*) as articles
    from keys
    where regexp_matches(extra ->> ('/' || replace(replace(key, '~', '~0'), '/', '~1')), '\d{4}[-/]\d\d?[-/]\d\d?')
    group by key
)

select
    candidates.key,
    candidates.articles,
    round(candidates.articles / counted.articles, 3) as share,
from counted
left join candidates on true
where counted.articles > 0 and counted.dated = 0
order by candidates.articles desc, candidates.key
limit 5
