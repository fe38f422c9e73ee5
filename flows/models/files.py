"""The files of sql/: where they lie, what they make and read, and in which order they run."""

import contextlib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TypeAlias

import duckdb

from flows import MatterhouseError, sql_folder

Key: TypeAlias = tuple[str, ...]
FOLDERS = ("raw", "ops", "macros", "staging", "marts", "checks")
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_MACRO = re.compile(r"^create or replace macro \w+\([^)]*\) as( table)?\s", re.MULTILINE)
# What is between double quotes is a name, whatever signs it holds, and stays.
_COMMENT_OR_TEXT = re.compile(r"""(?P<name>"[^"]*")|--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'""", re.DOTALL)
_TABLE = re.compile(r'\b(?:from|join)\s+\(?\s*"?(raw|ops|staging|marts)"?\."?(\w+)', re.IGNORECASE)
_CALL = re.compile(r"\b(\w+)\s*\(")


class UnusableSqlFile(MatterhouseError):
    """A file in sql/ cannot be used as it stands."""


@dataclass(frozen=True, slots=True)
class SqlFile:
    """A file of sql/: its folder is the schema, its stem the table, macro or check."""

    folder: str
    stem: str
    sql: str

    @property
    def name(self) -> str:
        """Return what the file makes, as queries call it."""
        return f"{self.stem}()" if self.folder == "macros" else f"{self.folder}.{self.stem}"

    @property
    def place(self) -> str:
        """Return where it lies, for messages."""
        return f"sql/{self.folder}/{self.stem}.sql"

    @property
    def header(self) -> list[str]:
        """Return the comment lines that it begins with, without their dashes."""
        lines = self.sql.splitlines()
        length = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
        return [line.removeprefix("--").strip() for line in lines[:length]]

    @property
    def paragraphs(self) -> list[str]:
        """Return the header with wrapped lines joined: first the question."""
        joined = re.sub(r"\n(?!Grain:|Key:|Sums by:|Reads:|Note:)", " ", "\n".join(self.header))
        return joined.split("\n")

    @property
    def reads(self) -> list[str]:
        """Return what the line `Reads:` names."""
        said = self._find("Reads:")
        return said.split(", ") if said else []

    @property
    def refresh_keys(self) -> list[Key]:
        """Return the columns that the line `Key:` names, in all spellings (`article_id or path`).

        Rows of a key depend on nothing but the rows of the same key in the tables that have it.
        """
        said = self._find("Key:")
        return [tuple(names.split(", ")) for names in said.split(" or ")] if said else []

    @property
    def sum_keys(self) -> Key:
        """Return the columns that the line `Sums by:` names: all others add up.

        The sums of some rows and those of others, added, are the sums of both. The first column
        that adds up counts the rows: without any, there is no sum.
        """
        said = self._find("Sums by:")
        return tuple(said.split(", ")) if said else ()

    def _find(self, label: str) -> str:
        """Return what the header says after a label, nothing if it has no such line."""
        lines = [line for line in self.paragraphs if line.startswith(label)]
        return lines[0].removeprefix(label).strip() if lines else ""

    @property
    def key(self) -> list[str]:
        """Return the columns in brackets at the end of the line `Grain:`, which tell rows apart."""
        found = re.search(r"^Grain: .*\(([\w, ]+)\)$", "\n".join(self.paragraphs), re.MULTILINE)
        return found[1].split(", ") if found else []

    @property
    def is_scalar(self) -> bool:
        """Return whether it is a macro that makes a value, not a table."""
        return self.folder == "macros" and not self._macro_head[1]

    @property
    def query(self) -> str:
        """Return the select of a model, or a select in place of a macro."""
        if self.folder != "macros":
            return self.sql
        body = self.sql[self._macro_head.end() :]
        return f"select ({body})" if self.is_scalar else body

    @property
    def _macro_head(self) -> re.Match[str]:
        if head := _MACRO.search(self.sql):
            return head
        raise UnusableSqlFile(
            f"{self.place} makes no macro: begin with `create or replace macro {self.stem}(…) as`."
        )


