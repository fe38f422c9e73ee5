"""The tables of a warehouse as DuckDB's catalogue describes them: columns, types and comments."""

from dataclasses import dataclass
from itertools import groupby

from flows.warehouse.connection import Connection

_COLUMNS = """
    select
        schema_name,
        table_name,
        duckdb_tables.comment,
        column_name,
        data_type,
        duckdb_columns.comment,
    from duckdb_columns()
    inner join duckdb_tables() using (database_name, schema_name, table_name)
    where database_name = current_database() and not temporary
    order by
        list_position(['marts', 'staging', 'raw', 'ops'], schema_name),
        schema_name,
        table_name,
        column_index
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column, its type and what it means; somebody else's has no comment."""

    name: str
    type: str
    comment: str | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table, what it holds, and its columns in order."""

    schema: str
    name: str
    comment: str | None
    columns: tuple[Column, ...]

    @property
    def full_name(self) -> str:
        """The name with its schema, as people write it."""
        return f"{self.schema}.{self.name}"


def read_tables(con: Connection) -> list[Table]:
    """Return all tables, those to look at first at the top."""
    rows = con.execute(_COLUMNS).fetchall()
    return [
        Table(schema, name, comment, tuple(Column(*row[3:]) for row in columns))
        for (schema, name, comment), columns in groupby(rows, key=lambda row: row[:3])
    ]
