"""What a run did, counted from the ledger: printed, kept in ops.runs and beside the file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

from flows.load.ledger import Outcomes
from flows.warehouse.connection import Connection, row_counts, table_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Outcomes):
    """Counts are files (`warnings` are values), seconds are per stage, `tables` gives rows.

    `message` is one sentence for everybody, `details` are at most three more. `notes` are for
    whoever started the run; `feeds` says which keys feed what, if that is new.
    """

    run_id: str
    started_at: datetime
    finished_at: datetime
    source: str
    patterns: list[str]
    exclude: list[str]
    config: str | None
    mapping: str | None
    mapping_hash: str | None
    time_zone: str
    language: str | None
    source_commit: str | None
    commits: int | None
    past_quarantined: dict[str, int]
    tool_version: str
    sql_hash: str
    seen: int
    loaded: int
    quarantined: int
    excluded: int
    excluded_by: dict[str, int]
    ignored: int
    warnings: int
    published: bool
    seconds: dict[str, float] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)
    uncounted: dict[str, int] = field(default_factory=dict)
    failed_checks: list[str] = field(default_factory=list)
    dropped_tables: list[str] = field(default_factory=list)
    new_keys: list[str] = field(default_factory=list)
    warehouse: str
    sha256: str | None = None
    message: str = ""
    details: list[str] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        times = {name: getattr(self, name).isoformat() for name in ("started_at", "finished_at")}
        return {"run_id": self.run_id} | asdict(self) | times

    def as_row(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)} | {
            "table_rows": self.tables
        }


def complete(con: Connection, receipt: Receipt, seconds: Mapping[str, float]) -> Receipt:
    """Add what only the end of a run knows: its time and the rows of the tables."""
    tables = row_counts(con, table_names(con))
    # A sql/ of one's own may lack it.
    is_there = "staging.uncounted" in tables
    uncounted = count_by(con, "select reason from staging.uncounted") if is_there else {}
    return replace(
        receipt,
        finished_at=max(datetime.now(UTC), receipt.started_at),
        seconds=dict(seconds),
        tables=tables,
        uncounted=uncounted,
    )


def count_by(con: Connection, reasons: str, **given: str) -> dict[str, int]:
    """Count the rows of a query by its only column."""
    sql = (
        f"select reason, count(*) from ({reasons}) as rows (reason) group by reason order by reason"
    )
    return dict(con.execute(sql, given).fetchall())
