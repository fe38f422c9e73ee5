"""matterhouse.yaml: which keys feed which columns, which files are read, what is secret.

Beside this file, `columns.yaml` holds the rows that apply without one, and `non_articles.yaml` the
rules by which a file with front matter is no article.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from flows import UsageError, frontmatter
from flows.config import columns
from flows.config.reader import ConfigFile, Source, to_text
from flows.frontmatter import KeyPath, Reading, Value

FILE_NAME = "matterhouse.yaml"
FILE_NAMES = (FILE_NAME, "matterhouse.yml")
TERM_KINDS = ("topic", "organization")
_TOP = (
    *("patterns", "exclude", "articles", "columns", "split", "secret", "collections", "terms"),
    *("duplicate_keys", "dates", "timezone", "language"),
)


@dataclass(frozen=True, slots=True)
class Terms:
    """Files that describe topics or organizations instead of being articles."""

    files: tuple[str, ...]
    kind: str
    id: tuple[str, ...] = ()
    name: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """What matterhouse.yaml says; `file` is None where there is none."""

    columns: Mapping[str, tuple[Source, ...]]
    file: ConfigFile | None = None
    patterns: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    articles: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    collections: Mapping[str, str] = field(default_factory=dict)
    terms: tuple[Terms, ...] = ()
    reading: Reading = field(default_factory=Reading)
    earliest: date | None = None
    latest: date | None = None
    time_zone: str = "UTC"
    language: str | None = None

    @property
    def text(self) -> str | None:
        """Return the configuration as it was typed."""
        return self.file.data.decode("utf-8", "replace") if self.file else None

    def find_own_columns(self) -> list[str]:
        """Return the columns whose sources this file names."""
        fields = self.file.read_fields() if self.file else {}
        columns = fields.get("columns")
        return list(columns) if isinstance(columns, dict) else []

    def refuse_source(self, column: str, source: Source, problem: str, remedy: str) -> None:
        """Stop at a source of this file; those of the default table are not the user's fault."""
        if self.file and column in self.find_own_columns():
            where = ("columns", column, self.columns[column].index(source))
            self.file.refuse(where, problem, remedy)

    @property
    def hash(self) -> str:
        """Return what changes when the same files would give other rows."""
        tables = read_table("columns.yaml"), read_table("non_articles.yaml")
        rules = repr((frontmatter.PARSER_VERSION, tables, self.text))
        return hashlib.blake2b(rules.encode(), digest_size=8).hexdigest()


def load(source: Path | str, named: Path | None = None) -> Config:
    """Read the configuration of a source, from the file named or from the one beside its content.

    Only a folder has one beside it. Raises UsageError with line and remedy.
    """
    path = named or find_file(source)
    if path is None:
        return load_default()
    try:
        data = path.read_bytes()
    except OSError as error:
        remedy = (
            "name another --config, or say --no-config if the one beside the content is to count"
            if named
            else "make it readable"
        )
        raise UsageError(f"{path} cannot be read: {error.strerror}; {remedy}") from error
    return parse(data, path)


def find_file(source: Path | str) -> Path | None:
    """Find the configuration beside the content; raises UsageError where there are two."""
    if isinstance(source, str):
        return None
    found = [path for name in FILE_NAMES if (path := Path(source) / name).is_file()]
    if len(found) > 1:
        one, other = found
        raise UsageError(f"{one} and {other} are both there, and only one can count: delete one")
    return found[0] if found else None


@cache
def load_default() -> Config:
    """Return the configuration of a source that has none."""
    file = ConfigFile(Path("columns.yaml"), read_table("columns.yaml").encode())
    rows = file.read_fields()
    columns.check(rows)
    return Config({column: file.take_sources((column,), row) for column, row in rows.items()})


@cache
def read_table(name: str) -> str:
    """Return the text of a table of rules beside this file."""
    return Path(__file__).with_name(name).read_text("utf-8")


def parse(data: bytes, path: Path) -> Config:
    """Read a configuration; raises UsageError with line and remedy."""
    file = ConfigFile(path, data)
    fields = file.read_fields()
    for key in fields:
        file.expect(key in _TOP, (key,), f"`{key}` is no setting", f"one of {', '.join(_TOP)}")
    secret = Reading().secret_keys | {
        key.strip().casefold() for key in file.take_texts(fields, "secret")
    }
    duplicates = fields.get("duplicate_keys", "error")
    file.expect(
        duplicates in ("error", "last"),
        ("duplicate_keys",),
        "`duplicate_keys` says what becomes of a key that appears twice",
        "`error` or `last`",
    )
    split = file.take_mapping(fields, "split")
    for key, sign in split.items():
        file.expect(bool(to_text(sign)), ("split", key), "a sign to split at is missing", 'as ","')
    return Config(
        _with_splits(_read_columns(file, fields, secret), split),
        file=file,
        patterns=file.take_texts(fields, "patterns") or None,
        exclude=file.take_texts(fields, "exclude") or None,
        articles=file.take_texts(fields, "articles"),
        splits=tuple(split),
        collections=_read_collections(file, fields),
        terms=tuple(_read_terms(file, fields, secret)),
        reading=Reading(secret, duplicates == "last"),
        time_zone=_read_time_zone(file, fields),
        language=_read_language(file, fields),
        **_read_dates(file, fields),
    )


