"""A folder → what its front matter looks like: every key, its types, how often, who deviates."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from flows import frontmatter
from flows.frontmatter import KeyPath, Plain, Reading, Value
from flows.pipeline.scope import Scope
from flows.source import extract, sources

_EXAMPLES = 3
_BATCH_FILES = 1000
_DATE = re.compile(r"(?<!\d)\d{4}([-/])\d\d?\1\d\d?(?!\d)")


@dataclass(frozen=True, slots=True)
class Deviator:
    """A place where a key has another type than in most files; line from 1."""

    path: str
    line: int | None
    type: str


@dataclass(frozen=True, slots=True)
class KeyProfile:
    """One key of one kind of file; `share` is of the mappings that could hold it.

    `first` and `last` are the publication dates (UTC) of the earliest and latest file that has it;
    `feeds` counts the files in which it fills a column, `dated` the texts that have a date in them.
    What feeds a column without being a key (`file name`) is listed among them, without types.
    """

    kind: str
    key: str
    types: dict[str, int]
    present: int
    share: float
    first: date | None
    last: date | None
    deviators: list[Deviator]
    feeds: dict[str, int]
    dated: int = 0

    @property
    def shown_share(self) -> str:
        """The share in per cent; what is there at all is never shown as none."""
        return "<1%" if self.share < 0.005 else f"{self.share:.0%}"


@dataclass(slots=True)
class _Tally:
    # The mapping that holds the key; None for the items of a list.
    parent: str | None = ""
    types: Counter[str] = field(default_factory=Counter)
    days: set[date] = field(default_factory=set)
    examples: dict[str, list[Deviator]] = field(default_factory=lambda: defaultdict(list))
    feeds: Counter[str] = field(default_factory=Counter)
    dated: int = 0


def profile(scope: Scope) -> tuple[list[KeyProfile], int]:
    """Profile the files of a source that can be loaded; return the keys and the number of files."""
    from flows.normalize.rows import trace_feeds

    listing = sources.walk(scope.source, scope.chosen)
    tallies: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
    holders: Counter[tuple[str, str]] = Counter()
    files = 0
    found = sorted(listing.paths)
    marks = dict(zip(listing.paths, listing.marks, strict=True))
    for start in range(0, len(found), _BATCH_FILES):
        paths = tuple(found[start : start + _BATCH_FILES])
        batch = extract.Batch(
            scope.source, paths, {}, listing.faults, marks=marks, mapping=scope.mapping
        )
        for document in extract.extract(batch).documents:
            files += 1
            fed, day = (
                trace_feeds(document, scope.mapping) if document.kind == "article" else ({}, None)
            )
            _count(document, scope.mapping.reading, day, tallies, holders)
            for column, key_path in fed.items():
                tallies[document.kind, _name(key_path)].feeds[column] += 1
    return [_summarize(kind, key, tallies, holders) for kind, key in sorted(tallies)], files


def _count(
    document: extract.Document,
    reading: Reading,
    day: date | None,
    tallies: dict[tuple[str, str], _Tally],
    holders: Counter[tuple[str, str]],
) -> None:
    kind = document.kind
    holders[kind, ""] += 1
    for key, parent, key_path, value in _walk(document.front_matter.fields, reading, "", ()):
        tally, type_name = tallies[kind, key], _name_type(value)
        tally.parent = parent
        tally.types[type_name] += 1
        if isinstance(value, dict):
            holders[kind, key] += 1
        tally.dated += isinstance(value, str) and bool(_DATE.search(value))
        if day:
            tally.days = {min(tally.days | {day}), max(tally.days | {day})}
        if len(tally.examples[type_name]) < _EXAMPLES:
            place = frontmatter.locate(
                document.data, key_path, whole_file=document.is_whole_file, reading=reading
            )
            line = place[0] if place else None
            tally.examples[type_name].append(Deviator(document.path, line, type_name))


def _walk(
    fields: dict[str, Value], reading: Reading, holder: str, where: tuple[str | int, ...]
) -> Iterator[tuple[str, str | None, tuple[str | int, ...], Value]]:
    """Yield every key of nested mappings and lists; never what is below a secret one."""
    for key, value in fields.items():
        name = f"{holder}.{key}" if holder else key
        yield name, holder, (*where, key), value
        if reading.is_secret(key):
            continue
        if isinstance(value, dict):
            yield from _walk(value, reading, name, (*where, key))
        elif isinstance(value, list):
            for at, item in enumerate(value):
                yield f"{name}[]", None, (*where, key, at), item
                if isinstance(item, dict):
                    yield from _walk(item, reading, f"{name}[]", (*where, key, at))


def _name_type(value: Value) -> str:
    meant = frontmatter.resolve(value) if isinstance(value, Plain) else value
    names = {bool: "boolean", int: "integer", float: "number", datetime: "date", date: "date"}
    names |= {dict: "mapping", list: "list", type(None): "empty"}
    return names.get(type(meant), "text")


def _name(key_path: KeyPath) -> str:
    """Write a path as the keys of the profile are written: authors[].name."""
    steps = ("[]" if isinstance(step, int) else f".{step}" for step in key_path)
    return "".join(steps).removeprefix(".")


def _summarize(
    kind: str, key: str, tallies: dict[tuple[str, str], _Tally], holders: Counter[tuple[str, str]]
) -> KeyProfile:
    tally = tallies[kind, key]
    usual = next(iter(dict(tally.types.most_common())), None)
    deviators = [
        example
        for type_name in sorted(tally.examples)
        # An empty value is a missing one, not one of another type.
        if type_name not in (usual, "empty")
        for example in tally.examples[type_name]
    ]
    present = tally.types.total() or max(tally.feeds.values())
    could_hold = present if tally.parent is None else holders[kind, tally.parent]
    return KeyProfile(
        kind,
        key,
        dict(tally.types.most_common()),
        present,
        present / could_hold,
        min(tally.days, default=None),
        max(tally.days, default=None),
        deviators[:_EXAMPLES],
        dict(tally.feeds.most_common()),
        tally.dated,
    )
