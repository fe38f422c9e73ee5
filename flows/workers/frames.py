"""A batch of files → frames: the work of a worker, wherever it runs; and frames put together."""

import contextlib
import gc
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from flows.source.extract import Batch, extract

if TYPE_CHECKING:
    from flows.normalize.frames import Frames


def import_early() -> None:
    """Import pandas beside what DuckDB does next: it takes a quarter of a small build."""

    def import_pandas() -> None:
        # An error shows again where pandas is used.
        with contextlib.suppress(Exception):
            import flows.normalize.rows  # noqa: F401

    threading.Thread(target=import_pandas).start()


def frames_of(batch: Batch, observed_at: datetime | None = None) -> "Frames":
    """Read and normalize one batch."""
    # pandas takes longer to import than a run without changes takes.
    from flows.normalize.rows import normalize

    # A batch makes a million objects and hardly a cycle: the collector would only count them.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return normalize(extract(batch), observed_at, batch.mapping)
    finally:
        if collecting:
            gc.enable()


def gather(batches: "Iterable[Frames]", files: int) -> "Iterator[Frames]":
    """Put the frames of so many files together: DuckDB plans a batch as long as it loads it."""
    waiting: list[Frames] = []
    for frames in batches:
        waiting.append(frames)
        if sum(len(each["ops.files"]) for each in waiting) >= files:
            whole, waiting = join(waiting), []
            yield whole
    if waiting:
        yield join(waiting)


def join(parts: "Sequence[Frames]") -> "Frames":
    """Put the frames of parts together, table by table."""
    import pandas as pd

    return {
        table: pd.concat([part[table] for part in parts], ignore_index=True) for table in parts[0]
    }
