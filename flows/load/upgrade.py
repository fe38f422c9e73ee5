"""A warehouse of an earlier version → tables of today's shape, with its ledger and its history.

sql/raw and sql/ops say which columns a table has. One that has others is made anew, and its rows
are carried over by the names of their columns. What the source says is read again after that.
"""

from flows import MatterhouseError
from flows.load import ledger
from flows.load.staging import STATE_TABLES
from flows.models import build, comments
from flows.models.files import SqlFile, files
from flows.warehouse.catalog import read_tables
from flows.warehouse.connection import (
    Connection,
    connect,
    first_line,
    sql_identifier,
    sql_table,
    table_names,
)

Columns = dict[str, str]


class _Unfit(Exception):
    """Rows of a history do not fit the table that is declared for them."""


def upgrade(con: Connection, sql_hash: str, *, anew: bool = False) -> list[str]:
    """Give tables of an earlier version today's shape, and name them.

    `sql_hash` is that of the SQL files at hand; a warehouse carries the one that it was built by.
    A history that cannot be carried over ends the build, unless all may begin `anew`.
    """
    if "ops.runs" not in table_names(con) or not ledger.is_outdated(con, sql_hash):
        return []
    declared = _read_declared()
    found = {table: columns for table, columns in _read_columns(con).items() if table in declared}
    # As lists: the order of columns counts, too.
    outdated = [
        table for table in found if [*found[table].items()] != [*declared[table][1].items()]
    ]
    try:
        for table in outdated:
            _carry_over(con, *declared[table], found[table])
    except _Unfit as error:
        if not anew:
            raise MatterhouseError(
                "the warehouse was made by another version of matterhouse, whose history does not"
                f" fit into the tables of this one ({error}): build with that version, or say"
                " `matterhouse build --full`, which begins anew with what the source says"
            ) from error
        for schema in build.SCHEMAS:
            con.execute(f"drop schema {schema} cascade")
        return []
    for table in found:
        file, _ = declared[table]
        if not comments.are_written(con, file):
            comments.write(con, file)
    return sorted(outdated)


def _read_declared() -> dict[str, tuple[SqlFile, Columns]]:
    """Return the tables that sql/ declares, with the columns that DuckDB makes of them."""
    declared = {file.name: file for folder in ("raw", "ops") for file in files(folder)}
    with connect() as scratch:
        for schema in build.SCHEMAS:
            scratch.execute(f"create schema {schema}")
        for file in declared.values():
            build.execute(scratch, file, file.sql)
        return {
            table: (declared[table], columns) for table, columns in _read_columns(scratch).items()
        }


def _read_columns(con: Connection) -> dict[str, Columns]:
    return {
        table.full_name: {column.name: column.type for column in table.columns}
        for table in read_tables(con)
    }


def _carry_over(con: Connection, file: SqlFile, declared: Columns, found: Columns) -> None:
    """Make a table anew, with the rows that it has; what the source says is read again anyhow."""
    lost = sorted(found.keys() - declared.keys())
    if lost and file.name not in STATE_TABLES:
        raise _Unfit(f"{file.name} has {', '.join(lost)}")
    cast = "try_cast" if file.name in STATE_TABLES else "cast"
    values = ", ".join(
        f"{cast}({sql_identifier(column)} as {kind}) as {sql_identifier(column)}"
        for column, kind in declared.items()
        if column in found
    )
    earlier = f"earlier_{file.stem}"
    con.execute(f"alter table {sql_table(file.name)} rename to {sql_identifier(earlier)}")
    build.execute(con, file, file.sql)
    comments.write(con, file)
    kept = sql_identifier(file.folder, earlier)
    if values:
        _insert(con, file, f"insert into {file.name} by name select {values} from {kept}")
    con.execute(f"drop table {kept}")


def _insert(con: Connection, file: SqlFile, sql: str) -> None:
    import duckdb

    try:
        con.execute(sql)
    except duckdb.ConversionException as error:
        raise _Unfit(f"{file.name}: {first_line(error)}") from error
