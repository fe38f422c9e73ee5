"""Tables → Parquet (CSV, JSON) files in a folder that is replaced as a whole, with a manifest."""

import ctypes
import fnmatch
import hashlib
import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import MatterhouseError
from flows.reports.datapackage import DATAPACKAGE, datapackage
from flows.warehouse.connection import (
    row_count,
    sql_identifier,
    sql_literal,
    sql_table,
    table_names,
)

if TYPE_CHECKING:
    import duckdb

MANIFEST = "manifest.json"
OPTIONS = {
    "parquet": "format parquet, compression zstd",
    "csv": "format csv, header",
    "json": "format json, array true",
}
# What a spreadsheet takes for the beginning of a formula.
FORMULA = r"^[=+\-@\t\r]"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


class NoSuchTable(MatterhouseError):
    """No table of the warehouse matches the pattern."""


class NameIsNoFileName(MatterhouseError):
    """A table that somebody added has a name that could lead out of the folder."""


class NotAnExport(MatterhouseError):
    """The folder holds something else than an export, so it is not replaced."""


def export(
    con: "duckdb.DuckDBPyConnection",
    folder: Path,
    *,
    file_format: str = "parquet",
    patterns: Sequence[str] = ("marts.*",),
) -> dict[str, Any]:
    """Write the tables that match into `folder` and return the manifest.

    The same data gives the same bytes: rows are ordered by all columns and written by one thread.
    """
    if folder.exists() and not (folder.is_dir() and _is_replaceable(folder)):
        raise NotAnExport(
            f"{folder} exists and has no {MANIFEST} of an export in it: name another folder"
        )
    tables = _matching(con, patterns)
    con.execute("set threads = 1")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Two exports at once must not write into each other's files.
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        run = con.execute("select max(run_id) from ops.runs").fetchall()[0][0]
        manifest = {
            "run_id": run,
            "format": file_format,
            "tables": [_write(con, table, partial, file_format) for table in tables],
        }
        described = datapackage(con, manifest)
        for name, content in ((MANIFEST, manifest), (DATAPACKAGE, described)):
            (partial / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        _replace_folder(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


def _is_replaceable(folder: Path) -> bool:
    return (folder / MANIFEST).exists() or not any(folder.iterdir())


def _matching(con: "duckdb.DuckDBPyConnection", patterns: Sequence[str]) -> list[str]:
    names = table_names(con)
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise NoSuchTable(
                f"no table matches {pattern!r}: `matterhouse tables` lists them all,"
                " and a pattern looks like marts.* or raw.articles"
            )
    chosen = [name for name in names if any(fnmatch.fnmatchcase(name, p) for p in patterns)]
    if odd := [name for name in chosen if not re.fullmatch(r"\w+\.\w+", name)]:
        raise NameIsNoFileName(
            f"no file can be named after {', '.join(map(repr, odd))}: rename the table to letters,"
            " digits and _, or leave it out with --tables"
        )
    return chosen


def _write(
    con: "duckdb.DuckDBPyConnection", table: str, folder: Path, file_format: str
) -> dict[str, Any]:
    columns = [
        (name, kind) for name, kind, *_ in con.execute(f"describe {sql_table(table)}").fetchall()
    ]
    chosen = ", ".join(_column(name, kind, file_format) for name, kind in columns)
    file = folder / f"{table}.{file_format}"
    con.execute(
        f"copy (select {chosen} from {sql_table(table)} order by all)"
        f" to {sql_literal(file)} ({OPTIONS[file_format]})"
    )
    with file.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
        os.fsync(written.fileno())
    return {
        "table": table,
        "file": file.name,
        "rows": row_count(con, table),
        "columns": [{"name": name, "type": kind} for name, kind in columns],
        "sha256": digest,
    }


def _column(name: str, kind: str, file_format: str) -> str:
    quoted = sql_identifier(name)
    if kind == "JSON" and file_format == "parquet":
        # Other readers do not know Parquet's JSON type.
        return f"{quoted}::varchar as {quoted}"
    if kind in ("VARCHAR", "JSON") and file_format == "csv":
        guarded = f"case when regexp_matches({quoted}, '{FORMULA}') then '''' || {quoted}"
        return f"{guarded} else {quoted} end as {quoted}"
    return quoted


def _replace_folder(new: Path, old: Path) -> None:
    """Put a folder in the place of another: at once on Linux, otherwise in two renames."""
    if not old.exists():
        new.rename(old)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    exchange = getattr(libc, "renameat2", None)
    if exchange is None or exchange(
        _AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(old), _RENAME_EXCHANGE
    ):
        aside = old.with_name(f".{old.name}.replaced")
        shutil.rmtree(aside, ignore_errors=True)
        old.rename(aside)
        new.rename(old)
        shutil.rmtree(aside)
