"""How long each stage of a run takes."""

import contextlib
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Stopwatch:
    """Seconds spent per stage, added up over the times a stage is entered."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inner = 0.0

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to `name`, except for stages that run within it."""
        outer, self._inner = self._inner, 0.0
        start = time.perf_counter()
        try:
            yield
        finally:
            whole = time.perf_counter() - start
            own = self.seconds.get(name, 0.0) + whole - self._inner
            self.seconds[name] = round(own, 3)
            self._inner = outer + whole

    def time_results(self, name: str, results: Iterable[T]) -> Iterator[T]:
        """Count the time that the next result takes for `name`."""
        iterator = iter(results)
        while True:
            with self.stage(name):
                try:
                    result = next(iterator)
                except StopIteration:
                    return
            yield result
