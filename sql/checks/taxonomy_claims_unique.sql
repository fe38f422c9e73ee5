-- Two topic or organisation files claim the same _id or name: only the one with the lower path counts.
-- severity: warn
with claims as (
    select kind, '_id' as claim, lower(clean_text(term_id)) as value, path
    from raw.taxonomy
    union all
    select kind, 'name', lower(clean_text(name)), path
    from raw.taxonomy
)

select kind, claim, value, list(path order by path) as paths
from claims
where value is not null
group by kind, claim, value
having count(*) > 1
order by kind, claim, value
