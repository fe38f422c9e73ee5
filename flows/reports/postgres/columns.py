"""The columns of an earlier table → those of this run, at a moment when nobody reads it."""

import time
from collections.abc import Sequence

import psycopg
from psycopg import sql

from flows.reports.postgres.copy import Table
from flows.reports.postgres.earlier import Earlier
from flows.reports.postgres.session import LOCK_TIMEOUT, DatabaseRefuses

# A dashboard's longest query may take minutes.
PATIENCE_SECONDS = 900.0
_SLEEP_SECONDS = 0.5
_KINDS = """
    select attname, format_type(atttypid, atttypmod)
    from pg_attribute
    where attrelid = %s and attnum > 0 and not attisdropped
"""


def find_changes(session: psycopg.Connection, table: Table, earlier: Earlier) -> list[sql.Composed]:
    """Return the statements that give an earlier table the columns of this one.

    A column that others have added is theirs and stays.
    """
    wanted = table.kinds
    there: dict[str, str] = dict(session.execute(_KINDS, [earlier.relation]).fetchall())
    gone = [name for name in earlier.columns if name in there and name not in wanted]
    actions = [
        *(("drop column {0}", name, "") for name in gone),
        *(("add column {0} {1}", *new) for new in wanted.items() if new[0] not in there),
        *(
            ("alter column {0} type {1} using null", name, kind)
            for name, kind in wanted.items()
            if there.get(name, kind) != kind
        ),
    ]
    return [
        sql.SQL("alter table {} {}").format(
            table.identifier, sql.SQL(action).format(sql.Identifier(name), sql.SQL(kind))
        )
        for action, name, kind in actions
    ]


def drop(table: str) -> sql.Composed:
    """Return the statement that drops a table, unless somebody's view reads it."""
    return sql.SQL("drop table {}").format(sql.Identifier(*table.split(".", 1)))


def change(session: psycopg.Connection, statements: Sequence[sql.Composed]) -> None:
    """Carry out all statements, trying until no reader holds their tables.

    Whoever waits for a lock makes later readers wait behind it. And it must end before the second
    after which PostgreSQL looks for deadlocks and ends one of the two, perhaps the reader.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while statements:
        try:
            with session.transaction():
                session.execute("set local lock_timeout = '300ms'")
                for statement in statements:
                    session.execute(statement)
                session.execute(LOCK_TIMEOUT)
            return
        except psycopg.errors.LockNotAvailable as error:
            if time.monotonic() > until:
                raise DatabaseRefuses(
                    f"some session has kept a table open for {PATIENCE_SECONDS / 60:.0f} minutes"
                    f" that needs other columns: {error.diag.message_primary}; look for it in"
                    " pg_stat_activity. Nothing was published"
                ) from error
        # By now everything has been released again.
        time.sleep(_SLEEP_SECONDS)
