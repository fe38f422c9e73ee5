"""The warehouse's tables and comments → a sources.yml for dbt."""

from itertools import groupby
from typing import Any

import yaml

from flows.warehouse.catalog import Table, read_tables
from flows.warehouse.connection import Connection

# The alias under which docs/tools.md attaches the warehouse: a dbt project has a file of its own.
DATABASE = "matterhouse"


def write_sources(con: Connection) -> str:
    """Return the text of a sources.yml: a source per schema, with each table and column."""
    listed = [
        {
            "name": schema,
            "database": DATABASE,
            "schema": schema,
            "tables": [_describe_table(table) for table in tables],
        }
        for schema, tables in groupby(read_tables(con), key=lambda table: table.schema)
    ]
    content = {"version": 2, "sources": listed}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def _describe_table(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "description": table.comment or "",
        "columns": [
            {"name": column.name, "data_type": column.type, "description": column.comment or ""}
            for column in table.columns
        ],
    }
