"""Receipt → what somebody has to hear of: what failed, and what a run newly left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows.warehouse.connection import Connection, fetch_rows, open_readonly
from flows.warehouse.paths import WarehousePaths

_OF_THIS_RUN = """
select path, line, "column", reason_code, reason, hint
from ops.files
where changed_at = (select started_at from ops.runs where run_id = $run_id)
"""
_NEWLY_QUARANTINED = f"{_OF_THIS_RUN} and status = 'quarantined' order by path"
_NEWLY_EXCLUDED = f"""
{_OF_THIS_RUN}
    and status = 'excluded'
    -- What earlier runs knew: an article that came and went in commits of the past is no loss.
    and path in (
        select article_id
        from raw.article_versions
        where run_id <> $run_id
        group by article_id
        having arg_max(change, observed_at) <> 'removed'
    )
order by path
"""


@dataclass(frozen=True, slots=True)
class News:
    """An error, checks that returned rows, files that became unreadable or no article any more."""

    error: str = ""
    failed_checks: tuple[str, ...] = ()
    newly_quarantined: tuple[dict[str, Any], ...] = ()
    newly_excluded: tuple[dict[str, Any], ...] = ()

    @property
    def reasons(self) -> list[str]:
        """The kinds of bad news that there are."""
        kinds = {
            "failed": self.error,
            "failed_checks": self.failed_checks,
            "new_quarantines": self.newly_quarantined,
            "new_exclusions": self.newly_excluded,
        }
        return [kind for kind, found in kinds.items() if found]


def find_news(receipt: Mapping[str, Any]) -> News:
    """Return what is new in a receipt, and in the warehouse that its run published, if it did."""
    checks = tuple(receipt.get("failed_checks") or ())
    error = str(receipt.get("error") or "")
    if not receipt.get("published"):
        return News(error, checks)
    with open_readonly(WarehousePaths(Path(receipt["warehouse"]))) as con:
        return replace(read_news(con, receipt["run_id"], checks), error=error)


def read_news(con: Connection, run_id: str, failed_checks: Sequence[str]) -> News:
    """Return what is new of the run that made the tables."""
    quarantined, excluded = (
        tuple(fetch_rows(con, query, {"run_id": run_id}))
        for query in (_NEWLY_QUARANTINED, _NEWLY_EXCLUDED)
    )
    return News("", tuple(failed_checks), quarantined, excluded)
