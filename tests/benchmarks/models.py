"""Time every model over a synthetic corpus: `python -m tests.benchmarks.models [ARTICLES]`.

Articles, topics and providers are invented inside DuckDB, so that only the models are measured. A
few topics and providers have most of the articles, as in real corpora, and most have only some.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from flows.models import build, checks

ARTICLES = 1_000_000
# The models are promised to need two cores and less than 4 GB, DuckDB's overhead included.
SETTINGS = {"threads": 2, "memory_limit": "3GB"}

# `skewed(n, i)`: a number below n, small ones far more often; hash() is the same in every run.
RAW = """
    create temp macro chance(i, salt) as (hash(i * 1000 + salt) % 1000000) / 1000000;
    create temp macro skewed(n, i, salt) as cast(floor(n * pow(chance(i, salt), 3)) as integer);

    insert into raw.articles by name
    select
        '_news/' || (2016 + i % 10) || '/' || i || '-what-a-headline-becomes-as-a-slug.md'
            as article_id,
        'news' as collection,
        'news' as category,
        if(chance(i, 1) < 0.03, 'video', 'article') as type,
        'What an invented headline number ' || i || ' looks like' as title,
        title as title_text,
        'An excerpt says in a sentence or two what ' || i || ' is about.' as excerpt,
        excerpt as excerpt_text,
        timestamptz '2016-01-01' + to_minutes(cast(chance(i, 2) * 5256000 as bigint))
            as published_at,
        cast(published_at as date) as file_date,
        'site' || skewed(2000, i, 3) || '.example' as provider_domain,
        'Site ' || skewed(2000, i, 3) as provider_name,
        'https://www.' || provider_domain || '/' || i || '?utm_source=feed&id=' || i
            as original_url,
        original_url as web_url,
        cast(if(chance(i, 4) < 0.1, null, chance(i, 5) * 150) as integer) as quality,
        if(chance(i, 6) < 0.3, -1, quality + skewed(9, i, 7)) as heat,
        quality >= 70 as is_published,
        timestamptz '2024-01-01' as first_seen_at,
        timestamptz '2026-01-01' as observed_at
    from range($articles) as numbers (i);

    insert into raw.article_topics
    select
        article_id,
        position,
        case position
            when 1 then 'Topic ' || skewed(500, hash(article_id) // 1000000, 8)
            when 2 then 'Topic ' || (500 + skewed(500, hash(article_id) // 1000000, 9))
            else 'Parent ' || skewed(10, hash(article_id) // 1000000, 10)
        end
    from raw.articles
    cross join unnest([1, 2, 3]) as positions (position);

    insert into raw.terms by name
    select i || '.yaml' as path, 'topic' as kind, 'topic-' || i as term_id, 'Topic ' || i as name,
        'Parent ' || i % 10 as parent
    from range(1000) as numbers (i);

    insert into raw.related_articles by name
    select
        article_id,
        1 as position,
        lead(provider_domain) over (order by article_id) as provider_domain,
        quality
    from raw.articles
    where hash(article_id) % 3 = 0;

    insert into raw.article_images by name
    select article_id, 1 as position, 'https://img.example/' || article_id as url
    from raw.articles;

    insert into raw.article_versions by name
    select
        article_id,
        article_id as origin_id,
        case version
            when 1 then timestamptz '2024-01-01'
            else timestamptz '2024-01-02' + to_days(cast(hash(article_id) % 700 as integer))
        end as observed_at,
        if(version = 1, 'added', 'changed') as change,
        original_url,
        published_at,
        title_text,
        if(version = 1, quality - 1, quality) as quality,
        heat,
        is_published,
        provider_domain
    from raw.articles
    cross join unnest([1, 2]) as versions (version);
"""


def main() -> None:
    """Build a warehouse of the given number of articles and print seconds per model."""
    articles = int(sys.argv[1]) if len(sys.argv) > 1 else ARTICLES
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Path(folder) / "benchmark.duckdb"
        with duckdb.connect(str(warehouse), config=SETTINGS) as con:
            con.execute("set TimeZone = 'UTC'")
            build.create_tables(con)
            con.execute(RAW.replace("$articles", str(articles)))
            con.execute("checkpoint")
        # Peak memory is that of the models: what made the corpus is another connection's.
        with duckdb.connect(str(warehouse), config=SETTINGS) as con:
            con.execute("set TimeZone = 'UTC'")
            measure(con, articles)


def measure(con: duckdb.DuckDBPyConnection, articles: int) -> None:
    """Build and check, and print what each step took."""
    print(f"{articles:,} articles, DuckDB {duckdb.__version__}, {SETTINGS['threads']} threads")
    steps: list[tuple[float, float, str, int]] = []
    wall, cpu = time.perf_counter(), time.process_time()
    for table in build.steps(con):
        seconds, work = time.perf_counter() - wall, time.process_time() - cpu
        rows = con.execute(f"select count(*) from {table}").fetchall()[0][0]
        steps.append((seconds, work, table, rows))
        wall, cpu = time.perf_counter(), time.process_time()
    for seconds, work, table, rows in sorted(steps, reverse=True):
        print(f"{seconds:8.2f} s {work:8.2f} s CPU  {table:28}{rows:>12,} rows")
    # On a busy machine the CPU seconds say more: half of them is what two idle cores need.
    print(f"{sum(s[0] for s in steps):8.2f} s {sum(s[1] for s in steps):8.2f} s CPU  all models")
    checks.run(con)
    seconds, work = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{seconds:8.2f} s {work:8.2f} s CPU  all checks")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{peak:8.2f} GB peak memory")


if __name__ == "__main__":
    main()
