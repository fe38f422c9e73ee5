"""Rows → one pandas frame per table, whose columns and dtypes are those that sql/ declares.

Frames are built by hand with explicit dtypes, because DuckDB guesses the type of an object column
from a sample.
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from flows.config.columns import read_types

Frames = dict[str, pd.DataFrame]
Row = dict[str, Any]
Rows = dict[str, list[Row]]
Columns = dict[str, Sequence[Any]]

TABLES = (
    "raw.articles",
    "raw.article_topics",
    "raw.article_images",
    "raw.provider_images",
    "raw.related_articles",
    "raw.terms",
    "ops.files",
    "ops.warnings",
)
# What no file says: the load fills these.
_OF_RUN = {
    "raw.articles": {"collection", "file_date", "first_seen_at", "observed_at"},
    "ops.files": {"first_seen_at", "changed_at", "gone_at", "run_id"},
}
# Lists, JSON and dates travel as text, "instant" is datetime64[us, UTC] made of µs.
_DTYPES = {
    "bigint": "Int64",
    "boolean": "boolean",
    "date": "str",
    "integer": "Int64",
    "json": "str",
    "timestamptz": "instant",
    "varchar": "str",
    "varchar[]": "str",
}


@cache
def columns() -> dict[str, dict[str, str]]:
    """Return the columns of each table's frame with their dtypes."""
    found = {}
    for table in TABLES:
        declared = {name: _DTYPES[kind] for name, kind in read_types(table).items()}
        found[table] = {
            name: dtype for name, dtype in declared.items() if name not in _OF_RUN.get(table, ())
        }
    return found


def make_frame(declared: Mapping[str, str], columns: Columns) -> pd.DataFrame:
    """Make a frame of the declared columns; one without values is null."""
    rows = len(next(iter(columns.values()), ()))
    made = {}
    for name, dtype in declared.items():
        values = columns.get(name, ())
        is_null = all(value is None for value in values)
        made[name] = _make_nulls(rows, dtype) if is_null else _make_series(values, dtype)
    return pd.DataFrame(made, copy=False)


@lru_cache(64)
def _make_nulls(rows: int, dtype: str) -> Any:
    return _make_series([None] * rows, dtype)


def _make_series(values: Sequence[Any], dtype: str) -> Any:
    if dtype == "str":
        # From a list pandas would ask each null what arrays it is like.
        return pd.array(np.fromiter(values, dtype=object, count=len(values)), dtype="str")
    if dtype == "boolean":
        return pd.array(values, dtype="boolean")
    is_null = np.array([value is None for value in values], dtype=bool)
    # What numpy calls NaT; below a mask any number will do.
    missing = np.iinfo(np.int64).min
    numbers = np.array([missing if v is None else v for v in values], dtype=np.int64)
    if dtype == "Int64":
        return pd.arrays.IntegerArray(numbers, is_null)
    return pd.DatetimeIndex(numbers.view("datetime64[us]")).tz_localize("UTC")
