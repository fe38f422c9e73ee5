-- A file that the ledger calls loaded has no row, or a row has no loaded file: the ledger and the tables tell different stories.
-- severity: error
with loaded as (
    select path
    from ops.files
    where status = 'loaded'
),

stored as (
    select article_id as path, 'raw.articles' as table_name
    from raw.articles
    union all
    select path, 'raw.terms'
    from raw.terms
)

select
    coalesce(loaded.path, stored.path) as path,
    if(loaded.path is null, stored.table_name || ' has it, the ledger does not', 'the ledger has it, no table does') as fault,
from loaded
full join stored on stored.path = loaded.path
where loaded.path is null or stored.path is null
order by path
