"""What a run leaves for the readers of an orchestrator's pages: Markdown and tables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.reports.movers import MOVERS, PROVIDER_MOVERS
from flows.warehouse.connection import Connection, fetch_rows, open_readonly
from flows.warehouse.paths import WarehousePaths
from flows.words import escape_control

_SHOWN_ROWS = 100
_SHOWN_MOVERS = 20
_QUARANTINE = f"""
select path, line, "column", reason_code, reason, hint, changed_at::varchar as since
from ops.files
where status = 'quarantined'
order by changed_at desc, path
limit {_SHOWN_ROWS}
"""
_MARKUP = re.compile(r"[!-/:-@\[-`{-~]")
_COUNTS = (
    "seen",
    "loaded",
    "quarantined",
    "excluded",
    "new",
    "changed",
    "unchanged",
    "renamed",
    "returned",
    "gone",
    "warnings",
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to show under a key; text in them is free of control characters."""

    key: str
    description: str
    rows: list[dict[str, Any]]


def read_tables(paths: WarehousePaths, receipt: Mapping[str, Any]) -> list[Table]:
    """Return the failed checks and, from the published warehouse, quarantine and movers."""
    checks = [{"check": escape_control(check)} for check in receipt.get("failed_checks", ())]
    found = [Table("failed-checks", "Checks that returned rows", checks)]
    if not paths.warehouse.exists():
        return found
    with open_readonly(paths) as con:
        return [
            *found,
            Table("quarantine", "Files to fix, the newest first", _fetch(con, _QUARANTINE)),
            Table(
                "topic-movers",
                "Topics whose last 28 days differ from the year before by more than chance",
                _fetch(con, f"{MOVERS} limit {_SHOWN_MOVERS}"),
            ),
            Table(
                "provider-movers",
                "Providers whose last 28 days differ from the year before by more than chance",
                _fetch(con, f"{PROVIDER_MOVERS} limit {_SHOWN_MOVERS}"),
            ),
        ]


def _fetch(con: Connection, sql: str) -> list[dict[str, Any]]:
    return [
        {
            name: escape_control(value) if isinstance(value, str) else value
            for name, value in row.items()
        }
        for row in fetch_rows(con, sql)
    ]


def to_markdown(receipt: Mapping[str, Any]) -> str:
    """Say a receipt in Markdown; what comes from files stands as code, where nothing is markup."""
    blocks = [
        _to_plain(line) for line in (receipt.get("message"), *receipt.get("details", ())) if line
    ]
    if page := receipt.get("page"):
        blocks.append(f"[{_code(page)}]({Path(page).as_uri()})")
    blocks += [f"# Run {receipt['run_id']}", _say_verdict(receipt)]
    if "seen" in receipt:
        blocks += [
            _draw("files", "", [(name, f"{receipt[name]:,}") for name in _COUNTS]),
            _draw("stage", "seconds", [(s, f"{v:.2f}") for s, v in receipt["seconds"].items()]),
            _draw("table", "rows", [(t, f"{n:,}") for t, n in sorted(receipt["tables"].items())]),
        ]
    if receipt.get("dropped_tables"):
        names = ", ".join(map(_code, receipt["dropped_tables"]))
        blocks.append(f"Dropped, as no SQL file makes them any more: {names}")
    if receipt.get("new_keys"):
        blocks.append(f"New keys, kept in `extra`: {', '.join(map(_code, receipt['new_keys']))}")
    if receipt.get("failed_checks"):
        blocks.append("\n".join(f"- {_code(check)}" for check in receipt["failed_checks"]))
    blocks.append(f"Source {_code(receipt['source'])}, warehouse {_code(receipt['warehouse'])}")
    return "\n\n".join(blocks) + "\n"


def _draw(left: str, right: str, rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join([f"| {left} | {right} |", "|---|--:|", *(f"| {a} | {b} |" for a, b in rows)])


def _say_verdict(receipt: Mapping[str, Any]) -> str:
    if error := receipt.get("error"):
        published = "The run itself" if receipt.get("published") else "Nothing"
        return f"**Failed**: {_code(error)}. {published} was published."
    return "**Published**" if receipt["published"] else "**Nothing changed**"


def _code(text: object) -> str:
    return f"`{escape_control(text).replace('`', chr(39))}`"


def _to_plain(text: str) -> str:
    """Return text in which nothing is markup, nor a link."""
    return _MARKUP.sub(r"\\\g<0>", escape_control(text))
