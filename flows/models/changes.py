"""The rows of each table that a run changed, as far as they are known, and who has to know.

They lie in a database in memory, in tables like "raw.articles": the rows that the table gained, and
those that it lost with a minus sign, as the column ± says how often.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows.models.files import SqlFile
from flows.warehouse.connection import (
    Connection,
    fingerprint,
    row_count,
    sql_identifier,
    sql_literal,
)

CHANGES = "changes"
# Of more changed rows than one in so many, keeping both sides costs more than a whole rebuild.
FEW = 10
# Table → column → type, and model → table → the columns that it reads there.
Shapes = dict[str, dict[str, str]]
Reads = dict[str, dict[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Delta:
    """Two queries: for the rows that a table lost, and for those that it gained."""

    went: str
    came: str


@dataclass(frozen=True, slots=True)
class Changes:
    """The changed tables; `is_known` says of each whether its rows are at hand."""

    database: str
    shapes: Shapes
    reads: Reads
    is_known: dict[str, bool]
    is_by_key: bool

    def record(self, con: Connection, table: str, delta: Delta) -> bool:
        """Keep the rows in which both sides differ; return whether there are any."""
        columns = ", ".join(map(sql_identifier, self.shapes[table]))
        con.execute(
            f"""
            create or replace table {self.rows(table)} as
            select {columns}, sum("±") as "±"
            from (
                select {columns}, 1 as "±" from ({delta.came})
                union all
                select {columns}, -1 as "±" from ({delta.went})
            )
            group by {columns}
            having sum("±") <> 0
            """
        )
        ((rows,),) = con.execute(f"select count(*) from {self.rows(table)}").fetchall()
        if rows:
            self.is_known[table] = not are_many(rows, row_count(con, table))
        return bool(rows)

    def rows(self, table: str) -> str:
        """Return the name of the table that keeps the changes of another."""
        return f"{CHANGES}.main.{sql_identifier(table)}"

    def find_stale(self, file: SqlFile) -> list[str]:
        """Return the changed tables that a model reads."""
        return sorted(self.reads[file.name].keys() & self.is_known.keys())

    def query_differing(self, file: SqlFile, table: str, key: tuple[str, ...]) -> str:
        """Return a query for the keys under which a model finds other rows in a table.

        Only the columns that it reads count: a new score is no reason to compare titles.
        """
        read = [sql_identifier(name) for name in {*self.reads[file.name][table], *key}] or ["1"]
        columns = ", ".join(sorted(read))
        return f"""
            select {", ".join(map(sql_identifier, key)) or "1"}
            from {self.rows(table)}
            group by {columns}
            having sum("±") <> 0
        """


@contextlib.contextmanager
def attached(con: Connection, name: str) -> Iterator[str]:
    """Attach a database in memory for a while."""
    con.execute(f"attach ':memory:' as {name}")
    try:
        yield name
    finally:
        con.execute(f"detach {name}")


@contextlib.contextmanager
def transaction(con: Connection) -> Iterator[None]:
    """Commit what the block does, or nothing of it."""
    con.execute("begin")
    try:
        yield
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


@contextlib.contextmanager
def take_in(
    con: Connection,
    deltas: Mapping[str, Delta | None],
    ordered: Mapping[SqlFile, set[str]],
    is_by_key: bool,
) -> Iterator[Changes]:
    """Note the changed raw and ops tables, with their rows if models are refreshed by key."""
    if not is_by_key:
        changed = {table: False for table, delta in deltas.items() if _is_any(con, delta)}
        yield Changes("", {}, _read_names(ordered), changed, is_by_key)
        return
    ((database,),) = con.execute("select current_database()").fetchall()
    with attached(con, CHANGES):
        shapes = read_shapes(con)
        changes = Changes(database, shapes, read_columns(con, ordered, shapes), {}, is_by_key)
        for table, delta in deltas.items():
            if delta is None or _is_many(con, table, delta):
                changes.is_known[table] = False
            else:
                changes.record(con, table, delta)
        yield changes


def _read_names(ordered: Mapping[SqlFile, set[str]]) -> Reads:
    """Return which tables each model reads, directly or through macros."""
    reads: Reads = {}
    for file, names in ordered.items():
        reads[file.name] = {}
        for name in names:
            reads[file.name] |= reads[name] if name.endswith("()") else {name: []}
    return reads


def _is_any(con: Connection, delta: Delta | None) -> bool:
    return delta is None or fingerprint(con, f"({delta.went})") != fingerprint(
        con, f"({delta.came})"
    )


def _is_many(con: Connection, table: str, delta: Delta) -> bool:
    counts = f"select (select count(*) from ({delta.went})), (select count(*) from ({delta.came}))"
    ((went, came),) = con.execute(counts).fetchall()
    return are_many(max(went, came), row_count(con, table))


def are_many(some: int, every: int) -> bool:
    """Return whether so many rows or keys have changed that all had better be made anew."""
    return some * FEW > every


def read_shapes(con: Connection) -> Shapes:
    """Return the columns of every table with their types."""
    shapes: Shapes = {}
    rows = con.execute(
        """
        select schema_name || '.' || table_name, column_name, data_type
        from duckdb_columns()
        where database_name = current_database()
        order by schema_name, table_name, column_index
        """
    ).fetchall()
    for table, name, kind in rows:
        shapes.setdefault(table, {})[name] = kind
    return shapes


def read_columns(con: Connection, models: Iterable[SqlFile], shapes: Shapes) -> Reads:
    """Return which columns of which tables each model reads, from DuckDB's plans.

    A plan that follows the rows at hand would leave out what is empty today, so that only what no
    one uses is taken out of it.
    """
    others = con.execute(
        "select string_agg(name) from duckdb_optimizers() where name <> 'unused_columns'"
    ).fetchall()[0][0]
    con.execute(f"set disabled_optimizers = {sql_literal(others)}")
    try:
        return {
            file.name: _read_plan(con, file, shapes) for file in models if file.folder != "macros"
        }
    finally:
        con.execute("reset disabled_optimizers")


def _read_plan(con: Connection, file: SqlFile, shapes: Shapes) -> dict[str, list[str]]:
    ((_, plan),) = con.execute(f"explain (format json) {file.sql}").fetchall()
    read: dict[str, list[str]] = {}

    def visit(node: dict[str, Any]) -> dict[str, Any]:
        if "Table" in node:
            table = node["Table"].split(".", 1)[1]
            # One column comes as text; of a struct, a part can be named. `rowid` is no column.
            names = node.get("Projections") or []
            named = [names] if isinstance(names, str) else names
            read.setdefault(table, []).extend(
                column
                for column in shapes[table]
                if any(name == column or name.startswith(f"{column}.") for name in named)
            )
        return node

    json.loads(plan, object_hook=visit)
    return read
