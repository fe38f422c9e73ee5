"""The warehouse's tables and comments → a sources.yml for dbt."""

from itertools import groupby
from typing import Any

import yaml

from flows.warehouse.connection import Connection

# The alias under which docs/tools.md attaches the warehouse: a dbt project has a file of its own.
DATABASE = "matterhouse"
_COLUMNS = """
    select
        schema_name,
        table_name,
        duckdb_tables.comment,
        column_name,
        duckdb_columns.data_type,
        duckdb_columns.comment,
    from duckdb_columns()
    inner join duckdb_tables() using (database_name, schema_name, table_name)
    where not duckdb_tables.temporary
    order by
        list_position(['marts', 'staging', 'raw', 'ops'], schema_name),
        schema_name,
        table_name,
        column_index
"""


def sources(con: Connection) -> str:
    """Return the text of a sources.yml: a source per schema, with each table and column."""
    rows = con.execute(_COLUMNS).fetchall()
    listed = [
        {
            "name": schema,
            "database": DATABASE,
            "schema": schema,
            "tables": [
                _table(table, list(columns))
                for table, columns in groupby(of_schema, key=lambda row: row[1])
            ],
        }
        for schema, of_schema in groupby(rows, key=lambda row: row[0])
    ]
    content = {"version": 2, "sources": listed}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def _table(name: str, columns: list[tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "name": name,
        "description": columns[0][2] or "",
        "columns": [
            {"name": column, "data_type": kind, "description": comment or ""}
            for _, _, _, column, kind, comment in columns
        ],
    }
