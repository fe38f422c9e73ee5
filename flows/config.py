"""matterhouse.yaml: which keys feed which columns, which files are read, what is secret.

`columns.yaml`, beside this file, holds the rows that are in force without one.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import NoReturn

from flows import UsageError, frontmatter
from flows.frontmatter import KeyPath, Plain, Reading, Value

FILE_NAME = "matterhouse.yaml"
TERM_KINDS = ("topic", "organization")
_FORMS = ("key", "host", "not", "file", "constant")
_FILE_PARTS = ("name", "path", "folder")
_TOP = (
    *("patterns", "exclude", "columns", "split", "secret", "collections", "terms"),
    *("duplicate_keys", "dates"),
)


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

    def spelled(self, key_path: KeyPath) -> str:
        """Return the label with the key as a file spells it."""
        if self.form in ("file", "constant") or len(key_path) != len(self.path) or "*" in self.path:
            return self.label
        return self.label.removesuffix(".".join(self.path)) + ".".join(map(str, key_path))


@dataclass(frozen=True, slots=True)
class Terms:
    """Files that describe topics or organizations instead of being articles."""

    files: tuple[str, ...]
    kind: str
    id: tuple[str, ...] = ()
    name: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """What matterhouse.yaml says; `text` is None where there is none."""

    columns: Mapping[str, tuple[Source, ...]]
    text: str | None = None
    patterns: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    collections: Mapping[str, str] = field(default_factory=dict)
    terms: tuple[Terms, ...] = ()
    reading: Reading = field(default_factory=Reading)
    earliest: date | None = None
    latest: date | None = None

    @property
    def hash(self) -> str:
        """Return what changes when the same files would give other rows."""
        rules = repr((frontmatter.PARSER_VERSION, _default_text(), self.text))
        return hashlib.blake2b(rules.encode(), digest_size=8).hexdigest()


def load(source: Path | str, named: Path | None = None) -> Config:
    """Read the configuration of a source, from the file named or from the one beside its content.

    Only a folder has one beside it. Raises UsageError with line and remedy.
    """
    path = named or Path(source) / FILE_NAME
    if named is None and (isinstance(source, str) or not path.is_file()):
        return default()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    return parse(data, path)


@cache
def default() -> Config:
    """Return the configuration of a source that has none."""
    file = _File(Path("columns.yaml"), _default_text().encode())
    return Config({column: file.sources((column,), row) for column, row in file.fields().items()})


def _default_text() -> str:
    return Path(__file__).with_name("columns.yaml").read_text("utf-8")


def parse(data: bytes, path: Path) -> Config:
    """Read a configuration; raises UsageError with line and remedy."""
    file = _File(path, data)
    fields = file.fields()
    for key in fields:
        file.expect(key in _TOP, (key,), f"`{key}` is no setting", f"one of {', '.join(_TOP)}")
    secret = Reading().secret_keys | {
        key.strip().casefold() for key in file.texts(fields, "secret")
    }
    duplicates = fields.get("duplicate_keys", "error")
    file.expect(
        duplicates in ("error", "last"),
        ("duplicate_keys",),
        "`duplicate_keys` says what becomes of a key that appears twice",
        "`error` or `last`",
    )
    split = file.mapping(fields, "split")
    for key, sign in split.items():
        file.expect(bool(_text(sign)), ("split", key), "a sign to split at is missing", 'as ","')
    return Config(
        _with_splits(_columns(file, fields, secret), split),
        text=data.decode(),
        patterns=file.texts(fields, "patterns") or None,
        exclude=file.texts(fields, "exclude") or None,
        collections=_collections(file, fields),
        terms=tuple(_terms(file, fields)),
        reading=Reading(secret, duplicates == "last"),
        **_dates(file, fields),
    )


def _columns(
    file: "_File", fields: dict[str, Value], secret: frozenset[str]
) -> dict[str, tuple[Source, ...]]:
    columns = dict(default().columns)
    for column, row in file.mapping(fields, "columns").items():
        where = ("columns", column)
        file.expect(
            column in columns, where, f"`{column}` is no column", f"one of {', '.join(columns)}"
        )
        columns[column] = file.sources(where, row)
        for source in columns[column]:
            hidden = [key for key in source.path if frontmatter.is_secret(key, secret)]
            file.expect(not hidden, where, "a secret key feeds no column", "another key")
    return columns


def _with_splits(
    columns: dict[str, tuple[Source, ...]], split: dict[str, Value]
) -> dict[str, tuple[Source, ...]]:
    return {
        column: tuple(
            replace(source, split=_text(split[name]))
            if (name := ".".join(source.path)) in split
            else source
            for source in sources
        )
        for column, sources in columns.items()
    }


def _collections(file: "_File", fields: dict[str, Value]) -> dict[str, str]:
    """Return the collection of each folder that is given one, the deepest folders first."""
    named = file.mapping(fields, "collections")
    for folder, name in named.items():
        file.expect(
            bool(_text(name)), ("collections", folder), "a folder has no name", "as `_posts: blog`"
        )
    folders = sorted(named, key=lambda folder: -folder.count("/"))
    return {f"{folder.strip('/')}/": _text(named[folder]) for folder in folders}


def _terms(file: "_File", fields: dict[str, Value]) -> list[Terms]:
    listed = fields.get("terms") or []
    remedy = "a list of `files`, `kind` and, where they have other keys, `id` and `name`"
    file.expect(isinstance(listed, list), ("terms",), "`terms` is no list", remedy)
    found = []
    for at, item in enumerate(listed if isinstance(listed, list) else []):
        where = ("terms", at)
        row = item if isinstance(item, dict) else {}
        is_known = bool(row.get("files")) and set(row) <= {"files", "kind", "id", "name"}
        file.expect(is_known, where, "these files of terms are not described", remedy)
        kind = _text(row.get("kind"))
        choices = f"`kind: {'` or `kind: '.join(TERM_KINDS)}`"
        file.expect(kind in TERM_KINDS, where, "the kind of these terms is unknown", choices)
        id_path, name_path = (
            tuple(filter(None, _text(row.get(k)).split("."))) for k in ("id", "name")
        )
        found.append(Terms(file.texts(row, "files", where), kind, id_path, name_path))
    return found


def _dates(file: "_File", fields: dict[str, Value]) -> dict[str, date]:
    """Return the first and the last day that a date can be meant to be, as far as they are set."""
    found = {}
    for key, value in file.mapping(fields, "dates").items():
        where, remedy = ("dates", key), "`earliest` or `latest` and a day, as 1850-01-01"
        file.expect(key in ("earliest", "latest"), where, f"dates have no `{key}`", remedy)
        try:
            found[key] = date.fromisoformat(_text(value))
        except ValueError:
            file.expect(False, where, f"`{key}` is no day", remedy)
    return found


@dataclass(frozen=True, slots=True)
class _File:
    """A configuration as text, which every error points into."""

    path: Path
    data: bytes

    def fields(self) -> dict[str, Value]:
        try:
            found = frontmatter.read(self.data, whole_file=True)
        except frontmatter.BrokenFrontMatter as error:
            raise UsageError(f"{self.path}:{error.line}: {error.message} {error.hint}") from error
        return found.fields if found else {}

    def expect(self, is_right: bool, where: KeyPath, problem: str, remedy: str) -> None:
        if not is_right:
            place = frontmatter.locate(self.data, where, whole_file=True)
            line = f":{place[0]}" if place else ""
            raise UsageError(f"{self.path}{line}: {problem}; write {remedy}")

    def texts(self, fields: dict[str, Value], key: str, above: KeyPath = ()) -> tuple[str, ...]:
        """Take a list of texts, or one text."""
        value = fields.get(key)
        items = value if isinstance(value, list) else [value]
        texts = tuple(_text(item) for item in items)
        if texts == ("",):
            return ()
        self.expect(all(texts), (*above, key), f"`{key}` is no list of texts", "one text an item")
        return texts

    def mapping(self, fields: dict[str, Value], key: str) -> dict[str, Value]:
        value = fields.get(key)
        if value is None or value == "":
            return {}
        self.expect(isinstance(value, dict), (key,), f"`{key}` is no mapping", "its keys below it")
        return value if isinstance(value, dict) else {}

    def sources(self, where: KeyPath, row: Value) -> tuple[Source, ...]:
        """Take a row of sources; one may stand alone."""
        items = row if isinstance(row, list) else [row]
        return tuple(
            self._source((*where, at) if items is row else where, item)
            for at, item in enumerate(items)
        )

    def _source(self, where: KeyPath, item: Value) -> Source:
        if path := _text(item):
            return Source("key", path, tuple(path.split(".")))
        forms = [form for form in _FORMS if isinstance(item, dict) and form in item]
        self.expect(
            isinstance(item, dict) and len(forms) == 1 and len(item) > 0,
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
        path = _text(options[form])
        self.expect(bool(path), where, f"`{form}` names nothing", "a key")
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
            match=self._pattern((*where, "match"), _text(options.get("match"))),
            split=_text(options.get("split")) or None,
            unless=_text(options.get("unless")) or None,
        )

    def _pattern(self, where: KeyPath, text: str) -> re.Pattern[str] | None:
        if not text:
            return None
        try:
            return re.compile(text)
        except re.error as error:
            self._refuse(where, f"`{text}` is no regular expression ({error})")

    def _refuse(self, where: KeyPath, problem: str) -> NoReturn:
        self.expect(False, where, problem, "it as Python's `re` reads it")
        raise AssertionError


def _text(value: Value) -> str:
    """Return a text as typed, and "" for anything else."""
    return str(value) if isinstance(value, str | Plain) else ""
