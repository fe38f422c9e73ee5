-- Values of loaded files that did not fit their column, and what to write instead.
-- Grain: one row per warning; a file in the order of its values
create table ops.warnings (
    path varchar,                  -- ops.files.path of the file
    field varchar,                 -- the value's key with those above it, list positions from 1: images[2].width
    code varchar,                  -- what is wrong, as a short code
    message varchar,               -- the same as a sentence, with the value as typed
    line integer,                  -- line of the value in the file, from 1
    hint varchar,                  -- what to change
)
