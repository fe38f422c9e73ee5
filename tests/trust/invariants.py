"""What must hold of a warehouse whatever happened to the builds before."""

from pathlib import Path
from typing import Any

import duckdb

from flows.models import checks
from flows.warehouse.generations import generation_ids
from flows.warehouse.paths import WarehousePaths

Contents = dict[str, list[tuple[Any, ...]]]
# Run ids, times and marks differ between two builds of the same files; nothing else may.
_PASSING = (
    "run_id",
    "observed_at",
    "first_seen_at",
    "changed_at",
    "gone_at",
    "valid_from",
    "valid_to",
    "days_to_arrival",
    "arrived_at",
)
_OF_THE_DISK = ("mark",)


def contents(warehouse: Path, *schemas: str) -> Contents:
    """Return the rows of every table that two builds of the same files must agree on."""
    found: Contents = {}
    with duckdb.connect(str(warehouse.resolve()), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        tables = con.execute(
            """
            select schema_name, table_name, list(column_name order by column_index)
            from duckdb_columns()
            where
                not internal
                and schema_name in (select unnest($schemas::varchar[]))
                and not contains(data_type, 'first_seen_at')
            group by all
            order by all
            """,
            {"schemas": list(schemas or ("raw", "ops", "staging", "marts"))},
        ).fetchall()
        for schema, table, columns in tables:
            if table in ("runs", "mapping", "arrivals"):
                continue  # Their rows are about the runs themselves, and when they were.
            # Shorter periods of observation can end between the two builds that are compared.
            is_of_observation = table in ("quality_changes", "quality_changes_by")
            chosen = "where time_grain = 'year'" if is_of_observation else ""
            kept = [f'"{c}"' for c in columns if c not in (*_PASSING, *_OF_THE_DISK)]
            if not kept:
                continue  # Nothing but times.
            found[f"{schema}.{table}"] = con.execute(
                f"select {', '.join(kept)} from {schema}.{table} {chosen} order by all"
            ).fetchall()
    return found


def faults(warehouse: Path) -> list[str]:
    """Open the published file and return what is wrong with it; nothing, if all is well."""
    with duckdb.connect(str(warehouse.resolve()), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        found = [str(check) for check in checks.run(con) if check.severity == "error"]
        twice = con.execute(
            """
            select article_id, run_id
            from raw.article_versions
            group by all
            having count(*) > 1
            order by all
            """
        ).fetchall()
    return found + [f"duplicate version {row}" for row in twice]


def strays(warehouse: Path) -> list[str]:
    """Return the files beside a warehouse that no finished run leaves there."""
    paths = WarehousePaths(warehouse)
    expected = {warehouse, paths.receipts, paths.lock, paths.failed, paths.generations}
    beside = set(warehouse.parent.glob(f"*{warehouse.stem}*")) - expected
    generations = {paths.generation(run_id) for run_id in generation_ids(paths)}
    folders = {file.parent for file in generations}
    inside = set(paths.generations.rglob("*")) - generations - folders
    return sorted(str(path.relative_to(warehouse.parent)) for path in beside | inside)
