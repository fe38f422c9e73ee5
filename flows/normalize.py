"""Documents → one pandas frame per raw table, and the ledger rows that go with them.

A value of the wrong type becomes null with a warning that names field, value and line: nothing is
changed silently. Frames are built by hand with explicit dtypes, because DuckDB guesses the type of
an object column from a sample.
"""

import json
import math
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from flows import frontmatter, limit
from flows.cast import (
    Cast,
    Misfit,
    boolean,
    clean,
    instant,
    integer,
    items,
    mapping,
    text,
)
from flows.extract import Document, Extracted, Reject, Signature
from flows.frontmatter import KeyPath, Plain, Value, is_secret

Frames = dict[str, pd.DataFrame]

# A file that is wrong in every item (thousands of topics, say) needs no more to be understood.
MAX_WARNINGS = 50
_SHOWN_CHARS = 40
_FILE_DATE = re.compile(r"(?:.*/)?(\d{4}-\d\d-\d\d)(?!\d)[^/]*")
# Front-matter key → how its value is taken, in the order of the table's columns.
_ARTICLE: dict[str, Cast] = {
    "category": text,
    "type": text,
    "title": text,
    "excerpt": text,
    "publishedDateTime": instant,
    "updatedDateTime": instant,
    "originalUrl": text,
    "webUrl": text,
    "ampWebUrl": text,
    "cdnAmpWebUrl": text,
    "quality": integer,
    "heat": integer,
    "published": boolean,
    "removed": boolean,
}
_PROVIDER: dict[str, Cast] = {"name": text, "domain": text}
_IMAGE: dict[str, Cast] = {
    "url": text,
    "width": integer,
    "height": integer,
    "isCached": boolean,
    "title": text,
}
_RELATED: dict[str, Cast] = {
    "title": text,
    "excerpt": text,
    "publishedDateTime": instant,
    "webUrl": text,
    "ampWebUrl": text,
    "cdnAmpWebUrl": text,
    "type": text,
    "quality": integer,
}
_TAXONOMY: dict[str, Cast] = {
    "_id": text,
    "name": text,
    "shortname": text,
    "parent": text,
    "domain": text,
}

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
        "collection": "str",
        "file_date": "str",
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
    "raw.taxonomy": {
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
    "ops.files": {
        "path": "str",
        "status": "str",
        "content_hash": "str",
        "size_bytes": "Int64",
        "mtime_ns": "Int64",
        "ctime_ns": "Int64",
        "inode": "Int64",
        "reason_code": "str",
        "reason": "str",
        "line": "Int64",
        "column": "Int64",
        "hint": "str",
        "warnings": "str",
        "parser_version": "Int64",
    },
}
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Warned:
    """A value that was set to null: field as a path, positions from 1, line in the file."""

    field: str
    code: str
    message: str
    line: int | None
    hint: str


def normalize(extracted: Extracted) -> Frames:
    """Turn what a batch gave into one frame per raw table, and one for the ledger.

    A ledger row without a status is a file that was touched but not changed.
    """
    rows: Rows = {table: [] for table in COLUMNS}
    with limit.watched():
        for document in extracted.documents:
            limit.next_file()
            reader = _Reader(document)
            if document.kind == "article":
                reader.article(rows)
            else:
                reader.taxonomy(rows)
            rows["ops.files"].append(_loaded(document, reader.located()))
    rows["ops.files"] += [_rejected(reject) for reject in extracted.rejects]
    rows["ops.files"] += [_touched(same.path, same.signature) for same in extracted.same]
    return {table: _frame(columns, rows[table]) for table, columns in COLUMNS.items()}


