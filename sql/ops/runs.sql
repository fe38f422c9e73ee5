-- The receipts of the runs that made this warehouse.
-- Grain: one row per run that published; failed ones are in the .runs.jsonl file beside it (run_id)
create table ops.runs (
    run_id varchar,                -- start of the run in UTC to the microsecond; sorts by time
    started_at timestamptz,        -- start of the run
    finished_at timestamptz,       -- end of the checks
    source varchar,                -- what was read: an absolute path, or an address
    patterns varchar[],            -- globs of the files to read
    exclude varchar[],             -- globs of what was left out
    config varchar,                -- configuration that --config named, null for the one beside the content
    mapping varchar,               -- text of the configuration, null when there was none
    mapping_hash varchar,          -- hash of all that decides how front matter becomes rows; another one reads all files again
    time_zone varchar,             -- time zone of the site: its midnight begins days and periods
    language varchar,              -- language that the site is written in, null when nobody said so
    source_commit varchar,         -- commit of the source when it is a git work tree
    commits bigint,                -- commits since the last run that this one replayed, null when it looked for none
    past_quarantined map(varchar, bigint),  -- broken files in those commits by reason code; ops.past_quarantine names each
    tool_version varchar,          -- version of matterhouse
    sql_hash varchar,              -- hash of the SQL files that built the tables
    seen bigint,                   -- files that match the patterns = loaded + quarantined + excluded
    loaded bigint,                 -- files whose front matter is in the warehouse
    quarantined bigint,            -- files that could not be loaded, each with a reason
    excluded bigint,               -- files that match the patterns but hold no front matter of ours
    excluded_by map(varchar, bigint),  -- excluded files by reason code; ops.files names each
    ignored bigint,                -- files that match no pattern, are hidden or left by an editor
    new bigint,                    -- files not there at the last run, returned ones included
    changed bigint,                -- files whose bytes changed
    unchanged bigint,              -- files whose bytes did not change
    renamed bigint,                -- files that moved without a change of their bytes
    returned bigint,               -- of the new files, those that had been gone
    gone bigint,                   -- files that were there at the last run and are not now
    warnings bigint,               -- values of loaded files that did not fit their column
    failed_checks varchar[],       -- checks of severity warn that returned rows, a sentence each
    dropped_tables varchar[],      -- staging tables and marts whose SQL file is gone
    new_keys varchar[],            -- keys without a column that the run before did not have
    seconds map(varchar, double),  -- seconds per stage
    table_rows map(varchar, bigint),  -- rows per table after the run
    uncounted map(varchar, bigint),  -- articles that no trend counts, by reason: draft, scheduled, translation
    message varchar,               -- what the run amounts to, in one sentence
)
