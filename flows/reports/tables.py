"""The tables of a warehouse and their columns, with what each means."""

from typing import Any, TypeAlias

from flows import MatterhouseError
from flows.warehouse.connection import Connection, row_count

# Names of columns, and the rows below them.
Listing: TypeAlias = tuple[tuple[str, ...], list[tuple[Any, ...]]]


def tables(con: Connection) -> Listing:
    """List the tables, those to look at first at the top."""
    found = con.execute(
        """
        select schema_name || '.' || table_name, comment
        from duckdb_tables()
        order by list_position(['marts', 'staging', 'raw', 'ops'], schema_name), table_name
        """
    ).fetchall()
    rows = [(table, row_count(con, table), comment) for table, comment in found]
    return ("table", "rows", "what it holds"), rows


def columns(con: Connection, table: str) -> Listing:
    """List the columns of a table."""
    found = con.execute(
        """
        select column_name, data_type, comment
        from duckdb_columns()
        where schema_name || '.' || table_name = $name
        order by column_index
        """,
        {"name": table},
    ).fetchall()
    if not found:
        raise MatterhouseError(f"there is no table {table}: `matterhouse tables` lists them all")
    return ("column", "type", "meaning"), found
