"""Frames ⇄ Parquet files in a folder that worker machines share with the driver."""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from flows import MatterhouseError
from flows.normalize.frames import COLUMNS, Frames
from flows.source.extract import Batch
from flows.warehouse.connection import connect, sql_identifier, sql_literal
from flows.workers import isolate


class SourceNotOnWorker(MatterhouseError):
    """A worker machine does not see the folder that the driver scanned."""


class StagingNotOnWorker(MatterhouseError):
    """A worker machine does not see the folder that the parts are exchanged in."""


def write(work: Callable[[Batch], Frames], batch: Batch, staging: Path, name: str) -> str:
    """Carry out one batch, leave its frames as `staging/name/TABLE.parquet`; return that folder."""
    # Every file of a folder that is not mounted here would be quarantined as vanished.
    if not batch.source.is_dir():
        raise SourceNotOnWorker(
            f"the worker does not see {batch.source}: mount it there under the same path"
        )
    if not staging.is_dir():
        raise StagingNotOnWorker(
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
    return str(attempt)


def take(folder: Path) -> Frames:
    """Return the frames that `write` left in a folder, with their dtypes, and remove it."""
    with connect() as con:
        frames = {
            table: _frame(con, folder / f"{table}.parquet", columns)
            for table, columns in COLUMNS.items()
        }
    shutil.rmtree(folder)
    return frames


def _frame(con: duckdb.DuckDBPyConnection, file: Path, columns: dict[str, str]) -> pd.DataFrame:
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
