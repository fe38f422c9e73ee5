-- A warehouse as version 0.1 made it, which kept less of the past than today's does.
create schema raw;
create schema staging;
create schema marts;
create schema ops;

create table ops.files (
    path varchar,
    status varchar,
    content_hash varchar,
    size_bytes bigint,
    mtime_ns bigint,
    ctime_ns bigint,
    inode bigint,
    reason_code varchar,
    reason varchar,
    line integer,
    "column" integer,
    hint varchar,
    warnings struct(field varchar, code varchar, message varchar, line integer, hint varchar)[],
    first_seen_at timestamptz,
    changed_at timestamptz,
    gone_at timestamptz,
    run_id varchar,
    parser_version integer,
);

create table ops.runs (
    run_id varchar,
    started_at timestamptz,
    finished_at timestamptz,
    source varchar,
    source_commit varchar,
    tool_version varchar,
    sql_hash varchar,
    seen bigint,
    loaded bigint,
    quarantined bigint,
    excluded bigint,
    ignored bigint,
    new bigint,
    changed bigint,
    unchanged bigint,
    renamed bigint,
    returned bigint,
    gone bigint,
    warnings bigint,
    failed_checks varchar[],
    new_keys varchar[],
    seconds map(varchar, double),
    table_rows map(varchar, bigint),
);

create table raw.article_images (
    article_id varchar,
    position integer,
    url varchar,
    width integer,
    height integer,
    is_cached boolean,
    title varchar,
    extra json,
);

create table raw.article_topics (
    article_id varchar,
    position integer,
    topic varchar,
);

create table raw.article_versions (
    article_id varchar,
    observed_at timestamptz,
    run_id varchar,
    change varchar,
    changed_fields varchar[],
    renamed_from varchar,
    original_url varchar,
    title varchar,
    quality integer,
    heat integer,
    is_published boolean,
    provider_domain varchar,
    topics varchar[],
);

create table raw.articles (
    article_id varchar,
    collection varchar,
    category varchar,
    type varchar,
    title varchar,
    title_text varchar,
    excerpt varchar,
    excerpt_text varchar,
    published_at timestamptz,
    updated_at timestamptz,
    file_date date,
    original_url varchar,
    web_url varchar,
    amp_web_url varchar,
    cdn_amp_web_url varchar,
    quality integer,
    heat integer,
    is_published boolean,
    is_removed boolean,
    provider_name varchar,
    provider_domain varchar,
    body_chars integer,
    secured_chars integer,
    extra json,
    content_hash varchar,
    first_seen_at timestamptz,
    observed_at timestamptz,
);

create table raw.provider_images (
    article_id varchar,
    position integer,
    url varchar,
    width integer,
    height integer,
    is_cached boolean,
    title varchar,
    extra json,
);

create table raw.related_articles (
    article_id varchar,
    position integer,
    title varchar,
    excerpt varchar,
    published_at timestamptz,
    web_url varchar,
    amp_web_url varchar,
    cdn_amp_web_url varchar,
    type varchar,
    quality integer,
    provider_name varchar,
    provider_domain varchar,
    extra json,
);

create table raw.taxonomy (
    path varchar,
    kind varchar,
    term_id varchar,
    name varchar,
    short_name varchar,
    parent varchar,
    domain varchar,
    other_names varchar[],
    extra json,
);

create table marts.score_history as select 1 as article;
comment on table marts.score_history is 'How did scores move?
Grain: one row per version';
create macro movement(x) as x + 1;
create macro topic_names() as table select name from raw.taxonomy;

insert into ops.runs by name
select
    strftime(started_at, '%Y%m%dT%H%M%S000000Z') as run_id, started_at, started_at as finished_at, $source as source,
    '0.1.0' as tool_version, 'of version 0.1' as sql_hash, 6 as seen, 5 as loaded, 1 as quarantined, 0 as excluded,
    0 as ignored, 0 as new, 0 as changed, 6 as unchanged, 0 as renamed, 0 as returned, 0 as gone, 0 as warnings,
    map {'raw.articles': 4::bigint} as table_rows
from unnest([timestamptz '2025-03-01 06:00:00+00', '2025-03-02 06:00:00+00', '2025-03-03 06:00:00+00']) as t (started_at);

