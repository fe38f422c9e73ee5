"""The receipts beside a warehouse: one line of JSON per run, the failed ones too."""

import contextlib
import json
import os
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows import MatterhouseError
from flows.replace import replace_file
from flows.warehouse.paths import WarehousePaths

# Runs that published, and as many others: a schedule of five minutes writes a hundred thousand a
# year, and ops.runs has all that published.
KEPT_RECEIPTS = 250
_MAX_BYTES = 1_000_000
# What else a run without changes could say, the run before it has said.
_OF_UNCHANGED = (
    "run_id",
    "started_at",
    "finished_at",
    "source",
    "warehouse",
    "published",
    "seconds",
    "message",
    "notes",
)


def append_run(paths: WarehousePaths, receipt: Mapping[str, Any]) -> None:
    """Append a receipt, whole or not at all; a long list of receipts loses its oldest."""
    if not (receipt.get("published") or receipt.get("error")):
        receipt = {name: value for name, value in receipt.items() if name in _OF_UNCHANGED}
    line = json.dumps(receipt, ensure_ascii=True, default=str) + "\n"
    with paths.receipts.open("ab+") as file:
        # A line that a crash cut short must not swallow this one.
        if file.tell():
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else "\n" + line
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    if size > _MAX_BYTES:
        with contextlib.suppress(OSError):  # The receipt is written; the next run tries again.
            _drop_oldest(paths.receipts.resolve())


def _drop_oldest(receipts: Path) -> None:
    with replace_file(receipts) as partial:
        partial.write_bytes(b"".join(_read_newest(receipts)))


def require_writable(paths: WarehousePaths) -> None:
    """Stop before anything is published whose receipt could not be written."""
    if paths.receipts.exists():
        try:
            paths.receipts.open("ab").close()
        except OSError as error:
            raise MatterhouseError(
                f"{paths.receipts} cannot be written ({error.strerror}), so nothing was done: give"
                " this account permission to write it"
            ) from error


def read_runs(paths: WarehousePaths) -> list[dict[str, Any]]:
    """Return the newest receipts, oldest first; a line that a crash cut short, say, is none."""
    if not paths.receipts.is_file():
        return []
    found = []
    for line in _read_newest(paths.receipts):
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return [r for r in found if isinstance(r, dict) and isinstance(r.get("run_id"), str)]


def _read_newest(receipts: Path) -> list[bytes]:
    """Return the newest lines of runs that published, and of others, in their order."""
    kept = {is_published: deque[tuple[int, bytes]](maxlen=KEPT_RECEIPTS) for is_published in (0, 1)}
    with receipts.open("rb") as file:
        for place, line in enumerate(file):
            kept[b'"published": true' in line].append((place, line))
    return [line for _, line in sorted([*kept[0], *kept[1]])]


def find_run(receipts: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the receipt of the run that is named by its id or the beginning of it."""
    runs = {r["run_id"]: r for r in receipts if "rolled_back_at" not in r}
    found = [name] if name in runs else [run_id for run_id in runs if run_id.startswith(name)]
    if len(found) != 1:
        why = "is the beginning of several" if found else "is not among the receipts"
        raise MatterhouseError(f"run {name} {why}; the latest are {', '.join([*runs][-3:])}")
    return runs[found[0]]


def trace_line(paths: WarehousePaths, run_id: str | None) -> list[str]:
    """Return the runs that led to a published one, itself first: each went on from the next."""
    went_on_from: dict[str | None, str | None] = {}
    published: str | None = None
    for receipt in read_runs(paths):
        if receipt.get("published"):
            if "rolled_back_at" not in receipt:
                went_on_from[receipt["run_id"]] = published
            published = receipt["run_id"]
    # The receipt of the newest run may not have been written.
    went_on_from.setdefault(run_id, published)
    line: list[str] = []
    while run_id is not None and run_id not in line:
        line.append(run_id)
        run_id = went_on_from.get(run_id)
    return line


def find_last_look(paths: WarehousePaths) -> datetime | None:
    """Return the start of the last run that looked at its source and found it well."""
    runs = (run for run in read_runs(paths) if "started_at" in run and not run.get("error"))
    return max((datetime.fromisoformat(run["started_at"]) for run in runs), default=None)


def now() -> str:
    """Return the time as text, in UTC to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
