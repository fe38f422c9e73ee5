"""One table of DuckDB → a table of PostgreSQL, as a stream of CSV that nobody holds whole."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import psycopg
from psycopg import sql

from flows.reports.postgres.session import DatabaseRefuses, explain
from flows.reports.postgres.types import Column, convert_column
from flows.warehouse import catalog
from flows.warehouse.connection import Connection, sql_identifier

_CHUNK = 1 << 18
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Table:
    """A table to publish, with its columns and everybody's comments."""

    schema: str
    name: str
    comment: str | None
    columns: tuple[tuple[str, Column, str | None], ...]

    @property
    def full_name(self) -> str:
        """The name with its schema, as people write it."""
        return f"{self.schema}.{self.name}"

    @property
    def kinds(self) -> dict[str, str]:
        """The type of each column in PostgreSQL."""
        return {name: column.kind for name, column, _ in self.columns}

    @property
    def identifier(self) -> sql.Identifier:
        """The name as SQL."""
        return sql.Identifier(self.schema, self.name)


def describe(table: catalog.Table) -> Table:
    """Return a table of the warehouse as PostgreSQL will keep it."""
    columns = tuple(
        (each.name, convert_column(sql_identifier(each.name), each.type), each.comment)
        for each in table.columns
    )
    for name in (table.schema, table.name, *(name for name, *_ in columns)):
        if len(name.encode()) > _LONGEST_NAME:
            raise DatabaseRefuses(
                f"{table.full_name}: the name {name} is longer than the {_LONGEST_NAME} bytes that"
                " PostgreSQL keeps of a name. Shorten it, or leave the table out with --tables"
            )
    return Table(table.schema, table.name, table.comment, columns)


def create(session: psycopg.Connection, table: Table) -> None:
    """Create the table without rows."""
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind in table.kinds.items()
    ]
    session.execute(
        sql.SQL("create table {} ({})").format(table.identifier, sql.SQL(", ").join(columns))
    )


def fill(con: Connection, session: psycopg.Connection, table: Table) -> int:
    """Write the rows and comments in the place of those that are there; return how many rows.

    Whoever reads meanwhile sees the rows of before. Whatever others have put on the table stays.
    """
    try:
        session.execute(sql.SQL("delete from only {}").format(table.identifier))
        names = sql.SQL(", ").join(map(sql.Identifier, table.kinds))
        to_table = sql.SQL("copy {} ({}) from stdin (format csv)").format(table.identifier, names)
        with session.cursor() as cursor:
            with _stream_csv(con, table) as chunks, cursor.copy(to_table) as receiver:
                for chunk in chunks:
                    receiver.write(chunk)
            rows = cursor.rowcount
        _require_rows(session, table, rows)
        _comment(session, table)
        session.execute(sql.SQL("analyze {}").format(table.identifier))
    except psycopg.Error as error:
        if session.broken:
            raise
        raise DatabaseRefuses(f"{table.full_name}: {explain(error)}") from None
    return rows


def _require_rows(session: psycopg.Connection, table: Table, rows: int) -> None:
    """Stop if a trigger of somebody has kept rows from going or coming."""
    count = sql.SQL("select count(*) from only {}").format(table.identifier)
    found = session.execute(count).fetchone()
    if found != (rows,):
        raise DatabaseRefuses(
            f"{table.full_name} does not hold the {rows} rows that were written: look at its"
            " triggers"
        )


@contextmanager
def _stream_csv(con: Connection, table: Table) -> Iterator[Iterator[bytes]]:
    """Give the rows as chunks of CSV, written by a thread into a pipe.

    What DuckDB has to complain of is raised when the block ends.
    """
    chosen = ", ".join(column.expression for _, column, _ in table.columns)
    # Alone on its line, the text \. would end the copy; between quotes it does not.
    quoted = ", force_quote *" if len(table.columns) == 1 else ""
    read_from = sql_identifier(table.schema, table.name)
    source, sink = os.pipe()
    complaints: list[duckdb.Error] = []

    def write() -> None:
        try:
            con.execute(
                f"copy (select {chosen} from {read_from}) to '/dev/fd/{sink}'"
                f" (format csv, header false, use_tmp_file false{quoted})"
            )
        except duckdb.Error as error:
            complaints.append(error)
        finally:
            os.close(sink)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield iter(lambda: os.read(source, _CHUNK), b"")
    finally:
        # A writer whose reader has gone gets an error instead of waiting for ever.
        os.close(source)
        writer.join()
    if complaints:
        raise complaints[0]


def _comment(session: psycopg.Connection, table: Table) -> None:
    says = sql.SQL("comment on {} {} is {}")
    said = [("table", table.identifier, table.comment)]
    for name, _, comment in table.columns:
        said.append(("column", sql.Identifier(table.schema, table.name, name), comment))
    for kind, thing, comment in said:
        session.execute(says.format(sql.SQL(kind), thing, sql.Literal(comment)))
