"""A run → one sentence for everybody, and up to three lines: what to fix, what moves, how good."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flows.pipeline.receipt import Receipt
from flows.reports import mapping
from flows.reports.console.views import spell_place
from flows.reports.messages.problems import News, read_news
from flows.reports.sentences import summarize
from flows.warehouse.connection import Connection
from flows.words import escape_control, spell


def describe(con: Connection, receipt: Receipt) -> Receipt:
    """Add to a receipt what the run amounts to, read from the tables that it made."""
    if not receipt.published:
        return replace(receipt, message=f"Nothing changed in {spell(receipt.seen, 'file')}.")
    found = read_news(con, receipt.run_id, receipt.failed_checks)
    details = [*_say_first_to_fix(found), *_say_moves(con, receipt)]
    return replace(
        receipt,
        message=_say_counts(receipt, found),
        details=[escape_control(line) for line in details],
        feeds=[escape_control(line) for line in mapping.describe_new(con)],
    )


def _say_moves(con: Connection, receipt: Receipt) -> list[str]:
    """Say what moves; nothing where a sql/ of one's own has no such reports."""
    import duckdb

    if not receipt.loaded:
        return []
    try:
        return list(summarize(con).sentences()[1:])
    except duckdb.CatalogException:
        return []


def _say_counts(receipt: Receipt, found: News) -> str:
    counts = _join_counts(
        {
            "new": receipt.new,
            "changed": receipt.changed,
            "moved": receipt.renamed,
            "gone": receipt.gone,
        }
    )
    bad = _join_counts(
        {
            "newly quarantined": len(found.newly_quarantined),
            "no longer taken for articles": len(found.newly_excluded),
        }
    )
    checks = len(receipt.failed_checks)
    findings = f"{spell(checks, 'check')} found something" if checks else ""
    parts = [f"{spell(receipt.seen, 'file')}: {counts or 'no change'}", bad, findings]
    return f"{'; '.join(filter(None, parts))}."


def _join_counts(counts: dict[str, int]) -> str:
    """Return the counts that are not zero, with their names."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)


def _say_first_to_fix(found: News) -> Sequence[str]:
    files: Sequence[dict[str, Any]] = (*found.newly_quarantined, *found.newly_excluded)
    return [f"Fix {spell_place(file)} first: {file['reason']} {file['hint']}" for file in files[:1]]
