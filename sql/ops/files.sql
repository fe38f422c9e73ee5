-- The ledger: what became of every file, and how to mend the ones that could not be loaded.
-- Grain: one row per path ever seen under the source
create table ops.files (
    path varchar,                  -- path below the source, with /
    status varchar,                -- loaded, quarantined, excluded or gone
    content_hash varchar,          -- hash of the bytes last read, null when never read
    size_bytes bigint,             -- size when last read
    mtime_ns bigint,               -- modification time when last read, ns since 1970
    ctime_ns bigint,               -- inode change time when last read, ns since 1970
    inode bigint,                  -- inode number when last read
    reason_code varchar,           -- why it is quarantined or excluded, as a short code; null when loaded
    reason varchar,                -- the same as a sentence
    line integer,                  -- line of the fault in the file, from 1
    "column" integer,              -- column of the fault, from 1, in characters
    hint varchar,                  -- what to change
    warnings struct(field varchar, code varchar, message varchar, line integer, hint varchar)[],  -- values that were set to null, with the reason
    first_seen_at timestamptz,     -- start of the refresh that first saw the path
    changed_at timestamptz,        -- start of the refresh that last saw new content or a new status
    gone_at timestamptz,           -- start of the refresh that missed the path, null while it is there
    run_id varchar,                -- ops.runs.run_id of the refresh that last read it
    parser_version integer,        -- version of the reader that judged it; a newer one reads quarantined files again
)
