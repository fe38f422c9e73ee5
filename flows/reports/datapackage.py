"""An export → its datapackage.json (Data Package v2): every table, column, type and comment."""

import re
from collections.abc import Mapping
from typing import Any

from flows.warehouse.connection import Connection

DATAPACKAGE = "datapackage.json"
_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_MEDIA_TYPES = {
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv",
    "json": "application/json",
}
_TYPES = (
    (r".*\]", "array"),
    (r"(STRUCT|MAP|JSON)\b.*", "object"),
    (r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?", "integer"),
    (r"(DOUBLE|FLOAT|DECIMAL)\b.*", "number"),
    (r"BOOLEAN", "boolean"),
    (r"DATE", "date"),
    (r"TIMESTAMP.*", "datetime"),
)


def datapackage(con: Connection, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the files of an export's manifest, with the comments of the warehouse.

    Sizes are left out: readers compare them with what they count themselves, which for Parquet is
    nothing.
    """
    about = dict(con.execute(_TABLE_COMMENTS).fetchall())
    meanings = {
        (table, name): text for table, name, text in con.execute(_COLUMN_COMMENTS).fetchall()
    }
    return {
        "$schema": _PROFILE,
        "name": "matterhouse",
        "title": "Topics, providers and scores of curated articles",
        "version": manifest["run_id"],
        "resources": [
            _resource(table, manifest["format"], about, meanings) for table in manifest["tables"]
        ],
    }


def _resource(
    table: Mapping[str, Any],
    file_format: str,
    about: Mapping[str, str],
    meanings: Mapping[tuple[str, str], str],
) -> dict[str, Any]:
    name = table["table"]
    return {
        "name": name,
        "type": "table",
        "path": table["file"],
        "format": file_format,
        "mediatype": _MEDIA_TYPES[file_format],
        "encoding": "utf-8",
        "hash": f"sha256:{table['sha256']}",
        **_said(about.get(name)),
        "schema": {
            "fields": [
                {
                    "name": column["name"],
                    **_typed(column["type"]),
                    **_said(meanings.get((name, column["name"]))),
                }
                for column in table["columns"]
            ]
        },
    }


def _said(comment: str | None) -> dict[str, str]:
    # A table that somebody added has no comments.
    return {"description": comment} if comment else {}


def _typed(kind: str) -> dict[str, str]:
    found = next((ours for pattern, ours in _TYPES if re.fullmatch(pattern, kind)), "string")
    # DuckDB writes times into CSV with a space between date and time.
    return {"type": found, "format": "any"} if found == "datetime" else {"type": found}


_TABLE_COMMENTS = "select schema_name || '.' || table_name, comment from duckdb_tables()"
_COLUMN_COMMENTS = """
    select schema_name || '.' || table_name, column_name, comment from duckdb_columns()
"""
