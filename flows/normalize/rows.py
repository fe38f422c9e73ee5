"""Documents → one pandas frame per raw table, and the ledger rows that go with them.

A value of the wrong type becomes null with a warning that names field, value and line: nothing is
changed silently.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from flows import frontmatter
from flows.frontmatter import Value
from flows.normalize import dates
from flows.normalize.convert import (
    Cast,
    ConversionError,
    bad_date,
    clean,
    to_boolean,
    to_integer,
    to_list,
    to_mapping,
    to_text,
    to_timestamp,
)
from flows.normalize.extra import as_json, secured_chars, unknown_keys
from flows.normalize.frames import COLUMNS, Frames, frame
from flows.normalize.warnings import Warnings
from flows.source import time_limit
from flows.source.extract import Document, Extracted, Reject, Unchanged
from flows.source.read import Signature

_FILE_DATE = re.compile(r"(?:.*/)?(\d{4}-\d\d-\d\d)(?!\d)[^/]*")
# Front-matter key → how its value is taken, in the order of the table's columns.
_ARTICLE: dict[str, Cast] = {
    "category": to_text,
    "type": to_text,
    "title": to_text,
    "excerpt": to_text,
    "publishedDateTime": to_timestamp,
    "updatedDateTime": to_timestamp,
    "originalUrl": to_text,
    "webUrl": to_text,
    "ampWebUrl": to_text,
    "cdnAmpWebUrl": to_text,
    "quality": to_integer,
    "heat": to_integer,
    "published": to_boolean,
    "removed": to_boolean,
}
_PROVIDER: dict[str, Cast] = {"name": to_text, "domain": to_text}
_IMAGE: dict[str, Cast] = {
    "url": to_text,
    "width": to_integer,
    "height": to_integer,
    "isCached": to_boolean,
    "title": to_text,
}
_RELATED: dict[str, Cast] = {
    "title": to_text,
    "excerpt": to_text,
    "publishedDateTime": to_timestamp,
    "webUrl": to_text,
    "ampWebUrl": to_text,
    "cdnAmpWebUrl": to_text,
    "type": to_text,
    "quality": to_integer,
}
_TAXONOMY: dict[str, Cast] = {
    "_id": to_text,
    "name": to_text,
    "shortname": to_text,
    "parent": to_text,
    "domain": to_text,
}

Rows = dict[str, list[tuple[Any, ...]]]


def normalize(extracted: Extracted, observed_at: datetime | None = None) -> Frames:
    """Turn what a batch gave into one frame per raw table, and two for the ledger.

    `observed_at`, the start of the run (now, unless it is given), bounds the dates that can be
    meant.
    """
    plausible = dates.range_at(observed_at or datetime.now(UTC))
    rows: Rows = {table: [] for table in COLUMNS}
    with time_limit.watched():
        for document in extracted.documents:
            time_limit.next_file()
            reader = _Reader(document, plausible)
            if document.kind == "article":
                reader.article(rows)
            else:
                reader.taxonomy(rows)
            rows["ops.files"].append(_loaded(document))
            rows["ops.warnings"] += [
                (document.path, w.field, w.code, w.message, w.line, w.hint)
                for w in reader.misfits.located(document)
            ]
    rows["ops.files"] += [_rejected(reject) for reject in extracted.rejects]
    rows["ops.files"] += [_same(same) for same in extracted.same]
    return {table: frame(columns, rows[table]) for table, columns in COLUMNS.items()}


class _Reader:
    """Takes the values of one document and notes those that do not fit."""

    def __init__(self, document: Document, plausible: dates.DateRange) -> None:
        self.document = document
        self.plausible = plausible
        self.misfits = Warnings()

    def article(self, rows: Rows) -> None:
        article_id, fields = self.document.path, self.document.front_matter.fields
        values = self._take(fields, (), _ARTICLE)
        provider = self._one(to_mapping, fields, "provider") or {}
        extra = unknown_keys(fields, _ARTICLE_KEYS)
        if extra.get("taxonomy") == "article":
            del extra["taxonomy"]
        if unknown := unknown_keys(provider, _PROVIDER_KEYS):
            extra["provider"] = unknown
        rows["raw.articles"].append(
            (
                article_id,
                self.document.content_hash,
                self.document.front_matter.body_chars,
                secured_chars(fields, _ARTICLE_KEYS),
                clean(values[2]),
                clean(values[3]),
                *values,
                *self._take(provider, ("provider",), _PROVIDER),
                as_json(extra),
            )
        )
        topics = self._many(to_text, fields, "topics")
        rows["raw.article_topics"] += [(article_id, at, topic) for at, topic in topics]
        rows["raw.article_images"] += self._images(fields)
        rows["raw.provider_images"] += self._images(provider, "provider")
        rows["raw.related_articles"] += self._related(fields)

    def taxonomy(self, rows: Rows) -> None:
        fields = self.document.front_matter.fields
        names = self._many(to_text, fields, "otherNames")
        rows["raw.terms"].append(
            (
                self.document.path,
                self.document.kind,
                *self._take(fields, (), _TAXONOMY),
                json.dumps([name for _, name in names]) if names else None,
                as_json(unknown_keys(fields, _TAXONOMY_KEYS)),
            )
        )

    def _images(self, fields: Mapping[str, Value], *where: str) -> list[tuple[Any, ...]]:
        return [
            (
                self.document.path,
                at,
                *self._take(image, (*where, "images", at - 1), _IMAGE),
                as_json(unknown_keys(image, _IMAGE.keys())),
            )
            for at, image in self._many(to_mapping, fields, "images", *where)
        ]

    def _related(self, fields: Mapping[str, Value]) -> list[tuple[Any, ...]]:
        found = []
        for at, item in self._many(to_mapping, fields, "related"):
            where = ("related", at - 1)
            provider = self._one(to_mapping, item, "provider", *where) or {}
            extra = unknown_keys(item, _RELATED_KEYS)
            if unknown := unknown_keys(provider, _PROVIDER.keys()):
                extra["provider"] = unknown
            found.append(
                (
                    self.document.path,
                    at,
                    *self._take(item, where, _RELATED),
                    *self._take(provider, (*where, "provider"), _PROVIDER),
                    as_json(extra),
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
                    if cast is to_timestamp and value is not None:
                        self.plausible.check(value)
                except dates.NotADate as error:
                    self.misfits.note((*where, key), fields[key], bad_date(error))
                    value = None
                except ConversionError as misfit:
                    self.misfits.note((*where, key), value, misfit)
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
        for at, item in enumerate(self._one(to_list, fields, key, *where) or (), start=1):
            try:
                value = cast(item)
                if value is None:
                    raise ConversionError(
                        "empty_item", "a value", "Remove the empty item, or fill it in."
                    )
                found.append((at, value))
            except ConversionError as misfit:
                self.misfits.note((*where, key, at - 1), item, misfit)
        return found


_ARTICLE_KEYS = {*_ARTICLE, "provider", "topics", "images", "related"}
_PROVIDER_KEYS = {*_PROVIDER, "images"}
_RELATED_KEYS = {*_RELATED, "provider"}
_TAXONOMY_KEYS = {*_TAXONOMY, "taxonomy", "otherNames"}


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


def _loaded(document: Document) -> tuple[Any, ...]:
    reason = (None,) * 5
    return _file(document.path, "loaded", document.content_hash, document.signature, *reason)


def _rejected(reject: Reject) -> tuple[Any, ...]:
    reason = (reject.code, reject.message, reject.line, reject.column, reject.hint)
    return _file(reject.path, reject.status, reject.content_hash, reject.signature, *reason)


def _same(unchanged: Unchanged) -> tuple[Any, ...]:
    return _file(unchanged.path, "same", None, unchanged.signature, *(None,) * 5)


def _file(
    path: str,
    status: str,
    content_hash: str | None,
    signature: Signature | None,
    *reason: Any,
) -> tuple[Any, ...]:
    return (
        path,
        _collection(path),
        _file_date(path),
        status,
        content_hash,
        signature.size_bytes if signature else None,
        signature.mark if signature else None,
        *reason,
        frontmatter.PARSER_VERSION,
    )
