-- Which key fed which column, in how many of the articles that were loaded after each run.
-- Grain: one row per run that published, column and key (run_id, column_name, key)
create table ops.mapping (
    run_id varchar,                -- ops.runs.run_id
    column_name varchar,           -- column of raw.articles, or topics or images
    key varchar,                   -- key with those above it, as matterhouse.yaml names it; or `file name`, `host` or `not` and a key, `constant`
    articles bigint,               -- articles in which the key fed the column
    warnings bigint,               -- ops.warnings about values under the key
)
