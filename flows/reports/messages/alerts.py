"""Receipts → the few that somebody is woken for: once when something is wrong, once when well.

What was told and is not fixed yet is kept beside the warehouse, so that nobody is told twice.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from flows.replace import replace_file
from flows.reports.messages.problems import News
from flows.warehouse.connection import open_readonly
from flows.warehouse.paths import WarehousePaths

Kind: TypeAlias = Literal["wrong", "well", "news"]
_TITLES: dict[Kind, str] = {
    "wrong": "something is wrong",
    "well": "all is well again",
    "news": "the news",
}
_FAILED = "failed"
_NUMBERS = re.compile(r"\d+")
_STILL_LEFT_OUT = """
select path from ops.files
where status in ('quarantined', 'excluded') and path in (select unnest($paths::varchar[]))
"""


@dataclass(frozen=True, slots=True)
class Alert:
    """What is sent: a title, a sentence with its lines, and the problems that are open then."""

    kind: Kind
    title: str
    text: str
    open_problems: frozenset[str]


def find_alert(receipt: Mapping[str, Any], found: News, *, always: bool = False) -> Alert | None:
    """Return what is to be sent about a run, None if nobody has to be woken for it.

    A run is worth a message if it has a problem that no message has reported, and if it ends
    the last failure, the last finding of a check or the last problem of any kind.
    """
    paths = WarehousePaths(Path(receipt["warehouse"]))
    told = read_open_problems(paths)
    now = _list_problems(paths, receipt, found, told)
    kind: Kind | None = "news" if always else None
    if now - told:
        kind = "wrong"
    elif told and (not now or (_is_alarming(told) and not _is_alarming(now))):
        kind = "well"
    if kind is None:
        return None
    lines = [receipt.get("message") or receipt.get("error") or "", *receipt.get("details", ())]
    title = f"{paths.warehouse.name}: {_TITLES[kind]}"
    return Alert(kind, title, "\n".join(filter(None, lines)), now)


def read_open_problems(paths: WarehousePaths) -> frozenset[str]:
    """Return the problems that were reported and are not fixed yet."""
    try:
        return frozenset(json.loads(_locate(paths).read_text(encoding="utf-8"))["open"])
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def remember(paths: WarehousePaths, problems: Iterable[str]) -> None:
    """Keep the problems that have been reported."""
    written = json.dumps({"open": sorted(problems)}) + "\n"
    with replace_file(_locate(paths)) as partial:
        partial.write_text(written, encoding="utf-8")


def _locate(paths: WarehousePaths) -> Path:
    return paths.warehouse.with_name(f"{paths.warehouse.name}.told.json")


def _list_problems(
    paths: WarehousePaths, receipt: Mapping[str, Any], found: News, told: frozenset[str]
) -> frozenset[str]:
    """Return what is wrong after a run, as short texts that stay the same while it lasts."""
    checks = {f"check {check.partition(':')[0]}" for check in found.failed_checks}
    earlier_failures = {problem for problem in told if problem.startswith(_FAILED)}
    # The same failure with other counts in its words is told already, and so are those of the days
    # before until a run goes well.
    failure = f"{_FAILED}: {_NUMBERS.sub('…', found.error)}"
    failures = {*earlier_failures, failure} if found.error else set()
    if not receipt.get("published"):
        # Files and findings are what they were.
        return (told - earlier_failures) | checks | failures
    new = [file["path"] for file in (*found.newly_quarantined, *found.newly_excluded)]
    earlier = [problem.removeprefix("file ") for problem in told if problem.startswith("file ")]
    with open_readonly(paths) as con:
        left = con.execute(_STILL_LEFT_OUT, {"paths": earlier}).fetchall()
    return frozenset(
        checks | failures | {f"file {path}" for path in (*new, *(path for (path,) in left))}
    )


def _is_alarming(problems: frozenset[str]) -> bool:
    """Tell failures and findings, which end, from files that may stay broken for months."""
    return any(not problem.startswith("file ") for problem in problems)
