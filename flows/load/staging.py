"""What came in: a temporary table for each raw table, filled by frames and read by the merge."""

import json
from collections import defaultdict
from collections.abc import Mapping, Set
from typing import TYPE_CHECKING

from flows import MatterhouseError
from flows.warehouse.connection import sql_identifier, sql_literal

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

# Raw tables that hold the current state, with the column that names the file.
STATE = {
    "raw.articles": "article_id",
    "raw.article_topics": "article_id",
    "raw.article_images": "article_id",
    "raw.provider_images": "article_id",
    "raw.related_articles": "article_id",
    "raw.terms": "path",
}
# Columns that no frame brings: what the refresh itself knows, as an expression where one is asked.
FILLED = {
    "first_seen_at": "batch.first_seen_at",
    "observed_at": "$started_at",
    "changed_at": "",
    "gone_at": "",
    "run_id": "",
}
_TEMPORARY_COLUMNS = """
    select table_name, column_name from duckdb_columns() where database_name = 'temp'
"""


class FrameDoesNotFitTable(MatterhouseError):
    """The columns of a frame are not the columns of its table."""


def create(con: "duckdb.DuckDBPyConnection") -> None:
    """Make an empty table for what comes in, for each raw table and the ledger."""
    for table in (*STATE, "ops.files"):
        columns = ", ".join(
            f"{sql_identifier(name)} {'varchar' if _is_nested(kind) else kind}"
            for name, kind in column_types(con, table).items()
            if name not in FILLED
        )
        con.execute(f"create or replace temp table {name_of(table)} ({columns})")


def clear(con: "duckdb.DuckDBPyConnection") -> None:
    """Empty the tables once their rows are merged."""
    for table in (*STATE, "ops.files"):
        con.execute(
            f"create or replace temp table {name_of(table)} as from {name_of(table)} limit 0"
        )


def stage(con: "duckdb.DuckDBPyConnection", frames: "Mapping[str, pd.DataFrame]") -> None:
    """Put the frames of a batch, one per table, beside what has come in before."""
    # Asked for once: describing each table on its own takes as long as a small frame.
    expected: dict[str, set[str]] = defaultdict(set)
    for table, column in con.execute(_TEMPORARY_COLUMNS).fetchall():
        expected[table].add(column)
    for table, frame in frames.items():
        _insert(con, table, frame, expected[name_of(table)])


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
    con.execute(f"insert into {name_of(table)} by name select * from frame")


def name_of(table: str) -> str:
    """Return the name of the table that holds what came in for `table`."""
    return f"incoming_{table.replace('.', '_')}"


def column_types(con: "duckdb.DuckDBPyConnection", table: str) -> dict[str, str]:
    """Return the columns of a table with their types."""
    return {name: kind for name, kind, *_ in con.execute(f"describe {table}").fetchall()}


def from_frame(name: str, kind: str) -> str:
    """Return the expression that reads a column that came in; lists travel as JSON text."""
    if not _is_nested(kind):
        return f"incoming.{sql_identifier(name)}"
    return f"from_json(incoming.{sql_identifier(name)}, {sql_literal(_json_shape(kind))})"


def _is_nested(kind: str) -> bool:
    return kind.endswith("[]")


def _json_shape(kind: str) -> str:
    if not kind.startswith("STRUCT("):
        return f'["{kind.removesuffix("[]")}"]'
    members = kind.removeprefix("STRUCT(").removesuffix(")[]").split(", ")
    fields = (member.split(" ", 1) for member in members)
    return json.dumps([{name.strip('"'): member_kind for name, member_kind in fields}])
