"""The copy that is worked on, the lock, the generations, the atomic flip, the receipt.

`warehouse.duckdb` is a symbolic link to a read-only file in `warehouse.generations/`. A refresh
works on a copy of that file's bytes and moves the link when everything is right, so readers never
wait, never see half a build, and keep the generation they have open.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import duckdb

from flows import MatterhouseError, memory
from flows.load import row_count

KEPT_GENERATIONS = 3
# Both supported lines of DuckDB read it, and it is the oldest format that refuses a foreign WAL.
STORAGE_VERSION = "v1.5.0"
# Rows that are compressed together, a twelfth of DuckDB's default: what one merge has written is
# not compressed again with the next, and two processors find work in a table of 20,000 rows.
ROW_GROUP_SIZE = 10_240
# Nothing of ours needs the network: DuckDB must not go looking for extensions.
OFFLINE: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
WORKING = ".working-"


class Locked(MatterhouseError):
    """Another refresh is at work on this warehouse."""

    exit_code = 75


class NotAWarehouse(MatterhouseError):
    """The file is not a warehouse of ours, so it is left alone."""


class WarehouseDamaged(MatterhouseError):
    """The published file does not hold what its receipt says."""


class NoSuchGeneration(MatterhouseError):
    """The run is not among the generations that are kept."""


class NoWarehouse(MatterhouseError):
    """There is no warehouse at this path yet."""


@dataclass(frozen=True, slots=True)
class House:
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
def locked(house: House) -> Iterator[None]:
    """Hold the warehouse's lock; the kernel frees it when the holder ends, however it ends."""
    house.generations.mkdir(parents=True, exist_ok=True)
    with house.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Locked(f"{house.warehouse} is being refreshed by {_holder(file)}") from error
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "since": _now(), "command": " ".join(sys.argv)[:200]}, file)
        file.flush()
        _remove_leftovers(house)
        yield


def _holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        holder = json.load(file)
        return f"process {holder['pid']} since {holder['since']} ({holder['command']})"
    except (ValueError, KeyError):
        return "another process"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _remove_leftovers(house: House, pattern: str = f"{WORKING}*") -> None:
    for leftover in house.generations.glob(pattern):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)  # DuckDB spills into a folder beside the file.
        else:
            leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def working_copy(house: House, run_id: str) -> Iterator["duckdb.DuckDBPyConnection"]:
    """Open a copy of the published warehouse, or a new one; the published file is never opened."""
    working = house.working(run_id)
    if house.warehouse.exists() or house.warehouse.is_symlink():
        _refuse_leftover_log(house.warehouse)
        _copy(house.warehouse, working)
    with _open(house, working) as con:
        try:
            _recognise(house, con)
            yield con
        except duckdb.Error as error:
            # DuckDB reads lazily: damage shows at any statement. The digest tells whose it is.
            if _differs_from_receipt(house):
                raise WarehouseDamaged(
                    f"{house.warehouse} is not the file that its run published, and DuckDB cannot"
                    " work on it; it was left as it is. Go back with `matterhouse runs --rollback"
                    " RUN`, or move the file away to rebuild"
                ) from error
            raise


def _differs_from_receipt(house: House) -> bool:
    published = {r.get("run_id"): r["sha256"] for r in receipts(house) if r.get("sha256")}
    expected = published.get(current(house))
    if expected is None:
        return False
    with house.warehouse.open("rb") as file:
        return bool(hashlib.file_digest(file, "sha256").hexdigest() != expected)


def _copy(published: Path, working: Path) -> None:
    """Copy the bytes; again if an analyst's own write session changed them meanwhile."""
    if not published.exists():
        raise WarehouseDamaged(
            f"{published} points to {published.readlink()}, which is gone: point it at another"
            f" generation with `matterhouse runs --rollback RUN`, or remove {published} to rebuild"
        )
    for _ in range(3):
        before = published.stat()
        shutil.copyfile(published, working)
        after = published.stat()
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return
    raise WarehouseDamaged(
        f"{published} is being written by another program: close that session and build again"
    )


