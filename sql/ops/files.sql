-- The ledger: what became of every file, and how to fix the ones that could not be loaded.
-- Grain: one row per path ever seen under the source (path)
create table ops.files (
    path varchar,                  -- path below the source, with /
    collection varchar,            -- first folder of the path, without a leading underscore
    file_date date,                -- date at the start of the file name
    status varchar,                -- loaded, quarantined, excluded or gone
    content_hash varchar,          -- hash of the bytes last read, null when never read
    size_bytes bigint,             -- size when last read
    mark varchar,                  -- what the source said when last read: while it says so again, the bytes are the same
    reason_code varchar,           -- why it is quarantined or excluded, as a short code; null when loaded
    reason varchar,                -- the same as a sentence
    line integer,                  -- line of the fault in the file, from 1
    "column" integer,              -- column of the fault, from 1, in characters
    hint varchar,                  -- what to change
    first_seen_at timestamptz,     -- start of the run that first saw the path
    changed_at timestamptz,        -- start of the run that last saw new content or a new status
    gone_at timestamptz,           -- start of the run that missed the path, null while it is there
    run_id varchar,                -- ops.runs.run_id of the run that last read it
    parser_version integer,        -- version of the reader that judged it; a newer one reads quarantined files again
)
