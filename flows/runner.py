"""How stages are carried out: directly here, as tasks of an orchestrator in `orchestrate.py`."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from flows.extract import Batch

if TYPE_CHECKING:
    from flows.normalize import Frames

T = TypeVar("T")
# Below this many files a pool costs more to start than it saves.
POOL_FROM_FILES = 4000


class Runner(Protocol):
    """What the pipeline asks of whoever carries out its stages."""

    def call(self, stage: str, work: Callable[[], T]) -> T:
        """Carry out one stage."""
        ...

    def map(
        self, stage: str, work: "Callable[[Batch], Frames]", batches: Sequence[Batch]
    ) -> "Iterator[Frames]":
        """Carry out one stage batch by batch; results come in the order of the batches."""
        ...

    def report(self, receipt: Mapping[str, Any]) -> None:
        """Take note of the receipt of a refresh that ended, well or with an `error`."""
        ...


class DirectRunner:
    """Plain function calls, and a pool of processes when there is enough to read."""

    def __init__(
        self,
        jobs: int | None = None,
        progress: Callable[[int, int], None] | None = None,
        reported: Callable[[Mapping[str, Any]], None] | None = None,
        pool_from: int = POOL_FROM_FILES,
    ) -> None:
        self.jobs = jobs or len(os.sched_getaffinity(0))
        self.progress = progress or (lambda done, total: None)
        self.reported = reported or (lambda receipt: None)
        self.pool_from = pool_from

    def call(self, stage: str, work: Callable[[], T]) -> T:
        """Carry out one stage at once."""
        return work()

    def map(
        self, stage: str, work: "Callable[[Batch], Frames]", batches: Sequence[Batch]
    ) -> "Iterator[Frames]":
        """Carry out the batches and report progress in files."""
        total, done = sum(len(batch.paths) for batch in batches), 0
        pooled = self.jobs > 1 and total >= self.pool_from
        results = self._pooled(work, batches) if pooled else map(work, batches)
        for batch, frames in zip(batches, results, strict=True):
            done += len(batch.paths)
            self.progress(done, total)
            yield frames

    def report(self, receipt: Mapping[str, Any]) -> None:
        """Hand the receipt on to whoever asked for it."""
        self.reported(receipt)

    def _pooled(
        self, work: "Callable[[Batch], Frames]", batches: Sequence[Batch]
    ) -> "Iterator[Frames]":
        # spawn: a fork would copy DuckDB's threads in an undefined state.
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self.jobs, mp_context=spawn) as pool:
            waiting = deque[Future["Frames"]]()
            for batch in batches:
                waiting.append(pool.submit(work, batch))
                # Workers may run ahead of the loader, but not without bound.
                if len(waiting) > self.jobs + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


def named(
    name: str,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    reported: Callable[[Mapping[str, Any]], None] | None = None,
) -> DirectRunner:
    """Return the runner that reads in this process (local) or in several (process).

    Any other name leaves it to the number of files.
    """
    if name == "local":
        return DirectRunner(1, progress, reported)
    pool_from = 0 if name == "process" else POOL_FROM_FILES
    return DirectRunner(jobs, progress, reported, pool_from)
