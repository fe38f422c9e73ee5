"""One table of DuckDB → a new table of PostgreSQL, as a stream of CSV that nobody holds whole."""

import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import psycopg
from psycopg import sql

from flows.reports.postgres.types import Column, convert_column
from flows.warehouse import catalog
from flows.warehouse.connection import Connection, sql_identifier

# Where tables stand until they take the place of earlier ones, beside the list of what is ours.
SCHEMA = "matterhouse"
_CHUNK = 1 << 18


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
    def staged_name(self) -> str:
        """A name that no two tables share, whatever their schemas; PostgreSQL cuts long ones."""
        return f"next_{zlib.crc32(self.full_name.encode()):08x}"

    @property
    def staged(self) -> sql.Identifier:
        """The table while it is not yet in its place."""
        return sql.Identifier(SCHEMA, self.staged_name)


def describe(table: catalog.Table) -> Table:
    """Return a table of the warehouse as PostgreSQL will keep it."""
    columns = tuple(
        (each.name, convert_column(sql_identifier(each.name), each.type), each.comment)
        for each in table.columns
    )
    return Table(table.schema, table.name, table.comment, columns)


def copy(con: Connection, session: psycopg.Connection, table: Table) -> int:
    """Make the table in `SCHEMA` with its rows and comments and return how many rows it has."""
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(column.kind))
        for name, column, _ in table.columns
    ]
    session.execute(
        sql.SQL("create table {} ({})").format(table.staged, sql.SQL(", ").join(columns))
    )
    # Frozen rows are seen by every snapshot: a session whose snapshot is older than the swap finds
    # the new rows, not an empty table.
    to_table = sql.SQL("copy {} from stdin (format csv, freeze)").format(table.staged)
    with session.cursor() as cursor:
        with _stream_csv(con, table) as chunks, cursor.copy(to_table) as receiver:
            for chunk in chunks:
                receiver.write(chunk)
        rows = cursor.rowcount
    _comment(session, table)
    session.execute(sql.SQL("analyze {}").format(table.staged))
    return rows


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
    if table.comment:
        session.execute(says.format(sql.SQL("table"), table.staged, sql.Literal(table.comment)))
    for name, _, comment in table.columns:
        if comment:
            there = sql.Identifier(SCHEMA, table.staged_name, name)
            session.execute(says.format(sql.SQL("column"), there, sql.Literal(comment)))
