"""The temporary tables of a load, between the frames and the tables of the warehouse.

incoming_SCHEMA_TABLE   rows that frames brought and that are not merged yet
batch                   one row per file among them: what it is now, what it was, its outcome
vanished                one row per known file that the scan missed
outcomes                one row per file of the run so far: path, outcome, renamed_from
changed_tables          names of the tables whose rows are others than before the run
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING

from flows import MatterhouseError
from flows.warehouse.connection import sql_identifier

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

# Tables that hold what the files say now, with the column that names the file.
STATE_TABLES = {
    "raw.articles": "article_id",
    "raw.article_topics": "article_id",
    "raw.article_images": "article_id",
    "raw.provider_images": "article_id",
    "raw.related_articles": "article_id",
    "raw.terms": "path",
    "ops.warnings": "path",
}
# Columns that no frame brings, because the run or the ledger knows them, with their expressions.
RUN_COLUMNS = {
    "raw.articles": {
        "collection": "batch.collection",
        "file_date": "batch.file_date",
        "first_seen_at": "batch.first_seen_at",
        "observed_at": "$started_at",
    },
    "ops.files": {
        "first_seen_at": "batch.first_seen_at",
        "changed_at": "if(outcome = 'unchanged', known_changed_at, $started_at)",
        "gone_at": "null",
        "run_id": "$run_id",
    },
}
_TEMPORARY_COLUMNS = """
    select table_name, column_name from duckdb_columns() where database_name = 'temp'
"""


class FrameDoesNotFitTable(MatterhouseError):
    """The columns of a frame are not the columns of its table."""


def create(con: "duckdb.DuckDBPyConnection", vanished: Sequence[str]) -> None:
    """Make the tables for what comes in, and note the known files that the scan missed."""
    for table in (*STATE_TABLES, "ops.files"):
        columns = ", ".join(
            f"{sql_identifier(name)} {'varchar' if _is_list(kind) else kind}"
            for name, kind in column_types(con, table).items()
            if name not in RUN_COLUMNS.get(table, ())
        )
        con.execute(f"create or replace temp table {incoming(table)} ({columns})")
    con.execute(
        """
        create or replace temp table outcomes
            (path varchar, outcome varchar, renamed_from varchar)
        """
    )
    con.execute("create or replace temp table changed_tables (name varchar)")
    con.execute(
        """
        create or replace temp table vanished as
        select path, content_hash, first_seen_at
        from ops.files
        where path in (select unnest($paths::varchar[])) and status <> 'gone'
        """,
        {"paths": list(vanished)},
    )


def clear(con: "duckdb.DuckDBPyConnection") -> None:
    """Empty the tables once their rows are merged."""
    for table in (*STATE_TABLES, "ops.files"):
        con.execute(
            f"create or replace temp table {incoming(table)} as from {incoming(table)} limit 0"
        )


def stage(con: "duckdb.DuckDBPyConnection", frames: "Mapping[str, pd.DataFrame]") -> None:
    """Put the frames of a batch, one per table, beside what has come in before."""
    # Asked for once: describing each table on its own takes as long as a small frame.
    expected: dict[str, set[str]] = defaultdict(set)
    for table, column in con.execute(_TEMPORARY_COLUMNS).fetchall():
        expected[table].add(column)
    for table, frame in frames.items():
        _insert(con, table, frame, expected[incoming(table)])


def _insert(
    con: "duckdb.DuckDBPyConnection", table: str, frame: "pd.DataFrame", expected: Set[str]
) -> None:
    # `insert by name` refuses columns too many but fills missing ones with null, silently.
    if (actual := set(map(str, frame.columns))) != expected:
        missing, extra = sorted(expected - actual), sorted(actual - expected)
        raise FrameDoesNotFitTable(f"{table}: the frame lacks {missing} and has {extra} too much")
    if frame.empty:
        return
    # DuckDB finds `frame` here, in its caller. Registered, it would stay in memory until the
    # transaction ends: the catalogue keeps the dropped view, and the view keeps the frame.
    con.execute(f"insert into {incoming(table)} by name select * from frame")


def incoming(table: str) -> str:
    """Return the name of the table that holds what came in for `table`."""
    return f"incoming_{table.replace('.', '_')}"


def column_types(con: "duckdb.DuckDBPyConnection", table: str) -> dict[str, str]:
    """Return the columns of a table with their types."""
    return {name: kind for name, kind, *_ in con.execute(f"describe {table}").fetchall()}


def columns(con: "duckdb.DuckDBPyConnection", table: str, source: str = "incoming") -> str:
    """Return the select list that fills a table from `source` and from what the run knows."""
    of_run = RUN_COLUMNS.get(table, {})
    return ", ".join(
        f"{of_run.get(name) or _from_frame(source, name, kind)} as {sql_identifier(name)}"
        for name, kind in column_types(con, table).items()
    )


def _from_frame(source: str, name: str, kind: str) -> str:
    column = f"{source}.{sql_identifier(name)}"
    # Lists travel as JSON text.
    return f"cast(cast({column} as json) as {kind})" if _is_list(kind) else column


def _is_list(kind: str) -> bool:
    return kind.endswith("[]")
