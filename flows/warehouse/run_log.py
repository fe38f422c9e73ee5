"""The receipts beside a warehouse: one line of JSON per run, the failed ones too."""

import contextlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flows.warehouse.paths import WarehousePaths


def append_run(paths: WarehousePaths, receipt: Mapping[str, Any]) -> None:
    """Append a receipt, whole or not at all."""
    line = json.dumps(receipt, ensure_ascii=True, default=str) + "\n"
    with paths.receipts.open("ab+") as file:
        # A line that a crash cut short must not swallow this one.
        if file.tell():
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else "\n" + line
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def read_runs(paths: WarehousePaths) -> list[dict[str, Any]]:
    """Return all receipts, oldest first, without a line that a crash cut short."""
    if not paths.receipts.exists():
        return []
    found = []
    for line in paths.receipts.read_bytes().splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return [receipt for receipt in found if isinstance(receipt, dict)]


def last_look(paths: WarehousePaths) -> datetime | None:
    """Return the start of the last run that looked at its source and found it well."""
    runs = (run for run in read_runs(paths) if "started_at" in run and not run.get("error"))
    return max((datetime.fromisoformat(run["started_at"]) for run in runs), default=None)


def now() -> str:
    """Return the time as text, in UTC to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
