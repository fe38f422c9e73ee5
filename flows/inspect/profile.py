"""A folder → what its front matter looks like: every key, its types, how often, who deviates."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import TypeAlias, TypeVar

from flows import frontmatter
from flows.frontmatter import KeyPath, Plain, Reading, Value
from flows.pipeline.scope import Scope
from flows.source import extract, sources, time_limit
from flows.source.folder import Listing
from flows.workers import isolate

_EXAMPLES = 3
_BATCH_FILES = 1000
T = TypeVar("T")
# A file, the keys that lead to a value in it, and the type of the value.
_Example: TypeAlias = tuple[str, KeyPath, str]
# A key as the profile writes it, the mapping that holds it, what leads to its value, and this.
_Entry: TypeAlias = tuple[str, str | None, KeyPath, Value]
_Traced: TypeAlias = tuple[list[_Entry], Mapping[str, KeyPath], date | None]
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
    examples: dict[str, list[_Example]] = field(default_factory=lambda: defaultdict(list))
    feeds: Counter[str] = field(default_factory=Counter)
    dated: int = 0


def profile(scope: Scope) -> tuple[list[KeyProfile], int]:
    """Profile the files of a source that can be loaded; return the keys and the number of files."""
    listing = sources.walk(scope.source, scope.chosen)
    tallies: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
    holders: Counter[tuple[str, str]] = Counter()
    files = 0
    for document, traced in _look_at(scope, listing, listing.paths, partial(_trace, scope)):
        files += 1
        _count(document, *traced, tallies, holders)
    deviating = {row: _list_deviating(tally) for row, tally in tallies.items()}
    lines = _find_lines(scope, listing, [each for row in deviating.values() for each in row])
    return [
        _summarize(kind, key, tallies, holders, [lines[each] for each in deviating[kind, key]])
        for kind, key in sorted(tallies)
    ], files


def _look_at(
    scope: Scope, listing: Listing, paths: Iterable[str], look: Callable[[extract.Document], T]
) -> Iterator[tuple[extract.Document, T]]:
    """Read files as a build does and look at each, within the same limits.

    What a build sets aside is left out: it says why.
    """
    ordered = sorted(paths)
    marks = dict(zip(listing.paths, listing.marks, strict=True))
    for start in range(0, len(ordered), _BATCH_FILES):
        chosen = tuple(ordered[start : start + _BATCH_FILES])
        batch = extract.Batch(
            scope.source, chosen, {}, listing.faults, marks=marks, mapping=scope.mapping
        )
        for extracted in isolate.keep_good(extract.extract, batch):
            found = []
            with time_limit.watch():
                for document in extracted.documents:
                    time_limit.start_file()
                    with suppress(Exception):
                        found.append((document, look(document)))
            yield from found


def _trace(scope: Scope, document: extract.Document) -> _Traced:
    from flows.normalize.rows import trace_feeds

    is_article = document.kind == "article"
    fed, day = trace_feeds(document, scope.mapping) if is_article else ({}, None)
    return [*_walk(document.front_matter.fields, scope.mapping.reading, "", ())], fed, day


def _find_lines(
    scope: Scope, listing: Listing, deviators: Sequence[_Example]
) -> dict[_Example, Deviator]:
    """Find the lines of values, in one more pass over their files alone."""
    wanted: dict[str, list[KeyPath]] = defaultdict(list)
    for path, key_path, _ in deviators:
        wanted[path].append(key_path)

    def locate(document: extract.Document) -> list[tuple[int, int] | None]:
        return frontmatter.locate_all(
            document.data,
            wanted[document.path],
            whole_file=document.is_whole_file,
            reading=scope.mapping.reading,
        )

    lines = {
        (document.path, key_path): place[0]
        for document, places in _look_at(scope, listing, wanted, locate)
        for key_path, place in zip(wanted[document.path], places, strict=True)
        if place
    }
    return {each: Deviator(each[0], lines.get(each[:2]), each[2]) for each in deviators}


def _count(
    document: extract.Document,
    entries: Sequence[_Entry],
    fed: Mapping[str, KeyPath],
    day: date | None,
    tallies: dict[tuple[str, str], _Tally],
    holders: Counter[tuple[str, str]],
) -> None:
    kind = document.kind
    holders[kind, ""] += 1
    for key, parent, key_path, value in entries:
        tally, type_name = tallies[kind, key], _name_type(value)
        tally.parent = parent
        tally.types[type_name] += 1
        if isinstance(value, dict):
            holders[kind, key] += 1
        tally.dated += isinstance(value, str) and bool(_DATE.search(value))
        if day:
            tally.days = {min(tally.days | {day}), max(tally.days | {day})}
        if len(tally.examples[type_name]) < _EXAMPLES:
            tally.examples[type_name].append((document.path, key_path, type_name))
    for column, key_path in fed.items():
        tallies[kind, _name(key_path)].feeds[column] += 1


def _list_deviating(tally: _Tally) -> list[_Example]:
    """Return values of types that most files do not have; an empty value is a missing one."""
    usual = next(iter(dict(tally.types.most_common())), None)
    deviating = sorted(tally.examples.keys() - {usual, "empty"})
    return [each for type_name in deviating for each in tally.examples[type_name]][:_EXAMPLES]


def _walk(
    fields: dict[str, Value], reading: Reading, holder: str, where: KeyPath
) -> Iterator[_Entry]:
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
    kind: str,
    key: str,
    tallies: dict[tuple[str, str], _Tally],
    holders: Counter[tuple[str, str]],
    deviators: list[Deviator],
) -> KeyProfile:
    tally = tallies[kind, key]
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
        deviators,
        dict(tally.feeds.most_common()),
        tally.dated,
    )