class _Reader:
    """Takes the values of one document and notes those that do not fit."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.warnings: list[Warned] = []
        self.key_paths: list[KeyPath] = []

    def article(self, rows: Rows) -> None:
        article_id, fields = self.document.path, self.document.front_matter.fields
        values = self._take(fields, (), _ARTICLE)
        provider = self._one(mapping, fields, "provider") or {}
        extra = _rest(fields, _ARTICLE_KEYS)
        if unknown := _rest(provider, _PROVIDER_KEYS):
            extra["provider"] = unknown
        rows["raw.articles"].append(
            (
                article_id,
                self.document.content_hash,
                _collection(article_id),
                _file_date(article_id),
                self.document.front_matter.body_chars,
                _secured_chars(fields),
                clean(values[2]),
                clean(values[3]),
                *values,
                *self._take(provider, ("provider",), _PROVIDER),
                _json(extra),
            )
        )
        topics = self._many(text, fields, "topics")
        rows["raw.article_topics"] += [(article_id, at, topic) for at, topic in topics]
        rows["raw.article_images"] += self._images(fields)
        rows["raw.provider_images"] += self._images(provider, "provider")
        rows["raw.related_articles"] += self._related(fields)

    def taxonomy(self, rows: Rows) -> None:
        fields = self.document.front_matter.fields
        names = self._many(text, fields, "otherNames")
        rows["raw.taxonomy"].append(
            (
                self.document.path,
                self.document.kind,
                *self._take(fields, (), _TAXONOMY),
                json.dumps([name for _, name in names]) if names else None,
                _json(_rest(fields, _TAXONOMY_KEYS)),
            )
        )

    def _images(self, fields: Mapping[str, Value], *where: str) -> list[tuple[Any, ...]]:
        return [
            (
                self.document.path,
                at,
                *self._take(image, (*where, "images", at - 1), _IMAGE),
                _json(_rest(image, _IMAGE.keys())),
            )
            for at, image in self._many(mapping, fields, "images", *where)
        ]

    def _related(self, fields: Mapping[str, Value]) -> list[tuple[Any, ...]]:
        found = []
        for at, item in self._many(mapping, fields, "related"):
            where = ("related", at - 1)
            provider = self._one(mapping, item, "provider", *where) or {}
            extra = _rest(item, _RELATED_KEYS)
            if unknown := _rest(provider, _PROVIDER.keys()):
                extra["provider"] = unknown
            found.append(
                (
                    self.document.path,
                    at,
                    *self._take(item, where, _RELATED),
                    *self._take(provider, (*where, "provider"), _PROVIDER),
                    _json(extra),
                )
            )
        return found

    def _take(
        self, fields: Mapping[str, Value], where: tuple[str | int, ...], casts: dict[str, Cast]
    ) -> list[Any]:
        values = []
        for key, cast in casts.items():
            value = fields.get(key)
            if value is not None:
                try:
                    value = cast(value)
                except Misfit as misfit:
                    self._warn((*where, key), value, misfit)
                    value = misfit.value
            values.append(value)
        return values

    def _one(self, cast: Cast, fields: Mapping[str, Value], key: str, *where: str | int) -> Any:
        return self._take(fields, where, {key: cast})[0] if key in fields else None

    def _many(
        self, cast: Cast, fields: Mapping[str, Value], key: str, *where: str | int
    ) -> list[tuple[int, Any]]:
        """Take a list's items with their positions from 1; an item without a value is left out."""
        found = []
        for at, item in enumerate(self._one(items, fields, key, *where) or (), start=1):
            try:
                value = cast(item)
                if value is None:
                    raise Misfit("empty_item", "a value", "Remove the empty item, or fill it in.")
                found.append((at, value))
            except Misfit as misfit:
                self._warn((*where, key, at - 1), item, misfit)
        return found

    def _warn(self, key_path: KeyPath, value: Value, misfit: Misfit) -> None:
        if len(self.warnings) > MAX_WARNINGS:
            return
        if len(self.warnings) == MAX_WARNINGS:
            message = f"More than {MAX_WARNINGS} values do not fit; the rest is not listed."
            self.warnings.append(
                Warned("", "more_warnings", message, None, "Mend the listed ones.")
            )
            return
        name = re.sub(
            r"\.\[", "[", ".".join(k if isinstance(k, str) else f"[{k + 1}]" for k in key_path)
        )
        kept = "" if misfit.value is not None else "; stored as null"
        self.key_paths.append(key_path)
        self.warnings.append(
            Warned(
                name,
                misfit.code,
                f"{name} is {_shown(value)}, not {misfit.expected}{kept}.",
                None,
                misfit.hint,
            )
        )

    def located(self) -> list[Warned]:
        """Give the warnings with their lines, found in one pass over the file."""
        if not self.warnings:
            return []
        places = frontmatter.locate_all(
            self.document.data, self.key_paths, whole_file=self.document.is_whole_file
        )
        lines = [place[0] if place else None for place in places]
        listed, rest = self.warnings[: len(lines)], self.warnings[len(lines) :]
        return [replace(w, line=line) for w, line in zip(listed, lines, strict=True)] + rest


