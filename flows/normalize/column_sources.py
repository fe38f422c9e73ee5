"""How each column of an article is filled: from its own key, else from other sources."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from typing import Any, TypeAlias

from flows.config import Config
from flows.config.columns import TABLE, read_types
from flows.config.reader import Source, fold
from flows.frontmatter import KeyPath, Reading, Value
from flows.normalize import dates, kinds
from flows.normalize.convert import NULLS, ConversionError, Convert, to_boolean, to_integer, to_text
from flows.normalize.keys import OWN_KEYS


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """Where one column takes its value from.

    `key` is its own key below its holder, and "" if the configuration names other sources; `own` is
    the whole path of that key, which is a source, too, because of its other spellings.
    `take` judges what other keys hold, `convert` what the own one does; keys that are `shared` feed
    other columns, too.
    """

    name: str
    key: str
    own: KeyPath
    convert: Convert
    take: Convert
    sources: tuple[Source, ...]
    shared: frozenset[tuple[str, ...]]

    def can_read(self, source: Source, keys: tuple[str, ...]) -> bool:
        """Return whether a source may give a value but the own key's, in a document of these."""
        if source.form in ("file", "constant") or source.path[0] in ("*", "0"):
            return True
        found = group_spellings(keys).get(fold(source.path[0]))
        is_own = source.path == self.own and found == [*self.own]
        return found is not None and not is_own and source.unless not in keys

    def settles(self, value: Any) -> bool:
        """Return whether no other source is asked: no draft is live because one key forgot it."""
        return value != "" and (bool(value) or self.name != "is_draft")

    def takes_all_of(self, value: Value) -> bool:
        """Return whether nothing of the value is left to keep elsewhere."""
        if self.name == "images":
            return True
        if isinstance(value, list) and self.name == "topics":
            return not any(isinstance(item, dict) or kinds.is_flag(item) for item in value)
        return not isinstance(value, dict | list)


# A column's name, own key and conversion, which most values need, and its whole plan.
Step: TypeAlias = tuple[str, str, Convert, ColumnPlan]


@dataclass(frozen=True, slots=True, eq=False)
class ArticlePlan:
    """The columns of an article, those below `provider`, its two lists, the keys that have one."""

    columns: tuple[Step, ...]
    provider: tuple[Step, ...]
    topics: ColumnPlan
    images: ColumnPlan
    known: frozenset[str]
    known_of_provider: frozenset[str]

    @property
    def all_columns(self) -> list[ColumnPlan]:
        """The columns of every table."""
        return [*(step[3] for step in (*self.columns, *self.provider)), self.topics, self.images]


def make_plan(config: Config, plausible: dates.DateRange) -> ArticlePlan:
    """Lay out how the columns of every article are filled."""
    shared = _find_shared_keys(config)
    plans = {column: _plan_column(column, config, plausible, shared) for column in OWN_KEYS}
    topics, images = plans.pop("topics"), plans.pop("images")
    above, below = (
        tuple(
            (column, plan.key, plan.convert, plan)
            for column, plan in plans.items()
            if (OWN_KEYS[column][0] == "provider") == is_below
        )
        for is_below in (False, True)
    )
    lists = {topics.key, images.key, "provider", "related"}
    return ArticlePlan(
        above,
        below,
        topics,
        images,
        frozenset(lists | {plan.key for _, _, _, plan in above}) - {""},
        frozenset({"images"} | {plan.key for _, _, _, plan in below}) - {""},
    )


@dataclass(frozen=True, slots=True)
class Shape:
    """What holds for all documents with the same keys.

    `other_sources` are those of the columns that may look elsewhere than under their own key, and
    `columns` those that can have a value.
    """

    columns: tuple[Step, ...]
    other_sources: Mapping[str, tuple[Source, ...]]
    secret: frozenset[str]


@lru_cache(1024)
def find_shape(plan: ArticlePlan, keys: tuple[str, ...], reading: Reading) -> Shape:
    """Find out once what all documents with these keys have in common."""
    found = (
        (column.name, tuple(each for each in column.sources if column.can_read(each, keys)))
        for column in plan.all_columns
    )
    others = {name: sources for name, sources in found if sources}
    columns = tuple(step for step in plan.columns if step[0] in others or step[1] in keys)
    secret = frozenset(filter(reading.is_secret, {*keys} - plan.known))
    return Shape(columns, others, secret)


