-- Articles left the warehouse because their files no longer begin with front matter of ours: see what changed above it.
-- severity: warn
with newest_run as (
    select arg_max(run_id, started_at) as run_id
    from ops.runs
)

select
    files.path,
    files.reason_code,
    files.reason,
from ops.files
inner join newest_run on newest_run.run_id = files.run_id
inner join raw.article_versions as versions
    on versions.article_id = files.path
    and versions.run_id = files.run_id
    and versions.change = 'removed'
where files.status = 'excluded'
order by files.path