_ARTICLE_KEYS = {*_ARTICLE, "provider", "topics", "images", "related", "taxonomy"}
_PROVIDER_KEYS = {*_PROVIDER, "images"}
_RELATED_KEYS = {*_RELATED, "provider"}
_TAXONOMY_KEYS = {*_TAXONOMY, "taxonomy", "otherNames"}


def _rest(fields: Mapping[str, Value], known: Set[str]) -> dict[str, Any]:
    if fields.keys() <= known:
        return {}
    return {
        key: _jsonable(fields[key]) for key in fields if key not in known and not is_secret(key)
    }


def _jsonable(value: Value) -> Any:
    """Return what JSON can say of a value; dates stay the text the author typed."""
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items() if not is_secret(key)}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    meant = frontmatter.typed(value) if isinstance(value, Plain) else value
    if meant is None or isinstance(meant, bool | int):
        return meant
    if isinstance(meant, float) and math.isfinite(meant):
        return meant
    return str(value) if isinstance(value, str | float) else str(meant)


def _json(extra: dict[str, Any]) -> str | None:
    return json.dumps(extra, ensure_ascii=False) if extra else None


def _secured_chars(fields: Mapping[str, Value]) -> int | None:
    # Taking the known keys out first costs far less than folding the spelling of each.
    payloads = [fields[key] for key in fields.keys() - _ARTICLE_KEYS if is_secret(key)]
    return _chars(payloads) if payloads else None


def _chars(value: Value) -> int:
    if isinstance(value, dict):
        return sum(map(_chars, value.values()))
    if isinstance(value, list):
        return sum(map(_chars, value))
    return 0 if value is None else len(str(value))


def _collection(path: str) -> str | None:
    folder, slash, _ = path.partition("/")
    return folder.removeprefix("_") if slash else None


def _file_date(path: str) -> str | None:
    if not (found := _FILE_DATE.fullmatch(path)):
        return None
    try:
        return date.fromisoformat(found[1]).isoformat()
    except ValueError:
        return None


def _shown(value: Value) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None or (isinstance(value, Plain) and not value):
        return "empty"
    typed_text = str(value)
    cut = typed_text[:_SHOWN_CHARS] + ("…" if len(typed_text) > _SHOWN_CHARS else "")
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut) + '"'


def _loaded(document: Document, warnings: list[Warned]) -> tuple[Any, ...]:
    noted = json.dumps(
        [
            {"field": w.field, "code": w.code, "message": w.message, "line": w.line, "hint": w.hint}
            for w in warnings
        ],
        ensure_ascii=False,
    )
    return (
        document.path,
        "loaded",
        document.content_hash,
        *_stat(document.signature),
        *(None,) * 5,
        noted,
        frontmatter.PARSER_VERSION,
    )


def _rejected(reject: Reject) -> tuple[Any, ...]:
    return (
        reject.path,
        reject.status,
        reject.content_hash,
        *_stat(reject.signature),
        reject.code,
        reject.message,
        reject.line,
        reject.column,
        reject.hint,
        "[]",
        frontmatter.PARSER_VERSION,
    )


def _touched(path: str, signature: Signature) -> tuple[Any, ...]:
    return (path, None, None, *_stat(signature), *(None,) * 7)


def _stat(signature: Signature | None) -> tuple[int | None, ...]:
    if signature is None:
        return (None,) * 4
    return signature.size_bytes, signature.mtime_ns, signature.ctime_ns, signature.inode


def _frame(columns: Mapping[str, str], rows: list[tuple[Any, ...]]) -> pd.DataFrame:
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
