"""Batches read by the workers of a Dask cluster, which hand frames over as Parquet files.

The one way beyond the processors of one machine. The folder of the exchange and the source are
mounted on each worker under the same paths.
"""

import logging
import shutil
import tempfile
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flows import MatterhouseError, UsageError
from flows.normalize.frames import Frames
from flows.normalize.frames import columns as declared_columns
from flows.source import sources
from flows.source.extract import Batch
from flows.warehouse.connection import Connection, connect, sql_identifier, sql_literal
from flows.warehouse.paths import WORKING
from flows.workers import isolate
from flows.workers.runner import Progress, Runner

# Disks and mounts can fail for a moment.
_RETRIES = 2


class WorkersFailed(MatterhouseError):
    """The cluster does not answer, or could not read a batch."""


class ClusterRunner(Runner):
    """Reads on the cluster at an address, or on one of its own on this machine."""

    def __init__(
        self,
        address: str,
        exchange: Path,
        jobs: int | None,
        progress: Progress,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(jobs, progress, say=say)
        self.address = address
        self.exchange = exchange

    def _results(
        self, work: Callable[[Batch], Frames], batches: Sequence[Batch]
    ) -> Iterator[Frames]:
        """Yield what the workers left, letting them read no more than a few batches ahead."""
        if not batches:
            return
        # The name is one that the next run sweeps up, should this one be killed.
        prefix = f"{WORKING}.parts-"
        with (
            tempfile.TemporaryDirectory(prefix=prefix, dir=self.exchange) as staging,
            self._client() as client,
        ):
            ahead = 2 * max(len(client.nthreads()), 1)
            waiting: deque[tuple[Batch, Any]] = deque()
            for number, batch in enumerate(batches, start=1):
                given = replace(batch, source=sources.absolute(batch.source))
                name = f"{number:06}"
                future = client.submit(
                    write_parts, work, given, Path(staging), name, pure=False, retries=_RETRIES
                )
                waiting.append((batch, future))
                if len(waiting) > ahead:
                    yield _collect(work, *waiting.popleft())
            while waiting:
                yield _collect(work, *waiting.popleft())

    def _client(self) -> Any:
        try:
            client: Any = import_module("distributed").Client
        except ImportError as error:
            raise UsageError(
                "the Dask runner is an extra: pip install 'matterhouse[dask]'"
            ) from error
        # It reports each connection of each worker otherwise.
        logging.getLogger("distributed").setLevel(logging.ERROR)
        try:
            if self.address:
                return client(self.address)
            with isolate.main_left_alone():
                return client(
                    n_workers=self.jobs, threads_per_worker=1, dashboard_address="127.0.0.1:0"
                )
        except OSError as error:
            raise WorkersFailed(f"no Dask scheduler answers at {self.address}: {error}") from error


def _collect(work: Callable[[Batch], Frames], batch: Batch, future: Any) -> Frames:
    """Return what a worker read; a batch that kills workers is read here, file by file."""
    from distributed import KilledWorker

    try:
        return take_parts(future.result())
    except MatterhouseError:
        raise
    except KilledWorker:
        return isolate.retry_in_new_process(work, batch)
    except Exception as error:
        raise WorkersFailed(
            f"the Dask workers could not read the batch that begins with {batch.paths[0]!r}"
            f" ({type(error).__name__}); nothing was published. See the workers' logs, or read it"
            " on this machine with --runner process"
        ) from error


def write_parts(work: Callable[[Batch], Frames], batch: Batch, staging: Path, name: str) -> Path:
    """Carry out one batch, leave its frames as `staging/name/TABLE.parquet`; return that folder."""
    # Every file of a folder that is not mounted here would be quarantined as vanished.
    if isinstance(batch.source, Path) and not batch.source.exists():
        raise WorkersFailed(
            f"the worker does not see {batch.source}: mount it there under the same path"
        )
    if not staging.is_dir():
        raise WorkersFailed(
            f"the worker does not see {staging}: mount the warehouse's folder there under the"
            " same path"
        )
    frames = isolate.attempt(work, batch)
    # A worker that was given up for lost may still be writing: each attempt has its own folder.
    attempt = staging / f"{name}-{uuid.uuid4().hex}"
    attempt.mkdir()
    with connect() as con:
        for table, frame in frames.items():
            con.register("frame", frame)
            file = sql_literal(attempt / f"{table}.parquet")
            con.execute(f"copy (from frame) to {file} (format parquet, compression zstd)")
            con.unregister("frame")
    return attempt


def take_parts(folder: Path) -> Frames:
    """Return the frames that `write_parts` left in a folder, with their dtypes, and remove it."""
    with connect() as con:
        frames = {
            table: _frame(con, folder / f"{table}.parquet", columns)
            for table, columns in declared_columns().items()
        }
    shutil.rmtree(folder)
    return frames


def _frame(con: Connection, file: Path, columns: dict[str, str]) -> pd.DataFrame:
    # As numbers of microseconds, instants need no time zone library on the way.
    chosen = ", ".join(
        f"epoch_us({name}) as {name}" if dtype == "instant" else name
        for name, dtype in ((sql_identifier(name), dtype) for name, dtype in columns.items())
    )
    rows = con.execute(f"select {chosen} from read_parquet($file)", {"file": str(file)})
    found = rows.fetchnumpy()
    return pd.DataFrame({name: _series(found[name], dtype) for name, dtype in columns.items()})


def _series(values: Any, dtype: str) -> Any:
    """Turn what DuckDB hands out into the dtype that `normalize` made."""
    missing, data = np.ma.getmaskarray(values), np.ma.getdata(values)
    match dtype:
        case "Int64":
            return pd.arrays.IntegerArray(data.astype("int64"), missing)
        case "boolean":
            return pd.arrays.BooleanArray(data.astype("bool"), missing)
        case "instant":
            micros = np.where(missing, np.iinfo(np.int64).min, data.astype("int64"))
            return pd.DatetimeIndex(micros.view("datetime64[us]")).tz_localize("UTC")
        case _:
            texts = [None if gone else text for text, gone in zip(data, missing, strict=True)]
            return pd.array(texts, dtype=dtype)  # type: ignore[call-overload]
