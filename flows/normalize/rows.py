"""Documents → one pandas frame per raw table, and two for the ledger.

A value that does not fit its column becomes null with a warning that names field, value and line,
and stays in `extra`: nothing is changed silently.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from operator import itemgetter
from zoneinfo import ZoneInfo

from flows import config, frontmatter
from flows.config import Config
from flows.frontmatter import KeyPath, Value
from flows.normalize import dates, kinds
from flows.normalize.column_sources import ArticlePlan, make_plan
from flows.normalize.convert import clean, to_list, to_mapping
from flows.normalize.extra import as_json, count_secured_chars
from flows.normalize.frames import Columns, Frames, Row, Rows, columns, make_frame
from flows.normalize.keys import IMAGE, OWN_KEYS, PROVIDER, Keys, related_keys
from flows.normalize.reader import DocumentReader
from flows.normalize.terms import take_terms
from flows.source import time_limit
from flows.source.extract import Document, Extracted, Reject, Unchanged

_FILE_DATE = re.compile(r"(?:.*/)?(\d{4}-\d\d-\d\d)(?!\d)[^/]*")


def normalize(
    extracted: Extracted, observed_at: datetime | None = None, mapping: Config | None = None
) -> Frames:
    """Turn what a batch gave into one frame per table.

    `observed_at`, the start of the run (now, unless it is given), bounds the dates that can be
    meant. `mapping` says which keys feed which columns.
    """
    mapping = mapping or config.load_default()
    plausible = _find_date_range(mapping, observed_at or datetime.now(UTC))
    plan, related = make_plan(mapping, plausible), related_keys(plausible)
    rows: Rows = {table: [] for table in columns()}
    with time_limit.watch():
        for document in extracted.documents:
            time_limit.start_file()
            _add_document(document, plan, related, mapping, rows)
    tables = {table: _to_columns(rows[table], columns()[table]) for table in columns()}
    tables["ops.files"] = _list_files(extracted, mapping)
    return {table: make_frame(declared, tables[table]) for table, declared in columns().items()}


def _add_document(
    document: Document, plan: ArticlePlan, related: Keys, mapping: Config, rows: Rows
) -> None:
    reader = DocumentReader(document, mapping, plan)
    if document.kind == "article":
        _add_article(reader, plan, related, rows)
    else:
        rows["raw.terms"] += take_terms(reader)
    rows["ops.warnings"] += [
        {"path": document.path} | asdict(warning)
        for warning in reader.warnings.locate(document, mapping.reading)
    ]


def _to_columns(rows: list[Row], names: Iterable[str]) -> Columns:
    blank = dict.fromkeys(names)
    take_values = itemgetter(*blank)
    values = zip(*[take_values(blank | row) for row in rows], strict=True)
    return dict(zip(blank, values, strict=bool(rows)))


def _find_date_range(mapping: Config, now: datetime) -> dates.DateRange:
    return dates.range_at(now, mapping.earliest, mapping.latest, ZoneInfo(mapping.time_zone))


def _add_article(reader: DocumentReader, plan: ArticlePlan, related: Keys, rows: Rows) -> None:
    article_id, fields = reader.document.path, reader.fields
    row = reader.take_columns(reader.shape.columns, fields)
    typed = fields.get("provider")
    provider = typed if isinstance(typed, dict) else {}
    row |= reader.take_columns(plan.provider, provider, "provider")
    rows["raw.article_topics"] += [
        {"article_id": article_id, "position": position, "topic": topic}
        for position, topic in _take_topics(reader, plan)
    ]
    rows["raw.article_images"] += _take_article_images(reader, plan)
    if (logos := provider.get("images")) is not None:
        rows["raw.provider_images"] += _take_images(reader, logos, "provider", "images")
    rows["raw.related_articles"] += _take_related(reader, related)
    is_other = bool(typed) and not provider
    extra = reader.keep_rest(fields, plan.known - {"provider"} if is_other else plan.known)
    if extra.get("taxonomy") == "article":
        del extra["taxonomy"]
    if unknown := reader.keep_rest(provider, plan.known_of_provider, "provider"):
        extra["provider"] = unknown
    front_matter = reader.document.front_matter
    row["article_id"] = article_id
    row["content_hash"] = reader.document.content_hash
    row["body_chars"] = front_matter.body_chars
    row["secured_chars"] = count_secured_chars(front_matter.fields, reader.shape.secret)
    row["title_text"] = clean(row.get("title"))
    row["excerpt_text"] = clean(row.get("excerpt"))
    row["extra"] = as_json(extra)
    row["sources"] = as_json(reader.sources)
    rows["raw.articles"].append(row)


def trace_feeds(document: Document, mapping: Config) -> tuple[dict[str, KeyPath], date | None]:
    """Return which key fills which column of an article, and the day it was published."""
    rows: Rows = {table: [] for table in columns()}
    plausible = _find_date_range(mapping, datetime.now(UTC))
    plan = make_plan(mapping, plausible)
    reader = DocumentReader(document, mapping, plan)
    _add_article(reader, plan, related_keys(plausible), rows)
    row = rows["raw.articles"][0]
    row |= {"topics": rows["raw.article_topics"] or None}
    row |= {"images": rows["raw.article_images"] or None}
    filled = {column: path for column, path in OWN_KEYS.items() if row.get(column) is not None}
    elsewhere = {column: path for path, column in reader.feeds.items() if column in OWN_KEYS}
    moment = row.get("published_at")
    day = None if moment is None else dates.to_day(moment, plausible.zone)
    from_no_key = {column: (label,) for column, label in reader.sources.items()}
    return filled | from_no_key | elsewhere, day


def _take_topics(reader: DocumentReader, plan: ArticlePlan) -> list[tuple[int, str]]:
    if (key := plan.topics.key) and (value := reader.fields.get(key)) is not None:
        listed = reader.take_value(plan.topics.convert, value, key)
        if topics := list(reader.take_items(kinds.take_own_text, listed, key)):
            return topics
    found = reader.take_from_sources(plan.topics)
    return list(enumerate(found[1], start=1)) if found else []


def _take_article_images(reader: DocumentReader, plan: ArticlePlan) -> list[Row]:
    key = plan.images.key
    if key and (found := _take_images(reader, reader.fields.get(key), key)):
        return found
    source = reader.take_from_sources(plan.images)
    return _take_images(reader, source[1], *source[0]) if source else []


def _take_images(reader: DocumentReader, value: Value, *where: str | int) -> list[Row]:
    listed = reader.take_value(kinds.take_own_images, value, *where)
    return [
        _take_image(reader, position, image, (*where, position - 1) if listed is value else where)
        for position, image in reader.take_items(kinds.take_image, listed, *where)
    ]


def _take_image(
    reader: DocumentReader, position: int, image: dict[str, Value], where: KeyPath
) -> Row:
    row = reader.take_keys(image, IMAGE, *where)
    if "url" not in row:
        _take_other_address(reader, image, row, where)
    row["article_id"] = reader.document.path
    row["position"] = position
    row["extra"] = as_json(reader.keep_rest(image, IMAGE.keys(), *where))
    return row


def _take_other_address(
    reader: DocumentReader, image: dict[str, Value], row: Row, where: KeyPath
) -> None:
    for key in ("src", "image", "uid"):
        if isinstance(address := image.get(key), str):
            row["url"] = str(address)
            reader.taken.add((*where, key))
            return


def _take_related(reader: DocumentReader, keys: Keys) -> list[Row]:
    if (value := reader.fields.get("related")) is None:
        return []
    found = []
    known = frozenset((*keys, "provider"))
    for position, item in reader.take_items(
        to_mapping, reader.take_value(to_list, value, "related"), "related"
    ):
        where = ("related", position - 1)
        provider: Mapping[str, Value] = (
            reader.take_value(kinds.take_provider, item.get("provider"), *where, "provider") or {}
        )
        row = reader.take_keys(item, keys, *where) | reader.take_keys(
            provider, PROVIDER, *where, "provider"
        )
        extra = reader.keep_rest(item, known, *where)
        if unknown := reader.keep_rest(provider, PROVIDER.keys(), *where, "provider"):
            extra["provider"] = unknown
        row |= {"article_id": reader.document.path, "position": position, "extra": as_json(extra)}
        found.append(row)
    return found


def _find_collection(path: str, mapping: Config) -> str | None:
    for folder, name in mapping.collections.items():
        if path.startswith(folder):
            return name
    folder, slash, _ = path.partition("/")
    return folder.removeprefix("_") if slash else None


def _find_file_date(path: str) -> str | None:
    if not (found := _FILE_DATE.fullmatch(path)):
        return None
    try:
        return date.fromisoformat(found[1]).isoformat()
    except ValueError:
        return None


def _list_files(extracted: Extracted, mapping: Config) -> Columns:
    """Return what the ledger keeps of every file, loaded or not."""
    documents, rejects, same = extracted.documents, extracted.rejects, extracted.same
    files: list[Document | Reject | Unchanged] = [*documents, *rejects, *same]
    paths = [file.path for file in files]
    signatures = [file.signature for file in files]
    before, after = [None] * len(documents), [None] * len(same)
    return {
        "path": paths,
        "collection": [_find_collection(path, mapping) for path in paths],
        "file_date": [_find_file_date(path) for path in paths],
        "status": [
            *["loaded"] * len(documents),
            *[reject.status for reject in rejects],
            *["same"] * len(same),
        ],
        "content_hash": [file.content_hash for file in files],
        "size_bytes": [signature and signature.size_bytes for signature in signatures],
        "mark": [signature and signature.mark for signature in signatures],
        "reason_code": [*before, *[reject.code for reject in rejects], *after],
        "reason": [*before, *[reject.message for reject in rejects], *after],
        "line": [*before, *[reject.line for reject in rejects], *after],
        "column": [*before, *[reject.column for reject in rejects], *after],
        "hint": [*before, *[reject.hint for reject in rejects], *after],
        "parser_version": [frontmatter.PARSER_VERSION] * len(files),
    }
