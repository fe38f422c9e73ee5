"""Tables → Parquet (CSV, JSON) files in a folder, with a manifest of what was written."""

import fnmatch
import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows import MatterhouseError
from flows.replace import sync
from flows.reports.export import folder as folders
from flows.reports.export import rows
from flows.reports.export.datapackage import DATAPACKAGE, describe_export
from flows.reports.export.folder import MADE_BY, MANIFEST
from flows.warehouse.connection import Connection, row_count, sql_table, table_names


@dataclass(frozen=True, slots=True)
class Export:
    """What was written; `is_whole` if no reader can have seen files of two exports together."""

    manifest: dict[str, Any]
    is_whole: bool


def export(
    con: Connection,
    folder: Path,
    *,
    file_format: str = "parquet",
    patterns: Sequence[str] = ("marts.*",),
) -> Export:
    """Write the tables that match into `folder`, in place of an earlier export's files.

    The same data gives the same bytes: rows are ordered by all columns and written by one thread.
    """
    tables = {name: f"{name}.{file_format}" for name in match_tables(con, patterns)}
    files = [MANIFEST, DATAPACKAGE, *tables.values()]
    target = Path(os.path.realpath(folder))
    ours = folders.check_folder(folder, target, set(files))
    is_whole = folders.can_be_exchanged(target, ours)
    # Two exports at once must not write into each other's files.
    unique = f".{target.name}.partial-{secrets.token_hex(4)}"
    partial = target.with_name(unique) if is_whole else target / unique
    partial.mkdir(parents=True)
    try:
        manifest = {
            "made_by": MADE_BY,
            "run_id": con.execute("select arg_max(run_id, started_at) from ops.runs").fetchall()[0][
                0
            ],
            "format": file_format,
            "files": files,
            "tables": _write_tables(con, tables, partial),
        }
        for name, content in ((MANIFEST, manifest), (DATAPACKAGE, describe_export(con, manifest))):
            (partial / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
            sync(partial / name)
        is_whole = is_whole and folders.exchange(partial, target, ours)
        if not is_whole:
            folders.replace_one_by_one(partial, target, ours)
    finally:
        folders.remove(partial, files)
    return Export(manifest, is_whole)


def match_tables(con: Connection, patterns: Sequence[str]) -> list[str]:
    """Return the tables whose names match, in order; a pattern without any is a mistake."""
    names = table_names(con)
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise MatterhouseError(
                f"no table matches {pattern!r}: `matterhouse tables` lists them all,"
                " and a pattern looks like marts.* or raw.articles"
            )
    chosen = [name for name in names if any(fnmatch.fnmatchcase(name, p) for p in patterns)]
    if odd := [name for name in chosen if "/" in name or not name.isprintable()]:
        raise MatterhouseError(
            f"no file can be named after {', '.join(map(repr, odd))}: rename the table, or leave it"
            " out with --tables"
        )
    return chosen


def _write_tables(con: Connection, tables: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    con.execute("set threads = 1")
    written = []
    for table, name in tables.items():
        file = folder / name
        relation = con.sql(f"from {sql_table(table)} order by all")
        rows.write(relation, file, file.suffix[1:])
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        sync(file)
        columns = zip(relation.columns, relation.types, strict=True)
        written.append(
            {
                "table": table,
                "file": name,
                "rows": row_count(con, table),
                "columns": [{"name": column, "type": str(kind)} for column, kind in columns],
                "sha256": digest,
            }
        )
    return written
