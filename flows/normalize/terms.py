"""Topic and organization files → rows of raw.terms: one a file, or one an entry of a data file."""

import json
from pathlib import PurePosixPath

from flows.config import Terms
from flows.frontmatter import Value
from flows.normalize.column_sources import find
from flows.normalize.convert import Convert, to_list, to_text
from flows.normalize.extra import as_json
from flows.normalize.frames import Row
from flows.normalize.reader import DocumentReader

_TERM: dict[str, tuple[str, Convert]] = {
    "_id": ("term_id", to_text),
    "name": ("name", to_text),
    "shortname": ("short_name", to_text),
    "parent": ("parent", to_text),
    "domain": ("domain", to_text),
}
_KNOWN = frozenset((*_TERM, "taxonomy", "otherNames"))
# What pages and data files of other systems call the name of an author or a topic.
_NAMES = (("name",), ("display_name",), ("title",))


def take_terms(reader: DocumentReader) -> list[Row]:
    """Return the rows of a file that describes terms."""
    asked = reader.document.terms
    entries = _list_entries(reader) if asked else []
    return [_take_term(reader, entry, asked, *where) for where, entry in entries] or [
        _take_term(reader, reader.fields, asked)
    ]


def _list_entries(reader: DocumentReader) -> list[tuple[tuple[str], dict[str, Value]]]:
    """Return the entries of a data file by their ids, when that is all it holds."""
    found = [((key,), value) for key, value in reader.fields.items() if isinstance(value, dict)]
    return found if reader.document.is_whole_file and len(found) == len(reader.fields) else []


def _take_term(
    reader: DocumentReader, holder: dict[str, Value], asked: Terms | None, *where: str
) -> Row:
    row = reader.take_keys(holder, _TERM, *where)
    if asked:
        row = _take_described(reader, holder, asked, where) | row
    names = [name for _, name in _take_other_names(reader, holder, where)]
    row |= {
        "path": reader.document.path,
        "kind": reader.document.kind,
        "is_inferred": asked is not None and asked not in reader.config.terms,
        "other_names": json.dumps(names) if names else None,
        "extra": as_json(reader.keep_rest(holder, _KNOWN, *where)),
    }
    return row


def _take_described(
    reader: DocumentReader, holder: dict[str, Value], asked: Terms, where: tuple[str, ...]
) -> Row:
    """Return id and name of a page or entry that has them under keys of its own."""
    own_id = where[-1] if where else _spell_id(PurePosixPath(reader.document.file))
    row: Row = {"term_id": _find_text(holder, (asked.id,)) if asked.id else own_id}
    name = _find_text(holder, (asked.name,) if asked.name else _NAMES)
    return row | ({"name": name} if name else {})


def _spell_id(file: PurePosixPath) -> str:
    """Return what others call the term that a page is of: its name, or that of its folder."""
    return file.parent.name if file.stem in ("index", "_index") else file.stem


def _find_text(holder: dict[str, Value], paths: tuple[tuple[str, ...], ...]) -> str | None:
    values = (value for path in paths for _, value in find(holder, path))
    return next((str(value) for value in values if isinstance(value, str) and value), None)


def _take_other_names(
    reader: DocumentReader, holder: dict[str, Value], where: tuple[str, ...]
) -> list[tuple[int, str]]:
    if (value := holder.get("otherNames")) is None:
        return []
    place = (*where, "otherNames")
    return list(reader.take_items(to_text, reader.take_value(to_list, value, *place), *place))
