-- No article has a topic, so the reports on topics are empty: say in matterhouse.yaml which key lists them, as `columns: {topics: [KEY]}`; keys that hold lists are listed.
-- severity: warn
with missing as (
    select count(*) as articles
    from raw.articles
    having count(*) > 0 and not exists (from raw.article_topics)
)

select
    candidates.key,
    count(candidates.key) as articles,
    round(count(candidates.key) / any_value(missing.articles), 3) as share,
from missing
left join unmapped_values((select count(*) > 0 from missing)) as candidates on json_type(candidates.value) = 'ARRAY'
group by candidates.key
order by count(candidates.key) desc, candidates.key
limit 5
