"""The tables of a warehouse and their columns, with what each means."""

from typing import Any, TypeAlias

from flows import MatterhouseError
from flows.warehouse.catalog import read_tables
from flows.warehouse.connection import Connection, row_count

# Names of columns, and the rows below them.
Listing: TypeAlias = tuple[tuple[str, ...], list[tuple[Any, ...]]]


def list_tables(con: Connection) -> Listing:
    """List the tables, those to look at first at the top."""
    found = [(table.full_name, table.comment) for table in read_tables(con)]
    rows = [(name, row_count(con, name), comment) for name, comment in found]
    return ("table", "rows", "what it holds"), rows


def list_columns(con: Connection, name: str) -> Listing:
    """List the columns of a table."""
    found = next((table for table in read_tables(con) if table.full_name == name), None)
    if found is None:
        raise MatterhouseError(f"there is no table {name}: `matterhouse tables` lists them all")
    rows = [(column.name, column.type, column.comment) for column in found.columns]
    return ("column", "type", "meaning"), rows
