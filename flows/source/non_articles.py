"""Where a file lies, and what it says → the rule of non_articles.yaml by which it is no article."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from flows import frontmatter
from flows.config import Config, read_table
from flows.config.reader import fold
from flows.frontmatter import Value

_INDEX = re.compile(r"_?index\.")
# A title or a date that is nothing but a tag: {{ date }}, <% tp.date.now() %>, {% now %}.
_WAITING_KEYS = ("title", "date", "created")
_TAG = r"(?:\{\{.*\}\}|\{%.*%\}|<%.*%>)"
_IS_TAG = re.compile(_TAG, re.DOTALL).fullmatch
_TAGGED_LINE = re.compile(
    rf"""^["']?(?:{"|".join(_WAITING_KEYS)})["']?[ \t]*[:=]""".encode()
    + rf"""[ \t]*["']?{_TAG}["']?[ \t]*\r?$""".encode(),
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is no article; `kind` says what it describes, "" if it is not loaded at all."""

    name: str
    reason: str
    folders: frozenset[str] = frozenset()
    names: re.Pattern[str] | None = None
    keys: frozenset[str] = frozenset()
    unless: tuple[str, ...] = ()
    kind: str = ""

    def fits(self, folders: list[str], name: str) -> bool:
        """Return whether a file of this name in these folders, all in small letters, is meant."""
        if self.names is not None and self.names.search(name):
            return True
        if not self.kind:
            return not self.folders.isdisjoint(folders)
        place = folders[:-1] if _INDEX.match(name) else folders
        return bool(place) and place[-1].removeprefix("_") in self.folders


@cache
def load_rules() -> tuple[Rule, ...]:
    """Return the rules in their order."""
    read = frontmatter.read(read_table("non_articles.yaml").encode(), whole_file=True)
    return tuple(_to_rule(name, row) for name, row in (read.fields if read else {}).items())


def _to_rule(name: str, row: Value) -> Rule:
    options: dict[str, Value] = row if isinstance(row, dict) else {}
    lists = {
        key: [str(item) for item in value]
        for key, value in options.items()
        if isinstance(value, list)
    }
    names = options.get("names")
    return Rule(
        name,
        str(options["reason"]),
        frozenset(folder.lower() for folder in lists.get("folders", ())),
        re.compile(str(names)) if names else None,
        frozenset(lists.get("keys", ())),
        tuple(lists.get("unless", ())),
        str(options.get("kind", "")),
    )


def find_by_path(path: str) -> tuple[Rule, ...]:
    """Return the rules that a path fits."""
    folder, _, name = path.lower().rpartition("/")
    if not (_may_fit(folder) or _name_rules().search(name)):
        return ()
    return tuple(rule for rule in load_rules() if rule.fits(folder.split("/"), name))


@lru_cache(1024)
def _may_fit(folder: str) -> bool:
    """Return whether a folder, or one it is in, has a name that a rule speaks of."""
    names = {part.removeprefix("_") for part in folder.split("/")} | {*folder.split("/")}
    return any(not rule.folders.isdisjoint(names) for rule in load_rules())


@cache
def _name_rules() -> re.Pattern[str]:
    return re.compile("|".join(rule.names.pattern for rule in load_rules() if rule.names))


def find_by_fields(
    rules: tuple[Rule, ...], path: str, fields: Mapping[str, Value], mapping: Config
) -> Rule | None:
    """Return the first rule, of those that the path fits and those that go by keys, that holds."""
    for rule in load_rules():
        if rule in rules and not _has_any(rule.unless, path, fields, mapping):
            return rule
        if not rule.keys.isdisjoint(fields) and not all(
            map(_is_unsaid, map(fields.get, rule.keys))
        ):
            return rule
    return None


def _has_any(
    columns: Iterable[str], path: str, fields: Mapping[str, Value], mapping: Config
) -> bool:
    keys = {fold(key) for key, value in fields.items() if not _is_unsaid(value)}
    return any(_has(column, path, keys, mapping) for column in columns)


def _is_unsaid(value: Value) -> bool:
    """Return whether a key says nothing; `published: true` is no date either."""
    words = ("", "~", "null", "true", "false")
    return isinstance(value, bool) or str(value or "").casefold() in words


def _has(column: str, path: str, keys: set[str], mapping: Config) -> bool:
    """Return whether a column finds a value in a file."""
    name = path.rpartition("/")[2]
    return any(
        bool(source.match and source.match.search(path if source.path == ("path",) else name))
        if source.form == "file"
        else source.form == "constant" or fold(source.path[0]) in keys
        for source in mapping.columns[column]
    )


def repeats(path: str) -> bool:
    """Return whether a page describes nothing anew: index.fr.md, and HTML, which lists articles."""
    name = path.rpartition("/")[2].lower()
    return name.endswith(".html") or (_INDEX.match(name) is not None and name.count(".") > 1)


def waits(fields: Mapping[str, Value]) -> bool:
    """Return whether title or date wait to be filled in."""
    values = [fields.get(key) for key in _WAITING_KEYS]
    return any(isinstance(value, str) and _IS_TAG(value.strip()) for value in values)


def has_tag(data: bytes) -> bool:
    """Return whether that can be seen in front matter that cannot be read."""
    # It ends at a fence like the one that it begins with.
    return _TAGGED_LINE.search(data[: data.find(b"\n" + data[:3], 3)]) is not None
