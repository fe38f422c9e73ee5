"""Write the tables of a run in the place of the earlier ones, all in one transaction.

Whoever reads sees the old run or the new one, whole; a publish that ends early leaves nothing.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from flows.reports.export.export import match_tables
from flows.reports.postgres import earlier
from flows.reports.postgres.columns import change, drop, find_changes
from flows.reports.postgres.copy import Table, create, describe, fill
from flows.reports.postgres.earlier import Earlier, Run
from flows.reports.postgres.session import open_transaction, show_address
from flows.warehouse.catalog import read_tables
from flows.warehouse.connection import Connection
from flows.words import spell

_RUN = """
    select arg_max(run_id, started_at), arg_min(run_id, started_at), arg_max(source, started_at)
    from ops.runs
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
    con: Connection,
    url: str,
    patterns: Sequence[str] = ("*",),
    *,
    unless_there: bool = False,
    replace: bool = False,
) -> Publication:
    """Make the tables that match those of the database at `url`, in place of all published before.

    `unless_there` leaves a database alone that holds these tables of this run already; `replace`
    takes one that holds another warehouse.
    """
    known = {table.full_name: table for table in read_tables(con)}
    tables = {name: describe(known[name]) for name in match_tables(con, patterns)}
    run = Run(*con.execute(_RUN).fetchall()[0])
    with open_transaction(url) as session:
        there = earlier.read_earlier(session)
        done = {name: found.run.run_id for name, found in there.items()}
        if unless_there and done == dict.fromkeys(tables, run.run_id):
            return Publication(run.run_id, show_address(url), len(tables), None)
        if not replace:
            earlier.refuse_other_warehouse(there, run)
        earlier.refuse_others(session, tables.keys() - there.keys())
        earlier.refuse_obstacles(session, there)
        rows = _write(con, session, tables, there)
        earlier.note(session, tables.values(), run)
    return Publication(run.run_id, show_address(url), len(tables), rows)


def _write(
    con: Connection,
    session: psycopg.Connection,
    tables: Mapping[str, Table],
    there: Mapping[str, Earlier],
) -> int:
    """Write all tables and return their rows; those come last that keep readers waiting."""
    changes = {
        name: find_changes(session, tables[name], there[name])
        for name in sorted(tables.keys() & there.keys())
    }
    new = [table for name, table in tables.items() if name not in there]
    earlier.create_schemas(session, sorted({table.schema for table in new}))
    for table in new:
        create(session, table)
    rows = sum(fill(con, session, table) for name, table in tables.items() if not changes.get(name))
    gone = [drop(name) for name in sorted(there.keys() - tables.keys())]
    change(session, [*gone, *itertools.chain.from_iterable(changes.values())])
    return rows + sum(fill(con, session, tables[name]) for name in changes if changes[name])
