"""One run at a time works on a warehouse."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from typing import IO

from flows import MatterhouseError
from flows.warehouse.paths import WarehousePaths
from flows.warehouse.run_log import now


class Locked(MatterhouseError):
    """Another run is at work on this warehouse, or another publish on this database."""

    exit_code = 75


@contextlib.contextmanager
def hold_lock(paths: WarehousePaths) -> Iterator[None]:
    """Hold the warehouse's lock; the kernel frees it when the holder ends, however it ends."""
    paths.lock.parent.mkdir(parents=True, exist_ok=True)
    with paths.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Locked(f"{paths.warehouse} is being built by {_describe_holder(file)}") from error
        _name_holder(file)
        yield


def _name_holder(file: IO[str]) -> None:
    file.seek(0)
    file.truncate()
    # Not the command line: it may hold the token of an --on-failure command.
    json.dump({"pid": os.getpid(), "since": now()}, file)
    file.flush()


def _describe_holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        holder = json.load(file)
        return f"process {holder['pid']} since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
