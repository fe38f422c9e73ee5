"""Make the tables that SQL owns: raw and ops once, staging and marts when their input changes."""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from typing import Any

from flows import MatterhouseError
from flows.models import by_key, comments
from flows.models.changes import Changes, Delta, attached, take_in, transaction
from flows.models.files import SqlFile, blame, files, in_order
from flows.warehouse.connection import (
    Connection,
    fingerprint,
    row_count,
    sql_table,
    table_names,
    with_room,
)
from flows.warehouse.sessions import sessions

SCHEMAS = ("raw", "staging", "marts", "ops")
# Rows up to which two tables at a time were faster than one after the other.
SMALL = 200_000
# Articles from which on it costs less to look for the keys that changed than to rebuild.
LARGE = 10_000


@dataclass(frozen=True, slots=True)
class Built:
    """The tables that were made, in order, and those that were dropped."""

    tables: list[str]
    dropped: list[str]


def create_tables(con: Connection) -> None:
    """Create the schemas, and those raw and ops tables that are missing."""
    for schema in SCHEMAS:
        con.execute(f"create schema if not exists {schema}")
    there = set(table_names(con))
    for file in (*files("raw"), *files("ops")):
        if file.name not in there:
            execute(con, file, file.sql)
            comments.write(con, file)


def build(
    con: Connection,
    deltas: Mapping[str, Delta | None] | None = None,
    *,
    is_shaped: bool = False,
) -> Built:
    """Bring staging tables and marts up to date, and drop those that no file makes any more.

    `deltas` says what changed in raw and ops tables since the same SQL files made the models (None:
    any row may have); without it, all models are made anew, unless they are there without rows
    (`is_shaped`).
    """
    return Built(list(steps(con, deltas, is_shaped=is_shaped)), drop_leftovers(con))


def steps(
    con: Connection, deltas: Mapping[str, Delta | None] | None = None, *, is_shaped: bool = False
) -> Iterator[str]:
    """Bring the tables up to date, and yield the name of each that was rebuilt.

    Each is committed on its own: its memory is free again, and its space in the file too.
    """
    ordered = in_order()
    if deltas is None:
        yield from _work_through(con, ordered, _fill if is_shaped else _make_with_comments)
        return
    there = set(table_names(con))
    models = [file for file in ordered if file.folder != "macros"]
    is_by_key = row_count(con, "raw.articles") >= LARGE and there.issuperset(f.name for f in models)
    with take_in(con, deltas, ordered, is_by_key) as changes:
        refresh = partial(_refresh, changes=changes, there=there)
        yield from _work_through(con, {f: changes.reads[f.name] for f in models}, refresh)


def _work_through(
    con: Connection, ordered: Mapping[SqlFile, Collection[str]], refresh: Callable[..., bool]
) -> Iterator[str]:
    """Refresh each table after those that it reads; yield the names of those that had to be."""
    made = {file.name: file for file in ordered}
    waiting = TopologicalSorter(
        {file: [made[name] for name in reads if name in made] for file, reads in ordered.items()}
    )
    waiting.prepare()
    with sessions(con, how_many_at_once(con)) as submit:
        under_way: dict[Future[bool], SqlFile] = {}
        while waiting.is_active():
            for file in waiting.get_ready():
                under_way[submit(partial(refresh, file=file))] = file
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                file = under_way.pop(future)
                if future.result() and file.folder != "macros":
                    yield file.name
                waiting.done(file)


def how_many_at_once(con: Connection) -> int:
    """Return how many statements may run at a time: two in a small warehouse, one in a large one.

    Planning takes one processor, and so do tables of few rows; large ones would take each other's
    memory.
    """
    return 2 if row_count(con, "raw.article_versions") <= SMALL else 1


def verify(con: Connection) -> None:
    """Hold every model against a whole rebuild of it, from the tables that it reads now."""
    for file in in_order():
        if file.folder != "macros":
            with blame(file):
                made = fingerprint(con, f"(\n{file.sql}\n)")
            if made != fingerprint(con, file.name):
                raise MatterhouseError(
                    f"{file.name} does not hold the rows that {file.place} makes of its tables:"
                    " build with --full, and take out the line `Key:` if rows of one key depend on"
                    " those of another"
                )


def _make_with_comments(con: Connection, file: SqlFile) -> bool:
    make(con, file)
    if file.folder != "macros":
        # Replacing a table drops its comments.
        comments.write(con, file)
    return True


def _fill(con: Connection, file: SqlFile) -> bool:
    if file.folder != "macros":
        execute(con, file, f"insert into {file.name}\n{file.sql}")
    return True


def _refresh(con: Connection, file: SqlFile, changes: Changes, there: Collection[str]) -> bool:
    """Bring a table up to date, and note what changed in it; return whether it was rebuilt."""
    if file.name not in there:
        changes.is_known[file.name] = False
        return _make_with_comments(con, file)
    if not changes.find_stale(file):
        return False
    with blame(file):
        if changes.is_by_key and (is_changed := by_key.refresh(con, file, changes)) is not None:
            return is_changed
        _rebuild(con, file, changes)
    return True


def _rebuild(con: Connection, file: SqlFile, changes: Changes) -> None:
    """Exchange all rows of a table; one with the same rows as before is not a changed one."""
    replace = partial(with_room, con, partial(_replace, con, file))
    if not any(file.name in read for read in changes.reads.values()):
        replace()
    elif changes.is_by_key:
        with attached(con, f"work_{file.stem}") as work:
            con.execute(f"create table {work}.stored as from {file.name}")
            replace()
            changes.record(con, file.name, Delta(f"from {work}.stored", f"from {file.name}"))
    else:
        before = fingerprint(con, file.name)
        replace()
        if before != fingerprint(con, file.name):
            changes.is_known[file.name] = False


def _replace(con: Connection, file: SqlFile) -> None:
    """Exchange all rows of a table, which keeps its comments."""
    with transaction(con):
        con.execute(f"truncate {file.name}")
        con.execute(f"insert into {file.name}\n{file.sql}")


def make(con: Connection, file: SqlFile) -> None:
    """Make one macro, or one table without its comments."""
    creation = "" if file.folder == "macros" else f"create or replace table {file.name} as\n"
    execute(con, file, creation + file.sql)


def drop_leftovers(con: Connection) -> list[str]:
    """Drop the models whose file is gone; a table without our comment is somebody else's."""
    made = {file.name for folder in ("staging", "marts") for file in files(folder)}
    ours = con.execute(
        """
        select schema_name || '.' || table_name as name
        from duckdb_tables()
        where schema_name in ('staging', 'marts') and contains(comment, chr(10) || 'Grain: ')
        order by name
        """
    ).fetchall()
    left = [name for (name,) in ours if name not in made]
    for name in left:
        con.execute(f"drop table {sql_table(name)}")
    return left


def execute(con: Connection, file: SqlFile, sql: str, rows: int = 1) -> list[tuple[Any, ...]]:
    """Run a statement of a file and return its first rows."""
    with blame(file):
        return with_room(con, lambda: con.execute(sql).fetchmany(rows))
