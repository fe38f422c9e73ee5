"""Where a warehouse keeps its lock, its generations, and the receipts beside it."""

import contextlib
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from flows import MatterhouseError

WORKING = ".working-"


class Locked(MatterhouseError):
    """Another refresh is at work on this warehouse."""

    exit_code = 75


@dataclass(frozen=True, slots=True)
class WarehousePaths:
    """Where a warehouse keeps its things, all beside the published path."""

    warehouse: Path

    @property
    def generations(self) -> Path:
        """The folder of published files."""
        return self.warehouse.with_name(f"{self.warehouse.stem}.generations")

    @property
    def receipts(self) -> Path:
        """One JSON line per refresh, the failed ones too."""
        return self.warehouse.with_name(f"{self.warehouse.stem}.runs.jsonl")

    @property
    def failed(self) -> Path:
        """The warehouse that did not pass its checks."""
        return self.warehouse.with_name(f"{self.warehouse.stem}.failed.duckdb")

    @property
    def lock(self) -> Path:
        """The file whose lock a refresh holds."""
        return self.warehouse.with_name(f"{self.warehouse.name}.lock")

    def working(self, run_id: str) -> Path:
        """Return the path of the copy a refresh works on."""
        return self.generations / f"{WORKING}{run_id}.duckdb"

    def generation(self, run_id: str) -> Path:
        """Return the path of the file that a run published."""
        return self.generations / f"{run_id}.duckdb"


@contextlib.contextmanager
def locked(paths: WarehousePaths) -> Iterator[None]:
    """Hold the warehouse's lock; the kernel frees it when the holder ends, however it ends."""
    paths.generations.mkdir(parents=True, exist_ok=True)
    with paths.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Locked(f"{paths.warehouse} is being refreshed by {_holder(file)}") from error
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "since": now(), "command": " ".join(sys.argv)[:200]}, file)
        file.flush()
        remove_leftovers(paths)
        yield


def _holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        holder = json.load(file)
        return f"process {holder['pid']} since {holder['since']} ({holder['command']})"
    except (ValueError, KeyError):
        return "another process"


def now() -> str:
    """Return the time as text, in UTC to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def remove_leftovers(paths: WarehousePaths, pattern: str = f"{WORKING}*") -> None:
    """Remove what an ended refresh left among the generations."""
    for leftover in paths.generations.glob(pattern):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)  # DuckDB spills into a folder beside the file.
        else:
            leftover.unlink(missing_ok=True)


def generation_ids(paths: WarehousePaths) -> list[str]:
    """Return the run ids whose files are kept, oldest first."""
    return sorted(path.stem for path in paths.generations.glob("[0-9]*.duckdb"))


def current(paths: WarehousePaths) -> str | None:
    """Return the run id that readers see, None where links cannot be made."""
    return paths.warehouse.resolve().stem if paths.warehouse.is_symlink() else None


def append_run(paths: WarehousePaths, receipt: Mapping[str, Any]) -> None:
    """Append a receipt to the file beside the warehouse, whole or not at all."""
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
