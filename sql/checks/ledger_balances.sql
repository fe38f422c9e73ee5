-- The counts of the newest receipt do not add up, or are not those of the ledger: some file was lost or counted twice.
-- severity: error
with receipt as (
    select *
    from ops.runs
    where started_at = (select max(started_at) from ops.runs)
),

ledger as (
    select
        count(*) filter (status = 'loaded') as loaded,
        count(*) filter (status = 'quarantined') as quarantined,
        count(*) filter (status = 'excluded') as excluded,
    from ops.files
),

sums as (
    select 'seen = loaded + quarantined + excluded' as rule, seen as expected, loaded + quarantined + excluded as actual
    from receipt
    union all
    select 'seen = new + changed + unchanged + renamed', seen, new + changed + unchanged + renamed
    from receipt
    union all
    select 'loaded = files with status loaded', receipt.loaded, ledger.loaded
    from receipt
    cross join ledger
    union all
    select 'quarantined = files with status quarantined', receipt.quarantined, ledger.quarantined
    from receipt
    cross join ledger
    union all
    select 'excluded = files with status excluded', receipt.excluded, ledger.excluded
    from receipt
    cross join ledger
)

select rule, expected, actual
from sums
where expected is distinct from actual
order by rule
