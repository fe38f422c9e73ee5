"""ops.mapping → which key fed which column: lines for a receipt, rows for one run."""

from typing import Any

from flows.warehouse.connection import Connection, fetch_rows, open_readonly
from flows.warehouse.paths import WarehousePaths
from flows.words import spell

# What every trend hangs on, and how its line begins.
_TOLD = {"published_at": "published_at", "topics": "topics", "provider_name": "providers"}
_NAMED_KEYS = 3


def read_mapping(paths: WarehousePaths, run_id: str) -> list[dict[str, Any]]:
    """Return what fed each column in a run, the most frequent keys first; nothing if it failed."""
    if not paths.warehouse.exists():
        return []
    with open_readonly(paths) as con:
        return _fetch(con, run_id)


def describe_new(con: Connection) -> list[str]:
    """Say what feeds dates, topics and providers, if the last run mapped them in a new way."""
    last = "select run_id, mapping_hash from ops.runs order by started_at desc limit 2"
    (run_id, mapping_hash), *before = con.execute(last).fetchall()
    if before and before[0][1] == mapping_hash:
        return []
    rows = _fetch(con, run_id)
    return [line for column, words in _TOLD.items() if (line := _describe(column, words, rows))]


def _fetch(con: Connection, run_id: str) -> list[dict[str, Any]]:
    return fetch_rows(
        con,
        """
        select column_name as "column", key, articles, warnings
        from ops.mapping
        where run_id = $run_id
        order by column_name, articles desc, warnings desc, key
        """,
        {"run_id": run_id},
    )


def _describe(column: str, words: str, rows: list[dict[str, Any]]) -> str:
    keys = [row for row in rows if row["column"] == column]
    fed = [f"`{row['key']}` in {row['articles']:,}" for row in keys if row["articles"]]
    if not fed:
        return ""
    fed[0] += " file" if keys[0]["articles"] == 1 else " files"
    rest = f" and {len(fed) - _NAMED_KEYS} more" if len(fed) > _NAMED_KEYS else ""
    unfit = sum(row["warnings"] for row in keys)
    warnings = f"; {spell(unfit, 'value')} did not fit" if unfit else ""
    return f"{words} from {', '.join(fed[:_NAMED_KEYS])}{rest}{warnings}"
