"""Values of many documents → columns: what a column takes is decided once for all of its values.

That works if each value has a type that the column nearly always gets. A document with any other
value is odd, and left to `reader`, which takes value by value.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Final

from flows.frontmatter import Plain, Reading, Value
from flows.normalize import kinds
from flows.normalize.convert import NULLS, ConversionError, Convert, to_boolean, to_integer, to_text
from flows.normalize.extra import as_json, prune
from flows.normalize.frames import Columns, Row
from flows.normalize.keys import Keys

ODD: Final = object()  # stands for a value that is not plain
_TEXTS = {str, type(None)}
_TYPED_TEXTS = {str, Plain, type(None)}
# Conversions of values that repeat, as scores, sizes and flags do.
_REPEATING = (to_integer, to_boolean, kinds.take_own_flag)


@dataclass(slots=True)
class Table:
    """Rows of one table as columns; `numbers` says which document each row belongs to."""

    numbers: list[int]
    columns: Columns

    def with_rows(
        self, rows: Mapping[int, list[Row]], odd: Collection[int], names: Collection[str]
    ) -> Columns:
        """Put the rows of odd documents, under their numbers, where they belong."""
        parts: list[tuple[slice, list[Row]]] = []
        start = 0
        for number in sorted(odd):
            stop = bisect_left(self.numbers, number, start)
            parts.append((slice(start, stop), rows.get(number, [])))
            start = bisect_right(self.numbers, number, stop)
        parts.append((slice(start, None), []))
        nulls = [None] * len(self.numbers)
        joined: Columns = {name: [] for name in names}
        for name, values in joined.items():
            plain = self.columns.get(name, nulls)
            for kept, of_odd in parts:
                values += plain[kept]
                values += [row.get(name) for row in of_odd]
        return joined


@dataclass(slots=True)
class PlainArticles:
    """What the plain articles came to; rows of the documents that are `odd` do not count."""

    reading: Reading
    odd: set[int] = field(default_factory=set)
    tables: dict[str, Table] = field(default_factory=dict)

    def take_columns(
        self, numbers: Sequence[int], holders: Sequence[Mapping[str, Value]], keys: Keys
    ) -> Columns:
        """Return the values of the holders' keys under the names of their columns."""
        columns: Columns = {name: [] for name, _ in keys.values()}
        # Holder by holder: each is in the processor's cache then.
        found = zip(*[[*map(holder.get, keys)] for holder in holders], strict=True)
        for (name, convert), values in zip(keys.values(), found, strict=False):
            columns[name], has_odd = take_column(convert, values)
            if has_odd:
                self.leave_out(numbers, [value is ODD for value in columns[name]])
        return columns

    def leave_out(self, numbers: Sequence[int], are_odd: Sequence[bool]) -> None:
        """Leave documents to be read value by value."""
        self.odd.update(number for number, is_odd in zip(numbers, are_odd, strict=True) if is_odd)

    def take_items(
        self, numbers: Sequence[int], values: Sequence[Value]
    ) -> tuple[list[int], list[int], list[Value]]:
        """Return the items of lists with their documents and their positions from 1."""
        of, positions, items = list[int](), list[int](), list[Value]()
        for number, value in zip(numbers, values, strict=True):
            if value.__class__ is list:
                of += [number] * len(value)
                positions += range(1, len(value) + 1)
                items += value
            elif value is not None:
                self.odd.add(number)
        return of, positions, items

    def take_mappings(
        self, numbers: Sequence[int], items: Sequence[Value]
    ) -> list[dict[str, Value]]:
        """Return the items that must be mappings, an empty one for each that is none."""
        self.leave_out(numbers, [item.__class__ is not dict for item in items])
        return [item if item.__class__ is dict else {} for item in items]

    def keep_rest(
        self, holders: Sequence[Mapping[str, Value]], known: Set[str]
    ) -> list[str | None]:
        """Return what is left of each holder for `extra`, as JSON."""
        return [
            None if holder.keys() <= known else self._prune(holder, known) for holder in holders
        ]

    def _prune(self, holder: Mapping[str, Value], known: Set[str]) -> str | None:
        found = {
            key: left.value
            for key in holder
            if key not in known and (left := prune(holder[key], (key,), set(), self.reading))
        }
        return as_json(found)


def take_column(convert: Convert, values: Sequence[Value]) -> tuple[list[Any], bool]:
    """Take the values of one column, and say whether an odd one is among them."""
    types = {*map(type, values)}
    if convert in (to_text, kinds.take_own_first_text):
        if types <= _TEXTS:
            return [*values], False
        if types == {Plain} and NULLS.isdisjoint(values):
            return [*map(str, values)], False
        return [_take_text(value) for value in values], not types <= _TYPED_TEXTS
    if convert in _REPEATING:
        plain = [v if v is None or v.__class__ is Plain else ODD for v in values]
        taken = {value: _try(convert, value) for value in {*plain}}
        return [taken[value] for value in plain], ODD in taken.values()
    found = [None if value is None else _try(convert, value) for value in values]
    return found, ODD in found


def _take_text(value: Value) -> Any:
    if value is None or value.__class__ is str:
        return value
    if value.__class__ is Plain:
        return None if value in NULLS else str(value)
    return ODD


def _try(convert: Convert, value: Any) -> Any:
    if value is None or value is ODD:
        return value
    try:
        return convert(value)
    except (ConversionError, kinds.NotOfKind):
        return ODD