def _refuse_leftover_log(published: Path) -> None:
    """Stop at the log of a dead session: readers replay it, and a cut one without a word."""
    file = published.resolve()
    log = file.with_name(f"{file.name}.wal")
    if not (log.exists() and log.stat().st_size) or _is_being_written(file):
        return
    raise WarehouseDamaged(
        f"{log} was left by another program that wrote to {published} and was ended: readers see"
        " its changes, whole or in part, and no run made them. Move it away to go on with what the"
        " last run published, or go back with `matterhouse runs --rollback RUN`"
    )


def _is_being_written(file: Path) -> bool:
    """Return whether another process has the database open: DuckDB locks what it may write."""
    with file.open("rb") as opened:
        try:
            fcntl.lockf(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _open(house: House, working: Path) -> "duckdb.DuckDBPyConnection":
    con = duckdb.connect(config=OFFLINE)
    try:
        # Only `attach` takes the size of row groups. A file keeps the version it was made with.
        version = "" if working.exists() else f", storage_version '{STORAGE_VERSION}'"
        con.execute(
            f"attach {_quoted(working)} as warehouse (row_group_size {ROW_GROUP_SIZE}{version})"
        )
    except duckdb.Error as error:
        con.close()
        raise NotAWarehouse(
            f"{house.warehouse} cannot be opened as a DuckDB database of version"
            f" {duckdb.__version__} or older; it was left as it is. Roll back with"
            " `matterhouse runs --rollback RUN`, name another --warehouse, or move the file away"
            " to rebuild"
            f" ({_first_line(error)})"
        ) from error
    con.execute("use warehouse")
    con.execute(f"set temp_directory = {_quoted(working.with_name(f'{working.name}.tmp'))}")
    con.execute("set TimeZone = 'UTC'")
    memory.bound(con)
    return con


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _recognise(house: House, con: "duckdb.DuckDBPyConnection") -> None:
    """Refuse a database that is not ours, or that holds less than its receipt says."""
    tables = {
        f"{schema}.{name}"
        for schema, name in con.execute(
            "select schema_name, table_name from duckdb_tables() where not temporary"
        ).fetchall()
    }
    if not house.warehouse.exists():
        return
    if not {"ops.runs", "ops.files", "raw.articles"} <= tables:
        raise NotAWarehouse(
            f"{house.warehouse} is a database that matterhouse did not make: name another"
            " --warehouse"
        )
    last = con.execute("select run_id from ops.runs order by run_id desc limit 1").fetchall()
    run_id = last[0][0] if last else None
    receipt = next((r for r in receipts(house) if r.get("run_id") == run_id), None)
    for table, rows in sorted((receipt or {}).get("tables", {}).items()):
        held = row_count(con, table) if table in tables else 0
        if held != rows:
            raise WarehouseDamaged(
                f"{house.warehouse}: {table} holds {held} rows, but the receipt of run {run_id}"
                f" says {rows}. Somebody wrote to the file, or it is damaged: go back with"
                " `matterhouse runs --rollback RUN`, or move the file away to rebuild"
            )


def publish(house: House, run_id: str) -> str:
    """Make the finished, closed working file the warehouse that readers see; return its sha256."""
    working, generation = house.working(run_id), house.generation(run_id)
    if working.with_name(f"{working.name}.wal").exists():
        raise WarehouseDamaged(f"{working} was not written out completely: run the build again")
    with working.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    # Read-only, for those whom the umask lets read.
    working.chmod(working.stat().st_mode & 0o444)
    working.rename(generation)
    _sync_folder(house.generations)
    _adopt(house)
    point(house, run_id)
    _prune(house)
    return digest


def _adopt(house: House) -> None:
    """Keep a warehouse that is a plain file (copied here, say) as a generation."""
    if house.warehouse.exists() and not house.warehouse.is_symlink():
        kept = house.generations / f"0-before-{_now().replace(':', '')}.duckdb"
        shutil.copyfile(house.warehouse, kept)


def point(house: House, run_id: str) -> None:
    """Flip the link to a generation; a reader sees the old or the new, never neither."""
    generation = house.generation(run_id)
    if not generation.exists():
        kept = ", ".join(generation_ids(house)) or "none"
        raise NoSuchGeneration(f"run {run_id} is not kept; these are: {kept}")
    link = house.generations / f"{WORKING}link"
    link.unlink(missing_ok=True)
    try:
        link.symlink_to(os.path.relpath(generation, house.warehouse.parent))
    except OSError:
        # A file system without links: a second copy takes the published name.
        shutil.copyfile(generation, link)
        link.chmod(link.stat().st_mode & 0o444)
    link.replace(house.warehouse)
    _sync_folder(house.warehouse.parent)


def roll_back(house: House, run_id: str) -> None:
    """Publish the file of an earlier run again and note it in the receipts."""
    point(house, run_id)
    witness(house, {"run_id": run_id, "rolled_back_at": _now(), "published": True})


def generation_ids(house: House) -> list[str]:
    """Return the run ids whose files are kept, oldest first."""
    return sorted(path.stem for path in house.generations.glob("[0-9]*.duckdb"))


def current(house: House) -> str | None:
    """Return the run id that readers see, None where links cannot be made."""
    return house.warehouse.resolve().stem if house.warehouse.is_symlink() else None


def _prune(house: House) -> None:
    for run_id in generation_ids(house)[:-KEPT_GENERATIONS]:
        if run_id != current(house):
            generation = house.generation(run_id)
            generation.unlink()
            generation.with_name(f"{generation.name}.wal").unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def set_aside(house: House, run_id: str) -> None:
    """Keep the closed working file that failed its checks, for a look at the rows."""
    house.working(run_id).replace(house.failed)


def discard(house: House, run_id: str) -> None:
    """Throw the working file away."""
    _remove_leftovers(house, f"{WORKING}{run_id}*")


def witness(house: House, receipt: Mapping[str, Any]) -> None:
    """Append a receipt to the file beside the warehouse, whole or not at all."""
    line = json.dumps(receipt, ensure_ascii=True, default=str) + "\n"
    with house.receipts.open("ab+") as file:
        # A line that a crash cut short must not swallow this one.
        if file.tell():
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else "\n" + line
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def receipts(house: House) -> list[dict[str, Any]]:
    """Return all receipts, oldest first, without a line that a crash cut short."""
    if not house.receipts.exists():
        return []
    found = []
    for line in house.receipts.read_bytes().splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return [receipt for receipt in found if isinstance(receipt, dict)]


@contextlib.contextmanager
def reading(house: House, **config: Any) -> Iterator["duckdb.DuckDBPyConnection"]:
    """Open the published warehouse read-only."""
    if not house.warehouse.exists():
        raise NoWarehouse(
            f"there is no warehouse at {house.warehouse}: make one with `matterhouse build FOLDER`,"
            " or name it with --warehouse"
        )
    with contextlib.ExitStack() as stack:
        config = {**OFFLINE, **config}
        published = house.warehouse.resolve()
        try:
            con = duckdb.connect(str(published), read_only=True, config=config)
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error):
                raise _unreadable(house, error) from error
            # Somebody has the file open for writing, which shuts all others out: read its bytes.
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            copied = Path(folder) / house.warehouse.name
            _copy(published, copied)
            con = duckdb.connect(str(copied), read_only=True, config=config)
        except duckdb.Error as error:
            raise _unreadable(house, error) from error
        stack.enter_context(con)
        con.execute("set TimeZone = 'UTC'")
        yield con


def _unreadable(house: House, error: Exception) -> NotAWarehouse:
    return NotAWarehouse(f"{house.warehouse} cannot be opened: {_first_line(error)}")
