-- Articles left the warehouse because their files no longer begin with front matter of ours: see what changed above it.
-- severity: warn
with excluded as (
    select run_id, path, reason_code, reason
    from ops.files
    where status = 'excluded' and run_id = (select arg_max(run_id, started_at) from ops.runs)
),

-- What earlier runs knew: an article that came and went in commits of the past is no loss.
known as (
    select versions.article_id, arg_max(versions.change, versions.observed_at) as change
    from raw.article_versions as versions
    inner join excluded on excluded.path = versions.article_id and excluded.run_id <> versions.run_id
    group by versions.article_id
)

select
    excluded.path,
    excluded.reason_code,
    excluded.reason,
from excluded
inner join known on known.article_id = excluded.path
where known.change <> 'removed'
order by excluded.path
