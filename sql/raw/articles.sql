-- Every loaded article as its file is now.
-- Grain: one row per loaded front-matter document (article_id)
create table raw.articles (
    article_id varchar,            -- path of the file below the source, with /
    collection varchar,            -- first folder of the path, without a leading underscore
    category varchar,              -- category as typed
    type varchar,                  -- article, video and the like, as typed
    language varchar,              -- language as typed, null when no key says so
    translation_key varchar,       -- what the translations of one page have in common, as typed
    title varchar,                 -- title exactly as typed
    title_text varchar,            -- title with entities resolved, white space folded, zero-width characters gone
    excerpt varchar,               -- excerpt exactly as typed
    excerpt_text varchar,          -- excerpt cleaned like title_text
    published_at timestamptz,      -- publishedDateTime; a date without a zone is UTC
    updated_at timestamptz,        -- updatedDateTime; a date without a zone is UTC
    expires_at timestamptz,        -- expiryDate: from then on the site shows it no longer
    file_date date,                -- date at the start of the file name; can differ from published_at by a day
    original_url varchar,          -- originalUrl as typed
    web_url varchar,               -- webUrl as typed; videos have none
    amp_web_url varchar,           -- ampWebUrl as typed
    cdn_amp_web_url varchar,       -- cdnAmpWebUrl as typed
    quality integer,               -- editorial score, 0 or more, no upper bound
    heat integer,                  -- quality plus a temporary bump; -1 means not measured
    is_draft boolean,              -- draft, or another word for what the site keeps back; null when absent
    is_published boolean,          -- published; a ranking cut, null when absent
    is_removed boolean,            -- removed; null when absent
    provider_name varchar,         -- provider.name as typed
    provider_domain varchar,       -- provider.domain as typed
    body_chars integer,            -- characters after the front matter
    secured_chars integer,         -- length of the secured payload, which itself is never stored
    extra json,                    -- what feeds no column, and values that did not fit; null when there is none
    sources json,                  -- columns that another key than their own has fed, with that key
    content_hash varchar,          -- hash of the file's bytes
    first_seen_at timestamptz,     -- start of the run that first saw this article, kept through renames
    observed_at timestamptz,       -- start of the run that read this state
)
