"""The tables of a warehouse and their columns, with what each means."""

from collections.abc import Sequence
from difflib import get_close_matches
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
    tables = {table.full_name: table for table in read_tables(con)}
    if name not in tables:
        meant = _meant([*tables], name)
        guess = f" Did you mean {meant}?" if meant else ""
        raise MatterhouseError(
            f"there is no table {name}.{guess} `matterhouse tables` lists them all"
        )
    rows = [(column.name, column.type, column.comment) for column in tables[name].columns]
    return ("column", "type", "meaning"), rows


def _meant(tables: Sequence[str], typed: str) -> str | None:
    """Return the table that a name without its schema, or with a slip in it, stands for."""
    by_name = {name.partition(".")[2]: name for name in reversed(tables)}
    by_name |= {name: name for name in tables}
    return next((by_name[name] for name in get_close_matches(typed.lower(), by_name, 1)), None)
