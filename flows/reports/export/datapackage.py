"""An export → its datapackage.json (Data Package v2): every table, column, type and comment."""

import re
from collections.abc import Mapping
from typing import Any

from flows.warehouse.catalog import Table, read_tables
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


def describe_export(con: Connection, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the files of an export's manifest, with the comments of the warehouse.

    Sizes are left out: readers compare them with what they count themselves, which for Parquet is
    nothing.
    """
    known = {table.full_name: table for table in read_tables(con)}
    return {
        "$schema": _PROFILE,
        "name": "matterhouse",
        "title": "Topics, providers and scores of curated articles",
        "version": manifest["run_id"],
        "resources": [
            _describe_table(written, manifest["format"], known[written["table"]])
            for written in manifest["tables"]
        ],
    }


def _describe_table(written: Mapping[str, Any], file_format: str, table: Table) -> dict[str, Any]:
    return {
        "name": table.full_name,
        "type": "table",
        "path": written["file"],
        "format": file_format,
        "mediatype": _MEDIA_TYPES[file_format],
        "encoding": "utf-8",
        "hash": f"sha256:{written['sha256']}",
        **_describe(table.comment),
        "schema": {
            "fields": [
                {"name": column.name, **_name_type(column.type), **_describe(column.comment)}
                for column in table.columns
            ]
        },
    }


def _describe(comment: str | None) -> dict[str, str]:
    # A table that somebody added has no comments.
    return {"description": comment} if comment else {}


def _name_type(kind: str) -> dict[str, str]:
    found = next((ours for pattern, ours in _TYPES if re.fullmatch(pattern, kind)), "string")
    # DuckDB writes times into CSV with a space between date and time.
    return {"type": found, "format": "any"} if found == "datetime" else {"type": found}
