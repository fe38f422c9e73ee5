-- Two topic or organisation files claim the same _id, or one name under two: only the file with the lower path counts.
-- severity: warn
with terms as (
    select kind, lower(clean_text(term_id)) as id, lower(clean_text(name)) as name, path
    from raw.terms
    -- Sites in several languages describe everything once in each.
    where is_inferred is not true
),

claims as (
    select kind, '_id' as claim, id as value, list(path order by path) as paths
    from terms
    group by kind, id
    having count(*) > 1
    union all
    select kind, 'name', name, list(path order by path)
    from terms
    group by kind, name
    having count(distinct coalesce(id, path)) > 1
)

select kind, claim, value, paths
from claims
where value is not null
order by kind, claim, value
