"""The columns of each raw table's frame with their dtypes, and frames made of rows.

Frames are built by hand with explicit dtypes, because DuckDB guesses the type of an object column
from a sample.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

Frames = dict[str, pd.DataFrame]

_IMAGE_COLUMNS = {
    "article_id": "str",
    "position": "Int64",
    "url": "str",
    "width": "Int64",
    "height": "Int64",
    "is_cached": "boolean",
    "title": "str",
    "extra": "str",
}
# Table → column → dtype; "instant" is datetime64[us, UTC] from µs, lists and JSON travel as text.
COLUMNS: dict[str, dict[str, str]] = {
    "raw.articles": {
        "article_id": "str",
        "content_hash": "str",
        "body_chars": "Int64",
        "secured_chars": "Int64",
        "title_text": "str",
        "excerpt_text": "str",
        "category": "str",
        "type": "str",
        "title": "str",
        "excerpt": "str",
        "published_at": "instant",
        "updated_at": "instant",
        "original_url": "str",
        "web_url": "str",
        "amp_web_url": "str",
        "cdn_amp_web_url": "str",
        "quality": "Int64",
        "heat": "Int64",
        "is_published": "boolean",
        "is_removed": "boolean",
        "provider_name": "str",
        "provider_domain": "str",
        "extra": "str",
    },
    "raw.article_topics": {"article_id": "str", "position": "Int64", "topic": "str"},
    "raw.article_images": _IMAGE_COLUMNS,
    "raw.provider_images": _IMAGE_COLUMNS,
    "raw.related_articles": {
        "article_id": "str",
        "position": "Int64",
        "title": "str",
        "excerpt": "str",
        "published_at": "instant",
        "web_url": "str",
        "amp_web_url": "str",
        "cdn_amp_web_url": "str",
        "type": "str",
        "quality": "Int64",
        "provider_name": "str",
        "provider_domain": "str",
        "extra": "str",
    },
    "raw.terms": {
        "path": "str",
        "kind": "str",
        "term_id": "str",
        "name": "str",
        "short_name": "str",
        "parent": "str",
        "domain": "str",
        "other_names": "str",
        "extra": "str",
    },
    # A file that is as it was has the status `same`, one that could not be read now `missed`.
    "ops.files": {
        "path": "str",
        "collection": "str",
        "file_date": "str",
        "status": "str",
        "content_hash": "str",
        "size_bytes": "Int64",
        "mark": "str",
        "reason_code": "str",
        "reason": "str",
        "line": "Int64",
        "column": "Int64",
        "hint": "str",
        "parser_version": "Int64",
    },
    "ops.warnings": {
        "path": "str",
        "field": "str",
        "code": "str",
        "message": "str",
        "line": "Int64",
        "hint": "str",
    },
}


def frame(columns: Mapping[str, str], rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Make a frame of these columns; each row has a value or None for every column, in order."""
    values = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return pd.DataFrame(
        {
            name: _series(list(column), dtype)
            for (name, dtype), column in zip(columns.items(), values, strict=True)
        }
    )


def _series(values: list[Any], dtype: str) -> Any:
    if dtype != "instant":
        return pd.array(values, dtype=dtype)  # type: ignore[call-overload]
    missing = np.iinfo(np.int64).min  # what numpy calls NaT
    micros = np.array([missing if v is None else v for v in values], dtype=np.int64)
    return pd.DatetimeIndex(micros.view("datetime64[us]")).tz_localize("UTC")
