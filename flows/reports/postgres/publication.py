"""Copy the tables beside the earlier ones and swap them, all in one transaction.

Whoever reads sees the old run or the new one, whole; a publish that ends early leaves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from flows.reports.export.export import match_tables
from flows.reports.output import NotOursToReplace
from flows.reports.postgres import dependents
from flows.reports.postgres.copy import SCHEMA, copy, describe
from flows.reports.postgres.session import open_transaction, show_address
from flows.reports.postgres.swap import create_schemas, swap
from flows.warehouse.catalog import read_tables
from flows.warehouse.connection import Connection
from flows.words import spell

_EARLIER = """
    select schema_name || '.' || table_name, pg_class.oid, run_id, relrowsecurity
    from matterhouse.published
    inner join pg_class on pg_class.oid = relation and relname = table_name
    inner join pg_namespace on pg_namespace.oid = relnamespace and nspname = schema_name
"""
_OTHERS = """
    select nspname || '.' || relname
    from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
    where nspname || '.' || relname = any(%s)
    order by 1
"""


@dataclass(frozen=True, slots=True)
class Publication:
    """What is in the database now; `rows` is None if it was there already."""

    run_id: str
    address: str
    tables: int
    rows: int | None

    def __str__(self) -> str:
        """Say it in one line."""
        if self.rows is None:
            return f"{self.address} holds run {self.run_id} already"
        return (
            f"Published {spell(self.tables, 'table')} of run {self.run_id},"
            f" {spell(self.rows, 'row')},"
            f" to {self.address}"
        )


def publish(
    con: Connection, url: str, patterns: Sequence[str] = ("*",), *, unless_there: bool = False
) -> Publication:
    """Put the tables that match into the database at `url`, in the place of all published before.

    `unless_there` leaves a database alone that holds these tables of this run already.
    """
    known = {table.full_name: table for table in read_tables(con)}
    tables = [describe(known[name]) for name in match_tables(con, patterns)]
    run_id = str(con.execute("select arg_max(run_id, started_at) from ops.runs").fetchall()[0][0])
    wanted = {table.full_name: run_id for table in tables}
    with open_transaction(url) as session:
        earlier = _read_earlier(session)
        if unless_there and wanted == {name: of_run for name, (_, of_run) in earlier.items()}:
            return Publication(run_id, show_address(url), len(tables), None)
        _refuse_others(session, wanted.keys() - earlier.keys())
        rows = 0
        for table in tables:
            rows += copy(con, session, table)
            if table.full_name in earlier:
                oid, _ = earlier[table.full_name]
                dependents.copy_indexes(session, oid, table.staged_name)
        swap(session, {name: oid for name, (oid, _) in earlier.items()}, tables, run_id)
    return Publication(run_id, show_address(url), len(tables), rows)


def _read_earlier(session: psycopg.Connection) -> dict[str, tuple[int, str]]:
    """Return oid and run of the tables that an earlier publish made and that nobody renamed."""
    create_schemas(session, [SCHEMA])
    session.execute(
        "create table if not exists matterhouse.published"
        " (schema_name text, table_name text, relation oid, run_id text)"
    )
    found = session.execute(_EARLIER).fetchall()
    if guarded := [name for name, _, _, is_guarded in found if is_guarded]:
        raise NotOursToReplace(
            f"{', '.join(guarded)}: somebody guards its rows (row level security), which the table"
            " of the new run would not. Guard a view that reads it instead, and publish again"
        )
    return {name: (oid, run_id) for name, oid, run_id, _ in found}


def _refuse_others(session: psycopg.Connection, names: set[str]) -> None:
    if found := session.execute(_OTHERS, [sorted(names)]).fetchall():
        raise NotOursToReplace(
            f"{', '.join(name for (name,) in found)}: already there, and not published by"
            " matterhouse. Rename or drop it, or publish into another database"
        )
