"""How stages are carried out: directly here, as tasks of an orchestrator in `orchestrate.py`."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from flows.source.extract import Batch
from flows.workers import isolate

if TYPE_CHECKING:
    from flows.normalize.frames import Frames

T = TypeVar("T")
# Below this many files a pool costs more to start than it saves.
POOL_FROM_FILES = 10_000
# Real articles are a few kB; the smallest text known to crash the YAML library has 60.
SUSPICIOUS_BYTES = 32 * 1024


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
        self.jobs = jobs or _processors()
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
        pooled = self._needs_pool(batches)
        here = map(partial(isolate.attempt, work), batches)
        results = self._pooled(work, batches) if pooled else here
        for batch, frames in zip(batches, results, strict=True):
            done += len(batch.paths)
            self.progress(done, total)
            yield frames

    def report(self, receipt: Mapping[str, Any]) -> None:
        """Hand the receipt on to whoever asked for it."""
        self.reported(receipt)

    def _needs_pool(self, batches: Sequence[Batch]) -> bool:
        files = sum(len(batch.paths) for batch in batches)
        if files >= self.pool_from and (self.jobs > 1 or not self.pool_from):
            return True
        # What is known to kill the parser is large; such a file must not read in this process.
        return any(_is_suspicious(batch.source, path) for batch in batches for path in batch.paths)

    def _pooled(
        self, work: "Callable[[Batch], Frames]", batches: Sequence[Batch]
    ) -> "Iterator[Frames]":
        waiting = deque(batches)
        while waiting:
            # A pool does not survive the death of a worker: the batches after it get a new one.
            try:
                for frames in self._from_pool(work, tuple(waiting)):
                    waiting.popleft()
                    yield frames
            except BrokenProcessPool:
                # Any of the batches that were under way can hold the file that kills.
                for _ in range(min(self.jobs + 2, len(waiting))):
                    yield isolate.retry_in_new_process(work, waiting.popleft())

    def _from_pool(
        self, work: "Callable[[Batch], Frames]", batches: Sequence[Batch]
    ) -> "Iterator[Frames]":
        context = isolate.worker_context()
        # The first worker waits until the server has imported pandas: time to do so here, too.
        import pandas  # noqa: F401

        jobs = min(self.jobs, len(batches))
        with ProcessPoolExecutor(
            jobs, mp_context=context, initializer=isolate.start_worker
        ) as pool:
            under_way = deque[Future["Frames"]]()
            for batch in batches:
                with isolate.main_left_alone():
                    under_way.append(pool.submit(isolate.attempt, work, batch))
                # Workers may run ahead of the loader, but not without bound.
                if len(under_way) > 2 * self.jobs + 2:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()


def _processors() -> int:
    """Return how many processors this process may use; not every system can say."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _is_suspicious(source: Path, path: str) -> bool:
    try:
        return os.lstat(f"{source}/{path}").st_size > SUSPICIOUS_BYTES
    except (OSError, ValueError):
        return False  # It is not read at all, or it vanished.


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
