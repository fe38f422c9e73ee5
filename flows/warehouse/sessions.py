"""Several sessions of one database, whose statements run side by side."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from flows.warehouse.connection import Connection, open_session

T = TypeVar("T")


class Submit(Protocol):
    """Lets the next session that is free carry out some work."""

    def __call__(self, work: Callable[[Connection], T]) -> "Future[T]":
        """Return the work's result, or its error, when it is there."""
        ...


@contextlib.contextmanager
def sessions(con: Connection, count: int) -> Iterator[Submit]:
    """Open sessions of the same database beside one, and give what lets them work.

    An error in the block ends the statements that are still running, and what waits is not begun.
    """
    free: SimpleQueue[Connection] = SimpleQueue()
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(open_session(con)) for _ in range(count)]
        for session in opened:
            free.put(session)

        def carry_out(work: Callable[[Connection], T]) -> T:
            session = free.get()
            try:
                return work(session)
            finally:
                free.put(session)

        pool = stack.enter_context(ThreadPoolExecutor(count))
        submitted: list[Future[Any]] = []

        def submit(work: Callable[[Connection], T]) -> "Future[T]":
            future = pool.submit(carry_out, work)
            submitted.append(future)
            return future

        try:
            yield submit
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            # Between two statements there is nothing to interrupt: the second is met next time.
            while not all(future.done() for future in submitted):
                for session in opened:
                    session.interrupt()
                time.sleep(0.05)
            raise
