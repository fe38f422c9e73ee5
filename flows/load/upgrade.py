"""A warehouse of an earlier version → tables of today's shape, with its ledger and its history.

sql/raw and sql/ops say which columns a table has. One that has others is made anew, and its rows
are carried over by the names of their columns. What the source says is read again after that.
"""

from flows import MatterhouseError
from flows.load import ledger, origins
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
# Earlier names of tables and columns, and columns that only an earlier version needed.
RENAMED_TABLES = {"raw.taxonomy": "raw.terms"}
RENAMED_COLUMNS = {("raw.article_versions", "title"): "title_text"}
DROPPED_COLUMNS = {"ops.files": {"mtime_ns", "ctime_ns", "inode", "warnings"}}
DROPPED_MACROS = ("calendar", "movement", "topic_names")


def upgrade(con: Connection, sql_hash: str) -> list[str]:
    """Give tables of an earlier version today's shape, and name them.

    `sql_hash` is that of the SQL files at hand; a warehouse carries the one that it was built by.
    """
    if "ops.runs" not in table_names(con) or not ledger.is_outdated(con, sql_hash):
        return []
    _rename(con)
    declared = _read_declared()
    found = {table: columns for table, columns in _read_columns(con).items() if table in declared}
    # As lists: the order of columns counts, too.
    outdated = [
        table for table in found if [*found[table].items()] != [*declared[table][1].items()]
    ]
    lacks_origins = "origin_id" not in found.get("raw.article_versions", {"origin_id": ""})
    for table in outdated:
        _carry_over(con, *declared[table], found[table])
    if lacks_origins:
        origins.fill(con)
    for table in found:
        file, _ = declared[table]
        if not comments.are_written(con, file):
            comments.write(con, file)
    return sorted(outdated)


def _rename(con: Connection) -> None:
    there = table_names(con)
    for earlier, later in RENAMED_TABLES.items():
        if earlier in there and later not in there:
            name = later.partition(".")[2]
            con.execute(f"alter table {sql_table(earlier)} rename to {sql_identifier(name)}")
            _drop_macros(con)


def _drop_macros(con: Connection) -> None:
    found = con.execute(
        """
        select distinct function_name, function_type
        from duckdb_functions()
        where schema_name = 'main' and list_contains($names, function_name) and not internal
        order by all
        """,
        {"names": list(DROPPED_MACROS)},
    ).fetchall()
    for name, kind in found:
        con.execute(f"drop macro{' table' * (kind == 'table_macro')} {sql_identifier(name)}")


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
    table = file.name
    renamed = {later: name for (of, name), later in RENAMED_COLUMNS.items() if of == table}
    sources = {
        column: column if column in found else renamed.get(column, column) for column in declared
    }
    lost = set(found) - set(sources.values()) - DROPPED_COLUMNS.get(table, set())
    if lost and table not in STATE_TABLES:
        raise MatterhouseError(
            f"{table} of the warehouse has columns that {file.place} has not:"
            f" {', '.join(sorted(lost))}. Nothing of a history is dropped: build with the version"
            " of matterhouse that made it, or put the columns back"
        )
    # What the source says is read again: a value that does not fit any more need not be kept.
    cast = "try_cast" if table in STATE_TABLES else "cast"
    values = ", ".join(
        f"{cast}({sql_identifier(source)} as {declared[column]}) as {sql_identifier(column)}"
        for column, source in sources.items()
        if source in found
    )
    earlier = f"earlier_{file.stem}"
    con.execute(f"alter table {sql_table(table)} rename to {sql_identifier(earlier)}")
    build.execute(con, file, file.sql)
    comments.write(con, file)
    kept = sql_identifier(file.folder, earlier)
    if values:
        _insert(con, file, f"insert into {table} by name select {values} from {kept}")
    con.execute(f"drop table {kept}")


def _insert(con: Connection, file: SqlFile, sql: str) -> None:
    import duckdb

    try:
        con.execute(sql)
    except duckdb.ConversionException as error:
        raise MatterhouseError(
            f"rows of {file.name} do not fit the types of {file.place} ({first_line(error)}):"
            " build with the version of matterhouse that made the warehouse, or change the types"
        ) from error
