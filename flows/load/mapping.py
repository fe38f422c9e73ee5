"""Which key fed which column, counted over the loaded articles once a run (ops.mapping)."""

import json
from collections import Counter

from flows.config import Config
from flows.config.reader import Source, fold
from flows.load.ledger import Run
from flows.warehouse.connection import Connection

# Column and label of a source → how often.
Counts = Counter[tuple[str, str]]
_LISTS = {"topics": "raw.article_topics", "images": "raw.article_images"}


def record(con: Connection, run: Run, mapping: Config) -> None:
    """Write the run's rows of ops.mapping; a key that no article has has none."""
    fed, warned = _count_fed(con, mapping), _count_warned(con, mapping)
    rows = sorted(fed.keys() | warned.keys())
    con.execute(
        """
        insert into ops.mapping
        select $run_id, unnest($columns), unnest($keys), unnest($fed), unnest($warned)
        """,
        {
            "run_id": run.run_id,
            "columns": [column for column, _ in rows],
            "keys": [key for _, key in rows],
            "fed": [fed[row] for row in rows],
            "warned": [warned[row] for row in rows],
        },
    )


def _count_fed(con: Connection, mapping: Config) -> Counts:
    """Count the articles that each source fed."""
    filled = _count_filled(con, mapping)
    fed: Counts = Counter()
    by_others = con.execute(
        "select sources, count(*) from raw.articles where sources is not null group by sources"
    ).fetchall()
    for sources, articles in by_others:
        for column, key in json.loads(sources).items():
            fed[column, key] += articles
            filled[column] -= articles
    # The first source is the column's own key, which raw.articles.sources does not name.
    own = {
        (column, sources[0].label): filled[column]
        for column, sources in mapping.columns.items()
        if sources
    }
    return +(fed + Counter(own))


def _count_filled(con: Connection, mapping: Config) -> Counter[str]:
    """Count the articles in which each column has a value."""
    columns = [column for column in mapping.columns if column not in _LISTS]
    counts = [f"count({column})" for column in columns] + [
        f"(select count(distinct article_id) from {table})" for table in _LISTS.values()
    ]
    row = con.execute(f"select {', '.join(counts)} from raw.articles").fetchall()[0]
    return Counter(dict(zip((*columns, *_LISTS), row, strict=True)))


def _count_warned(con: Connection, mapping: Config) -> Counts:
    """Count the warnings about values under each source's key."""
    found = con.execute(
        r"""
        select regexp_replace(field, '\[\d+\]', '', 'g') as field_name, count(*)
        from ops.warnings
        inner join raw.articles on articles.article_id = warnings.path
        group by field_name
        """
    ).fetchall()
    warned: Counts = Counter()
    for column, sources in mapping.columns.items():
        for source in sources:
            for name, count in found:
                if key := _find_key(source, name.split(".")):
                    warned[column, key] += count
    return warned


def _find_key(source: Source, field: list[str]) -> str | None:
    """Return the source's key as a field spells it that the source leads to."""
    path = [step for step in source.path if step != "0"]
    if source.form not in ("key", "not") or len(field) < len(path):
        return None
    steps = zip(path, field, strict=False)
    if not all(step == "*" or fold(step) == fold(name) for step, name in steps):
        return None
    return source.label if len(path) < len(source.path) else source.spell(tuple(field[: len(path)]))