def refuse_impossible_constants(config: Config) -> None:
    """Stop at a constant that its column cannot take; raises UsageError with line and remedy."""
    any_date = dates.range_at(datetime.now(UTC), date.min, date.max)
    for column, sources in config.columns.items():
        take = _choose_conversions(column, any_date)[1]
        for source in sources:
            if source.form != "constant":
                continue
            try:
                is_taken = refine(source, source.constant, take) not in (None, [])
            except (ConversionError, kinds.NotOfKind):
                is_taken = False
            if not is_taken:
                problem = f"`{column}` cannot take the constant `{source.constant}`"
                remedy = "a value that a file could have there"
                config.refuse_source(column, source, problem, remedy)


def _find_shared_keys(config: Config) -> frozenset[tuple[str, ...]]:
    """Return the keys that feed several columns."""
    times = Counter(
        path
        for sources in config.columns.values()
        for path in {source.path for source in sources if source.form in ("key", "not")}
    )
    return frozenset(path for path, columns in times.items() if columns > 1)


def _plan_column(
    column: str,
    config: Config,
    plausible: dates.DateRange,
    shared: frozenset[tuple[str, ...]],
) -> ColumnPlan:
    own, sources = OWN_KEYS[column], config.columns[column]
    # Below any other key than `provider`, a column's own key is one source among others.
    is_near = len(own) == 1 or own[:-1] == ("provider",)
    has_own = is_near and sources[:1] == (Source("key", ".".join(own), own),)
    convert, take = _choose_conversions(column, plausible)
    return ColumnPlan(
        column, own[-1] if has_own else "", own if has_own else (), convert, take, sources, shared
    )


def _choose_conversions(column: str, plausible: dates.DateRange) -> tuple[Convert, Convert]:
    kind = read_types(TABLE).get(column)
    if kind == "timestamptz":
        take_date = partial(kinds.take_date, plausible)
        return take_date, take_date
    if kind == "boolean":
        is_also_date = column == "is_published"
        return kinds.take_own_flag if is_also_date else to_boolean, kinds.take_flag
    if kind == "integer":
        return to_integer, to_integer
    if column.endswith("_url"):
        return to_text, kinds.take_address
    special: dict[str, tuple[Convert, Convert]] = {
        "provider_name": (kinds.take_own_name, kinds.take_name),
        "category": (kinds.take_own_category, kinds.take_category),
        "topics": (kinds.take_own_texts, kinds.take_texts),
        "images": (kinds.take_own_images, kinds.take_images),
    }
    return special.get(column, (to_text, kinds.take_one_text))


@lru_cache(1024)
def group_spellings(keys: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the keys of a mapping by what their spellings have in common."""
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(fold(key), []).append(key)
    return found


def find_spellings(key: str, holder: Mapping[str, Value]) -> list[str]:
    """Return the keys that a key stands for, spelled as it is first."""
    found = group_spellings(tuple(holder)).get(fold(key), [])
    return sorted(found, key=lambda each: each != key) if len(found) > 1 else found


def find(
    value: Value, path: tuple[str, ...], above: KeyPath = ()
) -> Iterator[tuple[KeyPath, Value]]:
    """Yield the values at the end of a path, with the keys that lead there."""
    if not path:
        yield above, value
        return
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        for key in value if step == "*" else find_spellings(step, value):
            yield from find(value[key], rest, (*above, key))
    elif isinstance(value, list) and (step == "*" or step.isdecimal()):
        for at in range(len(value)) if step == "*" else (int(step),):
            if at < len(value):
                yield from find(value[at], rest, (*above, at))
    elif step == "0":  # a single value counts as a list of one
        yield from find(value, rest, above)


def refine(source: Source, value: Value, take: Callable[[Value], Any]) -> Any:
    """Take a value as its source asks: a part of it, several of it, its host, its opposite."""
    if source.match is not None:
        items = value if isinstance(value, list) else [value]
        texts = [text for text in map(kinds.take_text, items) if text is not None]
        found = next(filter(None, map(source.match.search, texts)), None)
        if take is kinds.take_flag:
            value = found is not None if texts else None
        elif found is None:
            raise kinds.NotOfKind
        else:
            value = found[1] if found.re.groups else found[0]
    if source.split is not None and isinstance(value, str):
        parts = [part for part in map(str.strip, value.split(source.split)) if part not in NULLS]
        value = [*parts] if take is kinds.take_texts else next(iter(parts), None)
    if source.form == "host":
        return take(kinds.take_host(value))
    if source.form == "not":
        return kinds.take_opposite(value)
    return take(value)
