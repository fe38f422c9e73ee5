"""Takes the values of one document, notes those that do not fit, and keeps what has no column."""

from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import PurePosixPath
from time import process_time
from typing import Any

from flows.config import Config
from flows.config.reader import Source
from flows.frontmatter import SECRET_KEYS, KeyPath, Value
from flows.normalize.column_sources import (
    ArticlePlan,
    ColumnPlan,
    Shape,
    Step,
    find,
    find_shape,
    refine,
)
from flows.normalize.convert import ConversionError, Convert, to_text
from flows.normalize.extra import drop_secrets, prune
from flows.normalize.kinds import NotOfKind, is_empty
from flows.normalize.warnings import Warnings
from flows.source import time_limit
from flows.source.extract import Document
from flows.source.time_limit import TooSlow

_NO_SHAPE = Shape((), {}, frozenset())
EMPTY_ITEM = ConversionError("empty_item", "a value", "Remove the empty item, or fill it in.")


class DocumentReader:
    """What is taken of one document: `sources` says where other keys than the own ones fed."""

    def __init__(self, document: Document, config: Config, plan: ArticlePlan | None = None) -> None:
        self.document = document
        self.fields = document.front_matter.fields
        # No column looks below the keys that are always secret, except where terms are described.
        if document.terms or config.reading.secret_keys != SECRET_KEYS:
            self.fields = drop_secrets(self.fields, config.reading)
        self.config = config
        self.shape = _NO_SHAPE
        if plan:
            self.shape = find_shape(plan, tuple(document.front_matter.fields), config.reading)
        self.is_secret = config.reading.is_secret
        self.warnings = Warnings()
        self.sources: dict[str, str] = {}
        self.feeds: dict[KeyPath, str] = {}  # other keys than a column's own, with the column
        self.taken: set[KeyPath] = set()  # those of them that a column has taken as a whole
        self.unfit: dict[KeyPath, Any] = {}  # what was typed under a key with a column

    def take_columns(
        self, plans: Iterable[Step], holder: Mapping[str, Value], *where: str | int
    ) -> dict[str, Any]:
        """Return the value of each column that has one; `where` leads to the own keys' holder."""
        row = {}
        # Runs for every column of every file: the own key's value, nearly always there, is first.
        for name, key, convert, plan in plans:
            value = holder.get(key) if key else None
            if value is not None:
                try:
                    # Nearly every value is a text in quotes.
                    if value.__class__ is not str or convert is not to_text:
                        value = convert(value)
                except ConversionError as error:
                    self._note((*where, key), value, error)
                    value = error.value
                except NotOfKind:
                    value = None
                if value is not None:
                    row[name] = value
                    if value or plan.settles(value):
                        continue
            if name in self.shape.other_sources and (found := self.take_from_sources(plan)):
                row[name] = found[1]
        return row

    def take_keys(
        self,
        holder: Mapping[str, Value],
        conversions: Mapping[str, tuple[str, Convert]],
        *where: str | int,
    ) -> dict[str, Any]:
        """Return the values of a mapping's keys under the names of their columns."""
        row = {}
        for key, (name, convert) in conversions.items():
            value = holder.get(key)
            if value is not None:
                try:
                    is_text = value.__class__ is str and convert is to_text
                    row[name] = value if is_text else convert(value)
                except ConversionError as error:
                    self._note((*where, key), value, error)
                    row[name] = error.value
        return row

    def take_value(self, convert: Convert, value: Value, *where: str | int) -> Any:
        """Convert one value, or note that it does not fit."""
        if value is None:
            return None
        try:
            return convert(value)
        except ConversionError as error:
            self._note(where, value, error)
            return error.value

    def take_items(
        self, convert: Convert, listed: Iterable[Value] | None, *where: str | int
    ) -> Iterator[tuple[int, Any]]:
        """Yield a list's items with their positions from 1; an item without a value is left out."""
        for at, item in enumerate(listed or ()):
            try:
                value = convert(item)
                if value is None:
                    raise EMPTY_ITEM
                yield at + 1, value
            except ConversionError as error:
                self.warnings.note((*where, at), item, error)
                if not is_empty(item):
                    self.unfit.setdefault(where, []).append(item)

    def take_from_sources(self, plan: ColumnPlan) -> tuple[KeyPath, Any] | None:
        """Return the first value of the column's kind among its other sources, and its place."""
        candidates = [*self._judge_sources(plan)]
        if not candidates:
            return None
        source, key_path, value, found = candidates[-1 if plan.settles(candidates[-1][3]) else 0]
        if source.form not in ("file", "constant"):
            self.feeds[key_path] = plan.name
            if plan.takes_all_of(value) and not (source.match and isinstance(found, bool)):
                self.taken.add(key_path)
        self.sources[plan.name] = source.spell(key_path)
        return key_path, found

    def _judge_sources(self, plan: ColumnPlan) -> Iterator[tuple[Source, KeyPath, Value, Any]]:
        """Yield the values of the column's kind, up to the first that settles it."""
        for source in self.shape.other_sources.get(plan.name, ()):
            has_key = source.form not in ("file", "constant")
            for key_path, value in self._find_candidates(source):
                is_holder = isinstance(value, dict) and key_path == plan.own[:-1]
                if has_key and (key_path == plan.own or is_holder):
                    continue
                started = process_time()
                try:
                    found = refine(source, value, plan.take)
                except NotOfKind:
                    continue
                except TooSlow:
                    if source.match and process_time() - started > time_limit.SECONDS / 2:
                        self._blame_expression(plan.name, source, source.match.pattern)
                    raise
                except ConversionError as error:
                    # Under a key that feeds another column, too, it may be a value of that one.
                    if has_key and source.path not in plan.shared:
                        self._note(key_path, value, error)
                    found = error.value
                if found is not None and found != []:
                    yield source, key_path, value, found
                    if plan.settles(found):
                        return

    def _blame_expression(self, column: str, source: Source, pattern: str) -> None:
        problem = f"`{pattern}` takes more than {time_limit.SECONDS:g} s on {self.document.path}"
        remedy = "an expression without repetitions inside of repetitions, as in (a+)+"
        self.config.refuse_source(column, source, problem, remedy)

    def _find_candidates(self, source: Source) -> Iterator[tuple[KeyPath, Value]]:
        if source.form == "constant":
            yield (), source.constant
        elif source.form == "file":
            yield (), cut_file_part(self.document.file or self.document.path, source.path[0])
        else:
            for key_path, value in find(self.fields, source.path):
                is_open = not any(
                    isinstance(step, str) and self.is_secret(step) for step in key_path
                )
                # Where any key will do, not the one that another column has taken.
                if is_open and not ("*" in source.path and key_path in self.feeds):
                    yield key_path, value

    def _note(self, key_path: KeyPath, value: Value, error: ConversionError) -> None:
        if key_path not in self.unfit:
            self.warnings.note(key_path, value, error)
            self.unfit[key_path] = value

    def keep_rest(
        self, holder: Mapping[str, Value], known: Set[str], *where: str | int
    ) -> dict[str, Any]:
        """Return what JSON can say of what feeds no column; what is secret is left out."""
        if not self.unfit and holder.keys() <= known:
            return {}
        if self.unfit:
            keys = [key for key in holder if key not in known or (*where, key) in self.unfit]
        else:
            keys = [key for key in holder if key not in known]
        found = {}
        for key in keys:
            if self.is_secret(key):
                continue
            path = (*where, key)
            value = self.unfit.get(path, holder[key])
            if left := prune(value, path, self.taken, self.config.reading):
                found[key] = left.value
        return found


def cut_file_part(path: str, part: str) -> str | None:
    """Return a file's name without its ending, its path, or its first folder."""
    folder, slash, _ = path.partition("/")
    if part == "folder":
        return folder.removeprefix("_") if slash else None
    return path if part == "path" else PurePosixPath(path).stem
