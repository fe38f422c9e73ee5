-- The score history: each article's state after each analytic change, append only.
-- Grain: one row per article and observed analytic change (article_id, observed_at)
create table raw.article_versions (
    article_id varchar,            -- path at the time; raw.articles.article_id while the article is loaded
    origin_id varchar,             -- the article through all its renames: the first path it was seen under
    observed_at timestamptz,       -- start of the run that saw the change, or time of its commit
    run_id varchar,                -- ops.runs.run_id of the run that wrote it
    change varchar,                -- added, changed, renamed, removed or returned
    changed_fields varchar[],      -- names of the columns that changed, empty for added, removed and returned
    renamed_from varchar,          -- the earlier path of a renamed article, otherwise null
    original_url varchar,          -- originalUrl after the change (for removed: before it, like all that follows)
    web_url varchar,               -- webUrl after the change
    provider_name varchar,         -- provider.name after the change
    provider_domain varchar,       -- provider.domain after the change
    published_at timestamptz,      -- publishedDateTime after the change
    category varchar,              -- category after the change
    type varchar,                  -- type after the change
    title_text varchar,            -- title after the change, cleaned as in raw.articles
    quality integer,               -- quality after the change
    heat integer,                  -- heat after the change; -1 means not measured
    is_draft boolean,              -- draft after the change
    is_published boolean,          -- published after the change
    is_removed boolean,            -- removed after the change
    topics varchar[],              -- topics after the change, in listed order
    commit varchar,                -- commit that made the change, null when it was seen on disk
    committed_at timestamptz,      -- time of that commit, null when it was seen on disk
)
