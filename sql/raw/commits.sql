-- The commits of the source's repository that touched its content, along first parents.
-- Grain: one row per commit (commit)
create table raw.commits (
    commit varchar,                -- id of the commit
    committed_at timestamptz,      -- its committer's time, as written
    observed_at timestamptz,       -- the same, unless it contradicts the order of commits or what a run had looked at
    run_id varchar,                -- ops.runs.run_id of the run that read it
    files bigint,                  -- content files that it added, changed or removed
)
