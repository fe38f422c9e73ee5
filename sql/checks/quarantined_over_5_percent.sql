-- More than one file in twenty could not be loaded: look at their reasons and hints.
-- severity: warn
select path, line, reason, hint
from ops.files
where
    status = 'quarantined'
    and (select avg(if(status = 'quarantined', 1, 0)) from ops.files where status <> 'gone') > 0.05
order by path
