"""Make the tables that SQL owns: raw and ops once, staging and marts when their input changes."""

from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from typing import Any

import duckdb

from flows.models import comments
from flows.models.files import SqlFile, UnusableSqlFile, files, in_order
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


def build(con: Connection, changed: Collection[str] | None = None) -> Built:
    """Rebuild staging tables and marts, and drop those that no file makes any more.

    `changed` names the raw and ops tables with other rows than those the models were made from by
    the same SQL files; without it, all models are rebuilt.
    """
    return Built(list(steps(con, changed)), drop_leftovers(con))


def steps(con: Connection, changed: Collection[str] | None = None) -> Iterator[str]:
    """Rebuild the tables, and yield the name of each when it is there.

    Each is committed on its own: its memory is free again, and its space in the file too.
    """
    there = set() if changed is None else set(table_names(con))
    stale = set(changed or ())
    ordered = in_order()
    compared = there & set().union(*ordered.values())
    made = {file.name: file for file in ordered}
    waiting = TopologicalSorter(
        {file: [made[name] for name in reads & made.keys()] for file, reads in ordered.items()}
    )
    waiting.prepare()
    with sessions(con, how_many_at_once(con)) as submit:
        under_way: dict[Future[bool], SqlFile] = {}
        while waiting.is_active():
            for file in waiting.get_ready():
                is_stale = bool(ordered[file] & stale)
                if file.folder == "macros":
                    is_wanted = changed is None
                    if is_stale:
                        stale.add(file.name)  # What it reads, its readers read.
                else:
                    is_wanted = is_stale or file.name not in there
                if is_wanted:
                    rebuild = partial(_rebuild, file=file, is_compared=file.name in compared)
                    under_way[submit(rebuild)] = file
                else:
                    waiting.done(file)
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                file = under_way.pop(future)
                # A table with the same rows as before is no reason to rebuild those that read it.
                if future.result():
                    stale.add(file.name)
                waiting.done(file)
                if file.folder != "macros":
                    yield file.name


def how_many_at_once(con: Connection) -> int:
    """Return how many statements may run at a time: two in a small warehouse, one in a large one.

    Planning takes one processor, and so do tables of few rows; large ones would take each other's
    memory.
    """
    return 2 if row_count(con, "raw.article_versions") <= SMALL else 1


def _rebuild(con: Connection, file: SqlFile, is_compared: bool) -> bool:
    """Make a table with its comments, or a macro; return whether a table may have other rows."""
    before = fingerprint(con, file.name) if is_compared else None
    make(con, file)
    if file.folder == "macros":
        return False
    # Replacing a table drops its comments.
    comments.write(con, file)
    return before is None or before != fingerprint(con, file.name)


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
    """Run a statement and return its first rows; an error names the file it comes from.

    Errors of the system (memory, disk) stay as they are.
    """
    try:
        return with_room(con, lambda: con.execute(sql).fetchmany(rows))
    except (duckdb.OperationalError, duckdb.InternalError):
        raise
    except duckdb.Error as error:
        raise UnusableSqlFile(f"{file.place} does not run: {error}") from error
