-- No article has a provider, so the reports on providers are empty: say in matterhouse.yaml which key names it, as `columns: {provider_name: [KEY]}`; keys that hold texts are listed.
-- severity: warn
with counted as (
    select count(*) as articles, count(coalesce(provider_domain, provider_name)) as provided
    from raw.articles
),

keys as (
    select unnest(json_keys(extra)) as key, extra
    from raw.articles
),

candidates as (
    select key, count(*) as articles
    from keys
    where json_type(extra -> ('/' || replace(replace(key, '~', '~0'), '/', '~1'))) = 'VARCHAR'
    group by key
)

select
    candidates.key,
    candidates.articles,
    round(candidates.articles / counted.articles, 3) as share,
from counted
left join candidates on true
where counted.articles > 0 and counted.provided = 0
order by candidates.articles desc, candidates.key
limit 5
