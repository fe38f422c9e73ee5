"""One second of work per file: what takes longer ends in an error of its own."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

# The slowest file within the reader's other limits takes half of it.
SECONDS = 1.0
# C code that does not return runs no handler of Python's: the kernel ends its process instead.
# It counts the time on the clock, and a loaded machine must not be taken for a slow file.
HARD_SECONDS = 20.0

_watching = False
_hard = False


class TooSlow(Exception):
    """One file takes more than its second of processor time."""


def end_process_when_stuck() -> None:
    """Let the kernel end this process (a worker) if it is ever stuck in one file."""
    global _hard
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _hard = True


@contextlib.contextmanager
def watch() -> Iterator[None]:
    """Watch the files that the block begins with `next_file`; outside the main thread, do not."""
    global _watching
    if threading.current_thread() is not threading.main_thread():
        yield  # Python gives signals to the main thread only.
        return
    previous = signal.signal(signal.SIGPROF, _raise)
    _watching = True
    try:
        yield
    finally:
        _watching = False
        _arm(0, 0)
        signal.signal(signal.SIGPROF, previous)


def start_file() -> None:
    """Give the file that begins here its own second."""
    if _watching:
        _arm(SECONDS, HARD_SECONDS)


@contextlib.contextmanager
def pause() -> Iterator[None]:
    """Pause the limit in the block, where the file has to wait; afterwards it starts again."""
    if _watching:
        _arm(0, 0)
    try:
        yield
    finally:
        start_file()


def _arm(soft: float, hard: float) -> None:
    # PROF counts processor time, so that other programs cannot make a file slow.
    signal.setitimer(signal.ITIMER_PROF, soft)
    if _hard:
        signal.setitimer(signal.ITIMER_REAL, hard)


def _raise(signal_number: int, frame: FrameType | None) -> NoReturn:
    raise TooSlow
