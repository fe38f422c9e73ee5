"""A relation → its rows as CSV, JSON or Parquet, written by DuckDB's `copy`."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb

from flows.warehouse.connection import sql_identifier, sql_literal

_OPTIONS = {
    "parquet": "format parquet, compression zstd",
    "csv": "format csv, header",
    "excel": "format csv, header",
    "json": "format json, array true",
}
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = r"^[=+\-@\t\r]"
# What DuckDB says of a thread that could not write.
_OF_A_THREAD = re.compile(r'\{"exception_type".*\}')
# The name by which `copy` knows the relation while it is written.
_RELATION = "rows to write"


def write(relation: duckdb.DuckDBPyRelation, file: Path, file_format: str) -> None:
    """Write all rows to a file, a pipe or a device; columns of one name become `n`, `n_1`."""
    source = f"from {sql_identifier(_RELATION)}"
    unique: Any = relation.query(_RELATION, source)
    columns = zip(unique.columns, unique.types, strict=True)
    chosen = ", ".join(
        # Without a byte order mark, Excel takes the text for another encoding.
        _select_column(name, kind, file_format, mark="" if at else "\ufeff")
        for at, (name, kind) in enumerate(columns)
    )
    # Without a temporary file beside it: the path may be a pipe's, and is the only one allowed.
    statement = (
        f"copy (select {chosen} {source}) to {sql_literal(file)}"
        f" ({_OPTIONS[file_format]}, use_tmp_file false)"
    )
    try:
        relation.query(_RELATION, statement)
    except duckdb.IOException as error:
        if said := _OF_A_THREAD.search(str(error)):
            raise duckdb.IOException(json.loads(said[0])["exception_message"]) from error
        raise


def _select_column(name: str, kind: Any, file_format: str, mark: str) -> str:
    column = sql_identifier(name)
    match file_format:
        case "json":
            return f"{_to_json(column, kind)} as {column}"
        case "excel":
            guarded = f"'{name}" if re.match(_FORMULA, name) else name
            return f"{_guard(column, kind)} as {sql_identifier(mark + guarded)}"
        case "parquet" if str(kind) == "JSON":
            # Other readers do not know Parquet's JSON type.
            return f"{column}::varchar as {column}"
    return column


def _guard(column: str, kind: Any) -> str:
    """Keep a spreadsheet from running a text as a formula."""
    if not str(kind).startswith(("VARCHAR", "JSON", "ENUM")):
        return column
    text = f"{column}::varchar"
    return f"case when regexp_matches({text}, '{_FORMULA}') then '''' || {text} else {text} end"


def _to_json(value: str, kind: Any) -> str:
    """Say what JSON has no word for: null for NaN and infinity, times as in ISO 8601."""
    if kind.id in ("float", "double"):
        return f"case when isfinite({value}) then {value} end"
    if kind.id.startswith("timestamp"):
        return rf"regexp_replace(replace({value}::varchar, ' ', 'T'), '([+-]\d\d)$', '\1:00')"
    if kind.id in ("list", "array"):
        item = _to_json("item", dict(kind.children)["child"])
        return f"list_transform({value}, lambda item: {item})"
    if kind.id == "map":
        item = _to_json("item.value", kind.value)
        entries = f"list_transform(map_entries({value}), lambda item: {{k: item.key, v: {item}}})"
        return f"map_from_entries({entries})"
    # A row without names has no names to keep.
    if kind.id == "struct" and all(name for name, _ in kind.children):
        fields = ", ".join(
            f"{sql_identifier(name)}: {_to_json(item, field)}"
            for name, field in kind.children
            for item in [f"struct_extract({value}, {sql_literal(name)})"]
        )
        return f"case when {value} is not null then {{{fields}}} end"
    return value
