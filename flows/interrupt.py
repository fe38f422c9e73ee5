"""A signal that asks this process to end → an exception, so that it ends as after any failure."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Protocol
from weakref import WeakSet

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_received: "Interrupted | None" = None
_is_deferred = False
# What runs statements in threads of its own, which do not hear of an exception.
_running: "WeakSet[Interruptible]" = WeakSet()


class Interruptible(Protocol):
    """A connection to a database, from any thread."""

    def interrupt(self) -> None:
        """End the statement that it runs, if any."""


class Interrupted(KeyboardInterrupt):
    """The process was asked to end."""

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.exit_code = 128 + number


@contextlib.contextmanager
def heed_signals() -> Iterator[None]:
    """Raise what a signal asks for while the block runs; what the caller ignores is ignored."""
    global _received
    if threading.current_thread() is not threading.main_thread():
        yield  # Python gives signals to the main thread only.
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _heed)
    try:
        yield
    except BaseException as error:
        if (cause := find_cause(error)) is not error:
            raise cause from error
        raise
    finally:
        _received = None
        for number, handler in before.items():
            signal.signal(number, handler)


def end_statements_of(con: Interruptible) -> None:
    """End the statement that a connection runs when a signal comes."""
    _running.add(con)


def leave_signals() -> None:
    """Leave signals to whoever else ends this process well."""
    for number in _SIGNALS:
        if signal.getsignal(number) is _heed:
            is_int = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if is_int else signal.SIG_DFL)


@contextlib.contextmanager
def defer_signals() -> Iterator[None]:
    """Let the block end before a signal is heeded."""
    global _is_deferred
    _is_deferred = True
    try:
        yield
    finally:
        _is_deferred = False
    if _received:
        raise _received


def find_cause(error: BaseException) -> BaseException:
    """Return the signal that an error comes from: libraries raise others in its place."""
    return _received if _received and not isinstance(error, Interrupted) else error


def _heed(number: int, frame: FrameType | None) -> None:
    global _received
    _received = Interrupted(number)
    # The end takes a moment. Whoever cannot wait for it ends the process with a second signal.
    leave_signals()
    for con in list(_running):
        with contextlib.suppress(Exception):  # It may be closed.
            con.interrupt()
    if not _is_deferred:
        raise _received
