-- The score history: each article's state after each analytic change, append only.
-- Grain: one row per article and observed analytic change
create table raw.article_versions (
    article_id varchar,            -- path at the time; raw.articles.article_id while the article is loaded
    observed_at timestamptz,       -- start of the refresh that saw the change
    run_id varchar,                -- ops.runs.run_id of that refresh
    change varchar,                -- added, changed, renamed, removed or returned
    changed_fields varchar[],      -- names of the columns that changed, empty for added, removed and returned
    renamed_from varchar,          -- the earlier path of a renamed article, otherwise null
    original_url varchar,          -- originalUrl after the change (for removed: before it)
    title varchar,                 -- title after the change
    quality integer,               -- quality after the change
    heat integer,                  -- heat after the change; -1 means not measured
    is_published boolean,          -- published after the change
    provider_domain varchar,       -- provider.domain after the change
    topics varchar[],              -- topics after the change, in listed order
)