def files(folder: str) -> list[SqlFile]:
    """Return the SQL files of a folder by name, without what editors and systems leave there."""
    found = sorted((sql_folder() / folder).glob("*.sql"))
    return [_read(path) for path in found if not path.name.startswith((".", "~$", "#"))]


def _read(path: Path) -> SqlFile:
    place = f"sql/{path.parent.name}/{path.name}"
    if not _NAME.fullmatch(path.stem):
        raise UnusableSqlFile(
            f"{place}: the file's name becomes that of its table, so write it in small letters, "
            "digits and underscores."
        )
    try:
        return SqlFile(path.parent.name, path.stem, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise UnusableSqlFile(
            f"{place} is not UTF-8 (byte {error.start + 1}): save it as UTF-8."
        ) from error
    except OSError as error:
        raise UnusableSqlFile(f"{place} cannot be read: {error.strerror}.") from error


@contextlib.contextmanager
def blame(file: SqlFile) -> Iterator[None]:
    """Let an error of a statement name the file it comes from, unless the system is at fault."""
    try:
        yield
    except (duckdb.OperationalError, duckdb.InternalError):
        raise
    except duckdb.Error as error:
        raise UnusableSqlFile(f"{file.place} does not run: {error}") from error


def fingerprint() -> str:
    """Return a hash of all SQL files: other files would make other tables."""
    digest = hashlib.blake2b(digest_size=16)
    for file in (file for folder in FOLDERS for file in files(folder)):
        digest.update(f"{file.name}\n{file.sql}\0".encode())
    return digest.hexdigest()


def in_order() -> dict[SqlFile, set[str]]:
    """Return macros and models with all that each reads, which comes before it."""
    made = {file.name: file for folder in ("macros", "staging", "marts") for file in files(folder)}
    shapes = {file.name for folder in ("raw", "ops") for file in files(folder)}
    reads = {}
    for file in made.values():
        read = {name for name in references(file) if "." in name or name in made}
        _compare(file, read - {macro for macro in read if macro in made and made[macro].is_scalar})
        if unknown := sorted(read - made.keys() - shapes):
            raise UnusableSqlFile(
                f"{file.place} reads {', '.join(unknown)}, which no file in sql/ makes."
            )
        reads[file.name] = read
    graph = {name: read & made.keys() for name, read in reads.items()}
    try:
        return {made[name]: reads[name] for name in TopologicalSorter(graph).static_order()}
    except CycleError as error:
        circle = [made[name].place for name in error.args[1]]
        raise UnusableSqlFile(
            f"{' reads '.join(reversed(circle))}: one of them has to be made without the others."
        ) from error


def references(file: SqlFile) -> set[str]:
    """Return the tables (`raw.articles`) and, with brackets (`as_of()`), functions that it names.

    Parsing all files takes DuckDB a tenth of a small build; what follows `from` and `join` is found
    without. A table named elsewhere (after a comma) counts if the header names it, too.
    """
    code = _COMMENT_OR_TEXT.sub(lambda found: found["name"] or " ", file.query)
    tables = {f"{schema}.{table}" for schema, table in _TABLE.findall(code)}
    tables |= {name for name in file.reads if re.search(rf"{re.escape(name)}(?!\w)", code)}
    return tables | {f"{name}()" for name in _CALL.findall(code)}


def _compare(file: SqlFile, read: set[str]) -> None:
    """Refuse a model whose header names other tables and table macros than its query."""
    if file.folder != "macros" and read != set(file.reads):
        expected = ", ".join(sorted(read))
        raise UnusableSqlFile(
            f"{file.place} reads {expected or 'nothing'}, but its header says "
            f"{', '.join(file.reads) or 'nothing'}: write `-- Reads: {expected}`."
        )
