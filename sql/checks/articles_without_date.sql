-- No article has a date, so every trend is empty: say in matterhouse.yaml which key holds it, as `columns: {published_at: [KEY]}`; keys that hold dates are listed.
-- severity: warn
with missing as (
    select count(*) as articles
    from raw.articles
    having count(*) > 0 and count(published_at) = 0
)

select
    candidates.key,
    count(candidates.key) as articles,
    round(count(candidates.key) / any_value(missing.articles), 3) as share,
from missing
left join unmapped_values((select count(*) > 0 from missing)) as candidates on regexp_matches(candidates.value ->> '$', '\d{4}[-/]\d\d?[-/]\d\d?')
group by candidates.key
order by count(candidates.key) desc, candidates.key
limit 5
