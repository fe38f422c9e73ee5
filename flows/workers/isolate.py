"""A batch → its frames, whatever one of its files does to the reader.

An error costs a second reading, file by file; the death of a worker a third one in fresh processes.
Only the file that fails alone is quarantined.
"""

import contextlib
import multiprocessing.forkserver
import os
import resource
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.util import get_temp_dir
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from flows import MatterhouseError, interrupt
from flows.source import extract, time_limit
from flows.source.extract import Batch
from flows.workers.frames import join

if TYPE_CHECKING:
    from flows.normalize.frames import Frames

T = TypeVar("T")
Work: TypeAlias = "Callable[[Batch], Frames]"

# A death can have another cause than the file (memory that something else took): once is no proof.
_DEATHS_ALLOWED = 2


def attempt(work: Work, batch: Batch) -> "Frames":
    """Carry out a batch; after an error, file by file, with a reject for each that fails alone."""
    try:
        return work(batch)
    except MatterhouseError:
        raise
    except Exception:
        return join([_attempt_alone(work, single) for single in singles(batch)])


def _attempt_alone(work: Work, single: Batch) -> "Frames":
    try:
        return work(single)
    except MatterhouseError:
        raise
    except time_limit.TooSlow:
        return _too_slow(single)
    except Exception as error:
        # The error's own words could quote the file, which may hold a secret.
        return _crashed(single, f"an unexpected {type(error).__name__}")


def keep_good(work: Callable[[Batch], T], batch: Batch) -> list[T]:
    """Return what a batch gives; after an error, what each file gives that does not fail alone."""
    try:
        return [work(batch)]
    except MatterhouseError:
        raise
    except Exception:
        found = []
        for single in singles(batch):
            with contextlib.suppress(Exception):
                found.append(work(single))
        return found


def retry_in_new_process(work: Work, batch: Batch) -> "Frames":
    """Carry out a batch whose process died; the file that kills twice becomes a reject."""
    found, _ = _from_child(work, [batch])
    return found[0] if found else join(list(_survivors(work, singles(batch))))


def _survivors(work: Work, waiting: list[Batch]) -> "Iterator[Frames]":
    deaths = 0
    while waiting:
        found, exit_code = _from_child(work, waiting)
        yield from found
        waiting = waiting[len(found) :]
        deaths = 1 if found else deaths + 1
        if waiting and deaths == _DEATHS_ALLOWED:
            yield _dead(waiting[0], exit_code)
            waiting, deaths = waiting[1:], 0


def _from_child(work: Work, batches: Sequence[Batch]) -> "tuple[list[Frames], int | None]":
    """Return the frames that a process gave before it ended, and how it ended."""
    context = worker_context()
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_serve, args=(work, batches, sender), daemon=True)
    with main_left_alone():
        child.start()
    sender.close()
    found: list[Frames] = []
    try:
        with receiver, contextlib.suppress(EOFError):
            while len(found) < len(batches):
                found.append(receiver.recv())
    finally:
        if len(found) == len(batches):
            child.terminate()
        child.join()
    return found, child.exitcode


def _serve(work: Work, batches: Sequence[Batch], sender: Connection) -> None:
    start_worker()
    for batch in batches:
        sender.send(attempt(work, batch))


def worker_context() -> ForkServerContext | SpawnContext:
    """Return what starts workers: forks of a small server that imports pandas once for all of them.

    A fork of the build itself would copy DuckDB's threads in an undefined state.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["flows.workers.frames", "flows.normalize.rows"])
    try:
        multiprocessing.forkserver.ensure_running()
    except OSError:
        # Below a deep TMPDIR the path of its socket is too long for the kernel.
        return multiprocessing.get_context("spawn")
    return context


@contextlib.contextmanager
def main_left_alone() -> Iterator[None]:
    """Keep workers that start in the block from running the caller's script again.

    Ours need nothing of it, and one that builds without a `__main__` guard would start builds
    of its own in every worker.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        # A worker that nobody waits for would complain of what it does not find.
        with interrupt.defer_signals():
            yield
    finally:
        sys.modules["__main__"] = main


def start_worker() -> None:
    """Prepare a worker process: it ends when it is stuck, and when its parent has ended."""
    # The core file of a crash would hold the file that was read, with its secrets.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Ctrl-C is for the build, which ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    time_limit.end_process_when_stuck()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
        # The folder of its sockets, which a killed parent leaves.
        shutil.rmtree(get_temp_dir(), ignore_errors=True)
        os._exit(1)


def singles(batch: Batch) -> list[Batch]:
    """Cut a batch into one for each of its files."""
    return [replace(batch, paths=(path,)) for path in batch.paths]


def _dead(single: Batch, exit_code: int | None) -> "Frames":
    if exit_code == -signal.SIGALRM:
        return _too_slow(single)
    if exit_code is not None and exit_code < 0:
        return _crashed(single, signal.Signals(-exit_code).name)
    return _crashed(single, f"exit code {exit_code}")


def _too_slow(single: Batch) -> "Frames":
    return _rejected(
        single,
        "reader_too_slow",
        f"Reading the file takes more than {time_limit.SECONDS:g} s.",
        "Make its front matter smaller or simpler, or leave the file out with --exclude.",
    )


def _crashed(single: Batch, cause: str) -> "Frames":
    return _rejected(
        single,
        "reader_crashed",
        f"The reader ended with {cause} on this file.",
        "Please report it: that is a fault of matterhouse. Simplify the file to load it meanwhile;"
        " `matterhouse build --full` tries again.",
    )


def _rejected(single: Batch, code: str, message: str, hint: str) -> "Frames":
    from flows.normalize.rows import normalize

    reject = extract.unread(single, single.paths[0], code, message, hint)
    return normalize(extract.Extracted([], [reject], []))
