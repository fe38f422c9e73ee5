-- No article has a provider, so the reports on providers are empty: say in matterhouse.yaml which key names it, as `columns: {provider_name: [KEY]}`; keys that hold texts are listed.
-- severity: warn
with missing as (
    select count(*) as articles
    from raw.articles
    having count(*) > 0 and count(coalesce(provider_domain, provider_name)) = 0
)

select
    candidates.key,
    count(candidates.key) as articles,
    round(count(candidates.key) / any_value(missing.articles), 3) as share,
from missing
left join unmapped_values((select count(*) > 0 from missing)) as candidates on json_type(candidates.value) = 'VARCHAR'
group by candidates.key
order by count(candidates.key) desc, candidates.key
limit 5
