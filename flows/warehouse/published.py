"""The published file as bytes: copied whole, or refused."""

import fcntl
import shutil
from pathlib import Path

from flows import MatterhouseError
from flows.warehouse.generations import WarehouseDamaged


class NoWarehouse(MatterhouseError):
    """There is no warehouse at this path, or a file that matterhouse did not make."""


def copy_whole(published: Path, working: Path) -> None:
    """Copy the bytes; try again if somebody else's session changed them during the copy."""
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


def refuse_leftover_log(published: Path) -> None:
    """Stop at the log of a dead session: readers would replay it silently, even if it is cut."""
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
