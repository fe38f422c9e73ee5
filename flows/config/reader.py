"""The text of a configuration → values; every error points into it and says what to write."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from flows import UsageError, frontmatter
from flows.frontmatter import KeyPath, Plain, Value

_FORMS = ("key", "host", "not", "file", "constant")
_FILE_PARTS = ("name", "path", "folder")


@lru_cache(4096)
def fold(key: str) -> str:
    """Return what all spellings of a key have in common: pub-date, PubDate and "pub date"."""
    return re.sub("[-_ ]", "", key.casefold())


@dataclass(frozen=True, slots=True)
class Source:
    """Where a column looks for a value: `form` says how, `label` is how it is shown."""

    form: str
    label: str
    path: tuple[str, ...] = ()
    constant: Value = None
    match: re.Pattern[str] | None = None
    split: str | None = None
    unless: str | None = None

    def spell(self, key_path: KeyPath) -> str:
        """Return the label with the key as a file spells it."""
        if key_path == self.path:
            return self.label
        if self.form in ("file", "constant") or len(key_path) != len(self.path) or "*" in self.path:
            return self.label
        return self.label.removesuffix(".".join(self.path)) + ".".join(map(str, key_path))


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration as text, which every error points into."""

    path: Path
    data: bytes

    def read_fields(self) -> dict[str, Value]:
        """Read the settings."""
        try:
            found = frontmatter.read(self.data, whole_file=True)
        except frontmatter.BrokenFrontMatter as error:
            raise UsageError(f"{self.path}:{error.line}: {error.message} {error.hint}") from error
        return found.fields if found else {}

    def expect(self, is_right: bool, where: KeyPath, problem: str, remedy: str) -> None:
        """Stop at a setting that is not right."""
        if not is_right:
            self.refuse(where, problem, remedy)

    def refuse(self, where: KeyPath, problem: str, remedy: str) -> NoReturn:
        """Stop with line, problem and remedy."""
        raise UsageError(f"{self.name_place(where)}: {problem}; write {remedy}")

    def name_place(self, where: KeyPath) -> str:
        """Return the file, and the line of a setting if it can be found."""
        # A single source stands where a list of them could.
        places = frontmatter.locate_all(self.data, (where, where[:-1]), whole_file=True)
        line = next((f":{place[0]}" for place in places if place), "")
        return f"{self.path}{line}"

    def take_texts(
        self, fields: dict[str, Value], key: str, above: KeyPath = ()
    ) -> tuple[str, ...]:
        """Take a list of texts, or one text."""
        value = fields.get(key)
        items = value if isinstance(value, list) else [value]
        texts = tuple(to_text(item) for item in items)
        if texts == ("",):
            return ()
        self.expect(all(texts), (*above, key), f"`{key}` is no list of texts", "one text an item")
        return texts

    def take_mapping(self, fields: dict[str, Value], key: str) -> dict[str, Value]:
        """Take a mapping, which may be left out."""
        value = fields.get(key)
        if value is None or value == "":
            return {}
        self.expect(isinstance(value, dict), (key,), f"`{key}` is no mapping", "its keys below it")
        return value if isinstance(value, dict) else {}

    def take_sources(self, where: KeyPath, row: Value) -> tuple[Source, ...]:
        """Take a row of sources; one may stand alone."""
        items = row if isinstance(row, list) else [row]
        return tuple(
            self._take_source((*where, at) if items is row else where, item)
            for at, item in enumerate(items)
        )

    def _take_source(self, where: KeyPath, item: Value) -> Source:
        if path := to_text(item):
            return Source("key", path, tuple(path.split(".")))
        forms = [form for form in _FORMS if isinstance(item, dict) and form in item]
        self.expect(
            len(forms) == 1,
            where,
            "this is no source of values",
            f"a key, or a mapping with one of {', '.join(_FORMS)}",
        )
        options: dict[str, Value] = item if isinstance(item, dict) else {}
        form = forms[0]
        self.expect(
            set(options) <= {form, "match", "split", "unless"},
            where,
            f"a source by `{form}` has no such option",
            "`match`, `split` or `unless` beside it",
        )
        if form == "constant":
            return Source(form, "constant", constant=options[form])
        for option, value in options.items():
            problem = f"`{option}` is empty"
            self.expect(bool(to_text(value)), (*where, option), problem, "a text, or leave it out")
        path = to_text(options[form])
        self.expect(
            form != "file" or path in _FILE_PARTS,
            where,
            f"a file has no `{path}`",
            f"`file:` with one of {', '.join(_FILE_PARTS)}",
        )
        return Source(
            form,
            path if form == "key" else f"{form} {path}",
            (path,) if form == "file" else tuple(path.split(".")),
            match=self._compile((*where, "match"), to_text(options.get("match"))),
            split=to_text(options.get("split")) or None,
            unless=to_text(options.get("unless")) or None,
        )

    def _compile(self, where: KeyPath, text: str) -> re.Pattern[str] | None:
        if not text:
            return None
        try:
            return re.compile(text)
        except re.error as error:
            problem = f"`{text}` is no regular expression ({error})"
            self.refuse(where, problem, "it as Python's `re` reads it")


def to_text(value: Value) -> str:
    """Return a text as typed, and "" for anything else."""
    return str(value) if isinstance(value, str | Plain) else ""
