"""How the runs went: what each read, how long it took, what was wrong."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flows.reports.page import svg
from flows.reports.page.figure import Figure, Section, fetch
from flows.reports.page.grid import Cell, as_number, draw_grid
from flows.warehouse.connection import Connection
from flows.words import cut, escape_control, spell

_SHOWN = 10
RUNS = f"""\
select
    started_at,
    new + changed as read_files,
    gone,
    quarantined,
    warnings,
    coalesce(failed_checks, []) as failed_checks,
    new_keys,
    list_sum(map_values(seconds)) as seconds,
from ops.runs
order by started_at desc
limit {_SHOWN}"""
_NO_COUNTS = dict.fromkeys(("read_files", "gone", "quarantined", "warnings", "seconds"))


def draw_section(con: Connection, receipts: Sequence[Mapping[str, Any]]) -> Section:
    """List the latest runs that published or failed: what they found, how long they took."""
    published = fetch(con, RUNS)
    both = [*published, *_list_failed(receipts)]
    rows = sorted(both, key=lambda row: row["started_at"], reverse=True)[:_SHOWN]
    if not published:
        return Section("runs", "Runs", empty="No run has published yet.")
    figure = Figure(
        title=_say_title(rows[0]),
        lead="Runs that published something or failed, the newest first. The SQL lists those that"
        " published, `matterhouse runs` all.",
        sql=RUNS,
        grid=draw_grid(
            rows,
            {
                "Run (UTC)": lambda row: Cell(f"{row['started_at']:%Y-%m-%d %H:%M}"),
                "Read": as_number("read_files"),
                "Gone": as_number("gone"),
                "Quarantined": as_number("quarantined"),
                "Warnings": as_number("warnings"),
                "Seconds": as_number("seconds", 1),
                "What was wrong": lambda row: Cell(
                    "; ".join(cut(fault, 200) for fault in row["failed_checks"]) or "nothing"
                ),
            },
        ),
    )
    return Section("runs", "Runs", [figure])


def _list_failed(receipts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **_NO_COUNTS,
            "started_at": datetime.fromisoformat(receipt["started_at"]),
            "failed_checks": [escape_control(f"failed: {receipt['error']}")],
        }
        for receipt in receipts
        if receipt.get("error") and receipt.get("started_at")
    ]


def _say_title(last: Mapping[str, Any]) -> str:
    when = f"{last['started_at']:%Y-%m-%d at %H:%M} UTC"
    if last["seconds"] is None:
        return f"The run of {when} {cut(last['failed_checks'][0], 120)}"
    return (
        f"The last run that published was on {when}, read {spell(last['read_files'], 'file')}"
        f" and took {svg.number(last['seconds'], 1)} s"
    )
