-- No article has a topic, so the reports on topics are empty: say in matterhouse.yaml which key lists them, as `columns: {topics: [KEY]}`; keys that hold lists are listed.
-- severity: warn
with counted as (
    select count(*) as articles
    from raw.articles
),

keys as (
    select unnest(json_keys(extra)) as key, extra
    from raw.articles
),

candidates as (
    select key, count(*) as articles
    from keys
    where json_type(extra -> ('/' || replace(replace(key, '~', '~0'), '/', '~1'))) = 'ARRAY'
    group by key
)

select
    candidates.key,
    candidates.articles,
    round(candidates.articles / counted.articles, 3) as share,
from counted
left join candidates on true
where counted.articles > 0 and not exists (select 1 from raw.article_topics)
order by candidates.articles desc, candidates.key
limit 5
