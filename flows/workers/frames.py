"""A batch of files → frames: the work of a worker, wherever it runs."""

import gc
from datetime import datetime
from typing import TYPE_CHECKING

from flows.source.extract import Batch, extract

if TYPE_CHECKING:
    from flows.normalize.frames import Frames


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
