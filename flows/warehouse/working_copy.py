"""The copy of the published warehouse that a refresh works on, and the doubts that stop it."""

import contextlib
import fcntl
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from flows import MatterhouseError
from flows.load.merge import row_count
from flows.warehouse import literal, memory
from flows.warehouse.paths import WarehousePaths, current, read_runs

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


class NotAWarehouse(MatterhouseError):
    """The file is not a warehouse of ours, so it is left alone."""


class WarehouseDamaged(MatterhouseError):
    """The published file does not hold what its receipt says."""


@contextlib.contextmanager
def open_working_copy(paths: WarehousePaths, run_id: str) -> Iterator["duckdb.DuckDBPyConnection"]:
    """Open a copy of the published warehouse, or a new one; the published file is never opened."""
    working = paths.working(run_id)
    if paths.warehouse.exists() or paths.warehouse.is_symlink():
        _refuse_leftover_log(paths.warehouse)
        copy(paths.warehouse, working)
    with _open(paths, working) as con:
        try:
            _recognise(paths, con)
            yield con
        except duckdb.Error as error:
            # DuckDB reads lazily: damage shows at any statement. The digest tells whose it is.
            if _differs_from_receipt(paths):
                raise WarehouseDamaged(
                    f"{paths.warehouse} is not the file that its run published, and DuckDB cannot"
                    " work on it; it was left as it is. Go back with `matterhouse runs --rollback"
                    " RUN`, or move the file away to rebuild"
                ) from error
            raise


def _differs_from_receipt(paths: WarehousePaths) -> bool:
    published = {r.get("run_id"): r["sha256"] for r in read_runs(paths) if r.get("sha256")}
    expected = published.get(current(paths))
    if expected is None:
        return False
    with paths.warehouse.open("rb") as file:
        return bool(hashlib.file_digest(file, "sha256").hexdigest() != expected)


def copy(published: Path, working: Path) -> None:
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


def _open(paths: WarehousePaths, working: Path) -> "duckdb.DuckDBPyConnection":
    con = duckdb.connect(config=OFFLINE)
    try:
        # Only `attach` takes the size of row groups. A file keeps the version it was made with.
        version = "" if working.exists() else f", storage_version '{STORAGE_VERSION}'"
        con.execute(
            f"attach {literal.sql_literal(working)} as warehouse"
            f" (row_group_size {ROW_GROUP_SIZE}{version})"
        )
    except duckdb.Error as error:
        con.close()
        raise NotAWarehouse(
            f"{paths.warehouse} cannot be opened as a DuckDB database of version"
            f" {duckdb.__version__} or older; it was left as it is. Roll back with"
            " `matterhouse runs --rollback RUN`, name another --warehouse, or move the file away"
            " to rebuild"
            f" ({first_line(error)})"
        ) from error
    con.execute("use warehouse")
    con.execute(
        f"set temp_directory = {literal.sql_literal(working.with_name(f'{working.name}.tmp'))}"
    )
    con.execute("set TimeZone = 'UTC'")
    memory.bound(con)
    return con


def first_line(error: Exception) -> str:
    """Return what an error says first; DuckDB goes on for a page."""
    return str(error).splitlines()[0]


def _recognise(paths: WarehousePaths, con: "duckdb.DuckDBPyConnection") -> None:
    """Refuse a database that is not ours, or that holds less than its receipt says."""
    if not paths.warehouse.exists():
        return
    tables = {
        f"{schema}.{name}"
        for schema, name in con.execute(
            "select schema_name, table_name from duckdb_tables() where not temporary"
        ).fetchall()
    }
    if not {"ops.runs", "ops.files", "raw.articles"} <= tables:
        raise NotAWarehouse(
            f"{paths.warehouse} is a database that matterhouse did not make: name another"
            " --warehouse"
        )
    last = con.execute("select run_id from ops.runs order by run_id desc limit 1").fetchall()
    run_id = last[0][0] if last else None
    receipt = next((r for r in read_runs(paths) if r.get("run_id") == run_id), None)
    for table, rows in sorted((receipt or {}).get("tables", {}).items()):
        held = row_count(con, table) if table in tables else 0
        if held != rows:
            raise WarehouseDamaged(
                f"{paths.warehouse}: {table} holds {held} rows, but the receipt of run {run_id}"
                f" says {rows}. Somebody wrote to the file, or it is damaged: go back with"
                " `matterhouse runs --rollback RUN`, or move the file away to rebuild"
            )
