"""The copy of the published warehouse that a build works on."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb

from flows.warehouse.connection import (
    Connection,
    build_memory,
    connect,
    limit_memory,
    open_readonly,
    row_counts,
    sql_literal,
    table_names,
    unreadable,
)
from flows.warehouse.generations import WarehouseDamaged, differs_from_receipt
from flows.warehouse.paths import WORKING, WarehousePaths, current
from flows.warehouse.published import NoWarehouse, copy_whole, refuse_leftover_log
from flows.warehouse.run_log import read_runs

# Both supported lines of DuckDB read it, and it is the oldest format that refuses a foreign WAL.
STORAGE_VERSION = "v1.5.0"
# Rows that are compressed together, a twelfth of DuckDB's default: what one merge has written is
# not compressed again with the next, and two processors find work in a table of 20,000 rows. Of
# many files larger groups make a file that is a quarter smaller, in a tenth less time.
ROW_GROUP_SIZE, LARGE_ROW_GROUP_SIZE = 10_240, 30_720
MANY_FILES = 50_000


def recognise(paths: WarehousePaths) -> None:
    """Refuse what is not ours before anything is made beside it."""
    if paths.lock.exists() or not paths.warehouse.exists():
        return
    if not paths.warehouse.is_file():
        raise NoWarehouse(f"{paths.warehouse} is not a file: name another --warehouse")
    with open_readonly(paths) as con:
        refuse_foreign(paths, con)


@contextlib.contextmanager
def open_working_copy(paths: WarehousePaths, template: bytes | None = None) -> Iterator[Connection]:
    """Open a copy of the published warehouse, or a new one; the published file is never opened.

    A new one begins as the `template`, or else without tables. Only the holder of the lock may:
    what an earlier build left behind is removed.
    """
    working = paths.working
    remove_leftovers(paths)
    working.parent.mkdir(parents=True)
    if paths.warehouse.exists() or paths.warehouse.is_symlink():
        refuse_leftover_log(paths.warehouse)
        copy_whole(paths.warehouse, working)
    elif template:
        working.write_bytes(template)
    with _attach(paths, working) as con:
        try:
            _verify(paths, con)
            yield con
        except duckdb.Error as error:
            # DuckDB reads lazily: damage shows at any statement. The digest shows whose it is.
            if differs_from_receipt(paths, current(paths)):
                raise WarehouseDamaged(
                    f"{paths.warehouse} is not the file that its run published, and DuckDB cannot"
                    " work on it; it was left as it is. Go back with `matterhouse runs --rollback"
                    " RUN`, or move the file away to rebuild"
                ) from error
            raise


def tune_for_size(con: Connection, paths: WarehousePaths, files: int) -> None:
    """Fit memory and row groups to a source of so many files, outside a transaction."""
    limit_memory(con, build_memory(files))
    if files > MANY_FILES:
        con.execute("use memory")
        con.execute("detach warehouse")
        _attach_file(con, paths.working, LARGE_ROW_GROUP_SIZE)


def _attach(paths: WarehousePaths, working: Path) -> Connection:
    con = connect()
    try:
        _attach_file(con, working, ROW_GROUP_SIZE)
    except duckdb.Error as error:
        con.close()
        raise unreadable(paths, error) from error
    con.execute(f"set temp_directory = {sql_literal(paths.generations / f'{WORKING}.tmp')}")
    limit_memory(con, build_memory())
    return con


def _attach_file(con: Connection, working: Path, row_group_size: int) -> None:
    # Nobody recovers a working copy that was left behind: without a log, all is written once.
    options = f"recovery_mode no_wal_writes, row_group_size {row_group_size}"
    if not working.exists():
        # A file keeps the version it was made with.
        options += f", storage_version '{STORAGE_VERSION}'"
    # Only `attach` takes the size of row groups.
    con.execute(f"attach {sql_literal(working)} as warehouse ({options})")
    con.execute("use warehouse")


def _verify(paths: WarehousePaths, con: Connection) -> None:
    """Refuse a database that is not ours, or that holds less than its receipt says."""
    if not paths.warehouse.exists():
        return
    counts = row_counts(con, refuse_foreign(paths, con))
    # By its start, not by its id: docs/decisions.md, "The order of runs".
    ((run_id,),) = con.execute("select arg_max(run_id, started_at) from ops.runs").fetchall()
    receipt = next((r for r in read_runs(paths) if r["run_id"] == run_id), None)
    for table, rows in sorted((receipt or {}).get("tables", {}).items()):
        if (held := counts.get(table, 0)) != rows:
            raise WarehouseDamaged(
                f"{paths.warehouse}: {table} holds {held} rows, but the receipt of run {run_id}"
                f" says {rows}. Somebody wrote to the file, or it is damaged: go back with"
                " `matterhouse runs --rollback RUN`, or move the file away to rebuild"
            )


def refuse_foreign(paths: WarehousePaths, con: Connection) -> list[str]:
    """Refuse a database that is not ours; return the tables of one that is."""
    tables = table_names(con)
    if not {"ops.runs", "ops.files", "raw.articles"} <= set(tables):
        raise NoWarehouse(
            f"{paths.warehouse} is a database that matterhouse did not make: name another"
            " --warehouse"
        )
    return tables


def keep_failed(paths: WarehousePaths) -> None:
    """Keep the closed working file that failed its checks, for a look at the rows."""
    paths.working.replace(paths.failed)


def remove_leftovers(paths: WarehousePaths) -> None:
    """Remove what an ended build left among the generations."""
    for leftover in paths.generations.glob(f"{WORKING}*"):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)  # The copy, and what DuckDB spilled.
        else:
            leftover.unlink(missing_ok=True)
    # One that died while it removed an old generation can have left the folder of the file.
    for folder in paths.generations.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            folder.rmdir()  # Only an empty one goes.
