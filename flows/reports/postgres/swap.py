"""Staged tables → the place of the earlier ones, at a moment when nobody reads those.

The statement of a reader holds every table that it reads until it ends. When all earlier tables are
held here, each statement has therefore ended, or will begin with the new ones: none sees both.
"""

import time
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from flows.reports.postgres import dependents
from flows.reports.postgres.copy import SCHEMA, Table
from flows.reports.postgres.session import DatabaseRefuses

# Whoever waits for a lock makes later readers wait behind it. And it must end before the second
# after which PostgreSQL looks for deadlocks and ends one of the two, perhaps the reader.
LOCK_TIMEOUT = "300ms"
# A dashboard's longest query may take minutes; the copied tables wait for it to end.
PATIENCE_SECONDS = 900.0
_VIEWS = "the views on the tables"
_FIRST_SLEEP, _LONGEST_SLEEP = 0.02, 1.0


class _Held(Exception):
    """A reader holds what has to be replaced."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def swap(
    session: psycopg.Connection, earlier: Mapping[str, int], tables: Sequence[Table], run_id: str
) -> None:
    """Replace the earlier tables, given by name and oid, trying until no reader holds them."""
    found = dependents.find(session, list(earlier.values()))
    order = [_VIEWS, *sorted(earlier)]
    until, sleep = time.monotonic() + PATIENCE_SECONDS, _FIRST_SLEEP
    while True:
        try:
            with session.transaction():
                session.execute(sql.SQL("set local lock_timeout = {}").format(LOCK_TIMEOUT))
                for name in order:
                    _hold(session, name, found)
                _replace(session, earlier, tables, run_id)
                dependents.restore(session, found)
            return
        except _Held as held:
            if time.monotonic() > until:
                raise DatabaseRefuses(
                    f"some session has kept {held.name} open for {PATIENCE_SECONDS / 60:.0f}"
                    " minutes: look for it in pg_stat_activity; nothing was published"
                ) from held
            # Readers that take tables in another order than we do would never let us through:
            # what they held comes first next time.
            order.insert(0, order.pop(order.index(held.name)))
        # By now everything has been released again.
        time.sleep(sleep)
        sleep = min(2 * sleep, _LONGEST_SLEEP)


def _hold(session: psycopg.Connection, name: str, found: dependents.Dependents) -> None:
    try:
        if name == _VIEWS:
            dependents.drop_views(session, found)
        else:
            lock = sql.SQL("lock table {} in access exclusive mode")
            session.execute(lock.format(_identifier(name)))
    except psycopg.errors.LockNotAvailable as error:
        raise _Held(name) from error


def _replace(
    session: psycopg.Connection, earlier: Mapping[str, int], tables: Sequence[Table], run_id: str
) -> None:
    for name in sorted(earlier):
        # Not `cascade`: what is not known to come back stops the publish.
        session.execute(sql.SQL("drop table {}").format(_identifier(name)))
    session.execute("delete from matterhouse.published")
    create_schemas(session, sorted({table.schema for table in tables}))
    for table in tables:
        _place(session, table, run_id)


def _place(session: psycopg.Connection, table: Table, run_id: str) -> None:
    names = {
        "staged": table.staged,
        "name": sql.Identifier(table.name),
        "renamed": sql.Identifier(SCHEMA, table.name),
        "schema": sql.Identifier(table.schema),
    }
    session.execute(sql.SQL("alter table {staged} rename to {name}").format(**names))
    session.execute(sql.SQL("alter table {renamed} set schema {schema}").format(**names))
    placed = sql.Identifier(table.schema, table.name).as_string(session)
    session.execute(
        "insert into matterhouse.published values (%s, %s, %s::regclass, %s)",
        [table.schema, table.name, placed, run_id],
    )


def create_schemas(session: psycopg.Connection, names: Sequence[str]) -> None:
    """Create what is missing; `if not exists` asks for the right to, even when nothing is."""
    there = session.execute("select nspname from pg_namespace").fetchall()
    for name in names:
        if (name,) not in there:
            session.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))


def _identifier(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split(".", 1))
