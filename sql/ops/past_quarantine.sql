-- Files of past commits that could not be loaded: they make no version, and end the state before.
-- Grain: one row per path and commit that brought a broken file (path, commit)
create table ops.past_quarantine (
    path varchar,                  -- path below the source, with /
    commit varchar,                -- id of the commit
    observed_at timestamptz,       -- raw.commits.observed_at of that commit
    reason_code varchar,           -- why it could not be loaded, as a short code
    reason varchar,                -- the same as a sentence
    line integer,                  -- line of the fault in the file, from 1
    "column" integer,              -- column of the fault, from 1, in characters
    hint varchar,                  -- what would have had to be changed
    run_id varchar,                -- ops.runs.run_id of the run that read the commit
)
