"""Where batches are read: in this process, or by worker processes."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from flows.source.extract import Batch
from flows.workers import isolate

if TYPE_CHECKING:
    from flows.normalize.frames import Frames

# Called with the stage, the number of files (or commits) that are read, and of how many.
Progress: TypeAlias = Callable[[str, int, int], None]
# Below this many files a pool costs more to start than it saves.
POOL_FROM_FILES = 10_000
# Real articles are a few kB; the smallest text known to crash the YAML library has 60.
SUSPICIOUS_BYTES = 32 * 1024


class Runner:
    """Reads in this process, or in a pool of others when there is enough to read."""

    def __init__(
        self,
        jobs: int | None = None,
        progress: Progress = lambda stage, done, total: None,
        pool_from: int = POOL_FROM_FILES,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.jobs = jobs or _processors()
        self.progress = progress
        self.say = say
        self.pool_from = pool_from

    def map(
        self, stage: str, work: "Callable[[Batch], Frames]", batches: Sequence[Batch]
    ) -> "Iterator[Frames]":
        """Carry out the batches; results come in their order, and progress with each."""
        total, done = sum(batch.steps for batch in batches), 0
        for batch, frames in zip(batches, self._results(work, batches), strict=True):
            done += batch.steps
            self.progress(stage, done, total)
            yield frames

    def _results(
        self, work: "Callable[[Batch], Frames]", batches: Sequence[Batch]
    ) -> "Iterator[Frames]":
        if self._needs_pool(batches):
            return self._pooled(work, batches)
        return map(partial(isolate.attempt, work), batches)

    def _needs_pool(self, batches: Sequence[Batch]) -> bool:
        files = sum(len(batch.paths) for batch in batches)
        if files >= self.pool_from and (self.jobs > 1 or not self.pool_from):
            return True
        # What is known to kill the parser is large; such a file must not read in this process.
        return any(_is_suspicious(batch, path) for batch in batches for path in batch.paths)

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


def choose_runner(
    name: str,
    exchange: Path,
    jobs: int | None = None,
    progress: Progress = lambda stage, done, total: None,
    say: Callable[[str], None] = lambda text: None,
) -> Runner:
    """Return the runner that `--runner` names: auto, local, process, dask or dask=ADDRESS.

    A cluster hands its frames over in the folder `exchange`.
    """
    where, _, address = name.partition("=")
    if where == "dask":
        # It imports pandas, which a run without changes does not need.
        from flows.workers.cluster import ClusterRunner

        return ClusterRunner(address, exchange, jobs, progress, say)
    jobs = 1 if where == "local" else jobs
    return Runner(jobs, progress, 0 if where == "process" else POOL_FROM_FILES, say)


def _processors() -> int:
    # Not every system can say how many this process may use.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _is_suspicious(batch: Batch, path: str) -> bool:
    if batch.marks:
        # The marks of objects and members begin with their size.
        size, _, _ = batch.marks.get(path, "").partition(" ")
        return size.isdecimal() and int(size) > SUSPICIOUS_BYTES
    try:
        return os.lstat(f"{batch.source}/{path}").st_size > SUSPICIOUS_BYTES
    except (OSError, ValueError):
        return False  # It is not read at all, or it vanished.
