"""Readers that do to their process what a file's name says; worker processes import them."""

import ctypes
import os
import resource
import signal
import time
from pathlib import Path

from flows.normalize.frames import Frames
from flows.source import time_limit
from flows.source.extract import Batch
from flows.workers.frames import frames_of


def read(batch: Batch) -> Frames:
    """Read a batch and meet the fate that the name of one of its files stands for."""
    for path in batch.paths:
        FATES.get(Path(path).stem, lambda: None)()
    return frames_of(batch)


def read_and_die_once(batch: Batch) -> Frames:
    """Die at the first sight of the file `once`, which a note in its folder remembers."""
    note = batch.source / "seen.note"
    if any("once" in path for path in batch.paths) and not note.exists():
        note.touch()
        os._exit(9)
    return frames_of(batch)


def note_core_limit(batch: Batch) -> Frames:
    """Read a batch and note how large a core file of this process could be."""
    (batch.source / "core-limit.note").write_text(str(resource.getrlimit(resource.RLIMIT_CORE)))
    return frames_of(batch)


def read_patiently(batch: Batch) -> Frames:
    """Read the files one by one, with the hard limit set for a test's patience."""
    time_limit.HARD_SECONDS = 0.5
    with time_limit.watch():
        for path in batch.paths:
            time_limit.start_file()
            FATES.get(Path(path).stem, lambda: None)()
    return frames_of(batch)


def _segfault() -> None:
    ctypes.string_at(0)


def _killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)  # What the kernel does when memory runs out.


def _no_memory() -> None:
    raise MemoryError


def _stuck() -> None:
    # C code that keeps the interpreter's lock and never returns: no handler of Python's can run.
    ctypes.PyDLL(None).pause()


def _slow() -> None:
    with time_limit.watch():
        time_limit.start_file()
        until = time.process_time() + 60
        while time.process_time() < until:
            pass


def _fault() -> None:
    raise KeyError("canary: the words of an error can be the file's own")


FATES = {
    "segfault": _segfault,
    "exit": lambda: os._exit(3),
    "killed": _killed,
    "no_memory": _no_memory,
    "slow": _slow,
    "stuck": _stuck,
    "fault": _fault,
}