def _read_columns(
    file: ConfigFile, fields: dict[str, Value], secret: frozenset[str]
) -> dict[str, tuple[Source, ...]]:
    columns = dict(load_default().columns)
    for column, row in file.take_mapping(fields, "columns").items():
        where = ("columns", column)
        file.expect(
            column in columns, where, f"`{column}` is no column", f"one of {', '.join(columns)}"
        )
        columns[column] = file.take_sources(where, row)
        for source in columns[column]:
            _refuse_secrets(file, where, source.path, secret)
    return columns


def _refuse_secrets(
    file: ConfigFile, where: KeyPath, path: tuple[str, ...], secret: frozenset[str]
) -> None:
    hidden = [key for key in path if frontmatter.is_secret(key, secret)]
    file.expect(not hidden, where, "a secret key feeds no column", "another key")


def _with_splits(
    columns: dict[str, tuple[Source, ...]], split: dict[str, Value]
) -> dict[str, tuple[Source, ...]]:
    return {
        column: tuple(
            replace(source, split=to_text(split[name]))
            if (name := ".".join(source.path)) in split
            else source
            for source in sources
        )
        for column, sources in columns.items()
    }


def _read_collections(file: ConfigFile, fields: dict[str, Value]) -> dict[str, str]:
    """Return the collection of each folder that is given one, the deepest folders first."""
    named = file.take_mapping(fields, "collections")
    for folder, name in named.items():
        where = ("collections", folder)
        file.expect(bool(to_text(name)), where, "a folder has no name", "as `_posts: blog`")
    folders = sorted(named, key=lambda folder: -folder.strip("/").count("/"))
    return {f"{folder.strip('/')}/": to_text(named[folder]) for folder in folders}


def _read_terms(file: ConfigFile, fields: dict[str, Value], secret: frozenset[str]) -> list[Terms]:
    listed = fields.get("terms") or []
    remedy = "a list of `files`, `kind` and, where they have other keys, `id` and `name`"
    file.expect(isinstance(listed, list), ("terms",), "`terms` is no list", remedy)
    found = []
    for at, item in enumerate(listed if isinstance(listed, list) else []):
        where = ("terms", at)
        row = item if isinstance(item, dict) else {}
        is_known = bool(row.get("files")) and set(row) <= {"files", "kind", "id", "name"}
        file.expect(is_known, where, "these files of terms are not described", remedy)
        kind = to_text(row.get("kind"))
        choices = f"`kind: {'` or `kind: '.join(TERM_KINDS)}`"
        file.expect(kind in TERM_KINDS, where, "the kind of these terms is unknown", choices)
        id_path, name_path = (
            tuple(filter(None, to_text(row.get(k)).split("."))) for k in ("id", "name")
        )
        for key, path in (("id", id_path), ("name", name_path)):
            _refuse_secrets(file, (*where, key), path, secret)
        found.append(Terms(file.take_texts(row, "files", where), kind, id_path, name_path))
    return found


def _read_time_zone(file: ConfigFile, fields: dict[str, Value]) -> str:
    """Return the zone whose midnight begins a day, and in which dates without a zone are."""
    name = to_text(fields.get("timezone", "UTC"))
    try:
        return ZoneInfo(name).key
    except (LookupError, OSError, ValueError):
        file.refuse(("timezone",), f"`{name}` is no time zone", "one as Europe/Berlin, or UTC")


def _read_language(file: ConfigFile, fields: dict[str, Value]) -> str | None:
    """Return the language that other articles are translated from."""
    if (value := fields.get("language")) is None:
        return None
    code = to_text(value).replace("_", "-").lower()
    is_code = bool(re.fullmatch(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*", code))
    file.expect(is_code, ("language",), "this is no code of a language", "one as en or pt-BR")
    return code


def _read_dates(file: ConfigFile, fields: dict[str, Value]) -> dict[str, date]:
    """Return the first and the last plausible day, as far as they are set."""
    found = {}
    for key, value in file.take_mapping(fields, "dates").items():
        where, remedy = ("dates", key), "`earliest` or `latest` and a day, as 1850-01-01"
        file.expect(key in ("earliest", "latest"), where, f"dates have no `{key}`", remedy)
        try:
            found[key] = date.fromisoformat(to_text(value))
        except ValueError:
            file.refuse(where, f"`{key}` is no day", remedy)
    file.expect(
        found.get("earliest", date.min) <= found.get("latest", date.max),
        ("dates", "earliest"),
        "`earliest` is after `latest`, so there is no date",
        "the earlier day there",
    )
    return found