-- What happened: on the 2nd a was scored anew, b got another story, c moved, d and gone left; on the
-- 3rd d returned. b and d have no originalUrl.
insert into raw.article_versions by name
select strftime(observed_at, '%Y%m%dT%H%M%S000000Z') as run_id, *
from (
    from (values
        ('a.md', timestamptz '2025-03-01 06:00:00+00', 'added', []::varchar[], null::varchar, 'https://x.org/a', 'A', 70, 70, true, 'x.org', ['Solar']),
        ('b.md', '2025-03-01 06:00:00+00', 'added', [], null, null, 'B', 60, 60, true, 'x.org', ['Solar']),
        ('c.md', '2025-03-01 06:00:00+00', 'added', [], null, 'https://x.org/c', 'C', 50, 50, true, 'x.org', ['Solar']),
        ('d.md', '2025-03-01 06:00:00+00', 'added', [], null, null, 'D', 40, 40, true, null, ['Solar']),
        ('gone.md', '2025-03-01 06:00:00+00', 'added', [], null, 'https://x.org/gone', 'Gone', 30, 30, true, 'x.org', ['Solar']),
        ('a.md', '2025-03-02 06:00:00+00', 'changed', ['quality'], null, 'https://x.org/a', 'A', 80, 80, true, 'x.org', ['Solar']),
        ('b.md', '2025-03-02 06:00:00+00', 'changed', ['web_url', 'quality'], null, null, 'B', 20, 20, true, 'x.org', ['Solar']),
        ('moved/c.md', '2025-03-02 06:00:00+00', 'renamed', [], 'c.md', 'https://x.org/c', 'C', 50, 50, true, 'x.org', ['Solar']),
        ('c.md', '2025-03-02 06:00:00+00', 'removed', [], null, 'https://x.org/c', 'C', 50, 50, true, 'x.org', ['Solar']),
        ('d.md', '2025-03-02 06:00:00+00', 'removed', [], null, null, 'D', 40, 40, true, null, ['Solar']),
        ('gone.md', '2025-03-02 06:00:00+00', 'removed', [], null, 'https://x.org/gone', 'Gone', 30, 30, true, 'x.org', ['Solar']),
        ('d.md', '2025-03-03 06:00:00+00', 'returned', [], null, null, 'D', 45, 45, true, null, ['Solar'])
    ) as v (article_id, observed_at, change, changed_fields, renamed_from, original_url, title, quality, heat, is_published, provider_domain, topics)
);

insert into raw.articles by name
select
    article_id, regexp_extract(article_id, '^(?:_?([^/]*)/)?', 1) as collection, 'news' as category, 'article' as type, title,
    title as title_text, timestamptz '2025-02-01 00:00:00+00' as published_at, original_url, web_url, quality, heat,
    true as is_published, provider_name, provider_domain, 0 as body_chars, 'hash of ' || article_id as content_hash,
    timestamptz '2025-03-01 06:00:00+00' as first_seen_at, timestamptz '2025-03-02 06:00:00+00' as observed_at
from (values
    ('a.md', 'A', 'https://x.org/a', 'https://x.org/a', 80, 80, 'X', 'x.org'),
    ('b.md', 'B', null, 'https://x.org/b2', 20, 20, 'X', 'x.org'),
    ('moved/c.md', 'C', 'https://x.org/c', 'https://x.org/c', 50, 50, 'X', 'x.org'),
    ('d.md', 'D', null, 'https://x.org/d', 45, 45, 'Y', null)
) as v (article_id, title, original_url, web_url, quality, heat, provider_name, provider_domain);
insert into raw.article_topics select article_id, 1, 'Solar' from raw.articles;
insert into raw.taxonomy by name select 'solar.yaml' as path, 'topic' as kind, 'solar' as term_id, 'Solar' as name;

insert into ops.files by name
select
    path, status, 'hash of ' || path as content_hash, 100 as size_bytes, 0 as mtime_ns, 0 as ctime_ns, 0 as inode,
    if(status = 'quarantined', 'no_mapping', null) as reason_code,
    if(path = 'a.md', [{'field': 'quality', 'code': 'x', 'message': 'x', 'line': 1, 'hint': 'x'}], []) as warnings,
    timestamptz '2025-03-01 06:00:00+00' as first_seen_at, timestamptz '2025-03-02 06:00:00+00' as changed_at,
    if(status = 'gone', timestamptz '2025-03-02 06:00:00+00', null) as gone_at, '20250302T060000000000Z' as run_id,
    1 as parser_version
from (values
    ('a.md', 'loaded'), ('b.md', 'loaded'), ('moved/c.md', 'loaded'), ('d.md', 'loaded'), ('solar.yaml', 'loaded'),
    ('broken.md', 'quarantined'), ('gone.md', 'gone'), ('c.md', 'gone')
) as v (path, status);
