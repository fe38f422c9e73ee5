-- More than half of the files could not be loaded: most likely the source or its format changed, so the last good warehouse stays.
-- severity: error
select path, line, reason, hint
from ops.files
where
    status = 'quarantined'
    and (select avg(if(status = 'quarantined', 1, 0)) from ops.files where status <> 'gone') > 0.5
order by path
