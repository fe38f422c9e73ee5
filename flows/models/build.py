"""Rebuild the tables that SQL owns (staging, marts) from raw, and run the checks on them."""

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from flows import MatterhouseError
from flows.warehouse.connection import sql_identifier, sql_literal, table_names, with_room

SCHEMAS = ("raw", "staging", "marts", "ops")
SHOWN_ROWS = 20  # a failed check shows enough rows to see the pattern, not thousands


class ModelDoesNotRun(MatterhouseError):
    """A SQL file of ours that DuckDB refuses."""


class CommentsDoNotMatch(MatterhouseError):
    """A SQL file whose column comments are not those of its table."""


class CheckHasNoSeverity(MatterhouseError):
    """A check that does not say in its second line whether it is an error or a warning."""


@dataclass(frozen=True, slots=True)
class Comments:
    """What a SQL file says about its table and, in display order, about the columns."""

    table: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check that returned rows: what is wrong, how bad it is, and the first rows."""

    name: str
    message: str
    severity: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    count: int

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.name}: {self.message} ({self.severity}, {self.count} rows)"


def sql_folder() -> Path:
    """Return the package's own sql/ when installed, else the repository's."""
    packaged = Path(__file__).parents[1] / "sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "sql"


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create the schemas, and those raw and ops tables that are missing."""
    for schema in SCHEMAS:
        con.execute(f"create schema if not exists {schema}")
    there = set(table_names(con))
    for path in (*files("raw"), *files("ops")):
        if table_name(path) not in there:
            _run(con, path, path.read_text(encoding="utf-8"))
            _comment(con, path)


def build(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Rebuild every staging table, every mart and the functions on them; name the tables.

    Each table is committed on its own: its memory is free again, and its space in the file too.
    """
    return list(steps(con))


def steps(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Rebuild like `build`, and yield each table's name when it is there."""
    for path in macros():
        _run(con, path, path.read_text(encoding="utf-8"))
    for path in (*files("staging"), *files("marts")):
        select = path.read_text(encoding="utf-8")
        _run(con, path, f"create or replace table {table_name(path)} as\n{select}")
        # Replacing a table drops its comments.
        _comment(con, path)
        yield table_name(path)
    for path in files("functions"):
        _run(con, path, path.read_text(encoding="utf-8"))


def check(con: duckdb.DuckDBPyConnection, *, waived: Collection[str] = ()) -> list[FailedCheck]:
    """Run every check that is not waived, and return those that found something."""
    found = [_check(con, path) for path in files("checks") if path.stem not in waived]
    return [failed for failed in found if failed is not None]


def fingerprint() -> str:
    """Return a hash of all SQL files: other files would make other tables."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(sql_folder().glob("*/*.sql")):
        digest.update(f"{table_name(path)}\n{path.read_text(encoding='utf-8')}\0".encode())
    return digest.hexdigest()


def files(layer: str) -> list[Path]:
    """Return the SQL files of a layer in the order in which they run."""
    return sorted((sql_folder() / layer).glob("*.sql"))


def macros() -> list[Path]:
    """Return the macro files, those that others are written in first."""
    return sorted(files("macros"), key=lambda path: "as table" in path.read_text(encoding="utf-8"))


def table_name(path: Path) -> str:
    """Return the table that a SQL file makes: its folder is the schema."""
    return f"{path.parent.name}.{path.stem}"


def header(sql: str) -> list[str]:
    """Return the comment lines that a SQL text begins with, without their dashes."""
    lines = sql.splitlines()
    length = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    return [line.removeprefix("--").strip() for line in lines[:length]]


def paragraphs(sql: str) -> list[str]:
    """Return the header with wrapped lines joined: the question, then Grain:, Reads:, Note:."""
    text = "\n".join(header(sql))
    return re.sub(r"\n(?!Grain:|Reads:|Note:)", " ", text).split("\n")


def comments(sql: str) -> Comments:
    """Read the table's comment from the header and the columns' from the lines that name them."""
    words = [line for line in paragraphs(sql) if not line.startswith("Reads:")]
    body = re.split(r"^(?:create table|select)\b", sql, flags=re.MULTILINE)[-1]
    # What follows the columns (from, where, …) can have comments of its own.
    listing = re.split(r"^(?:from|\))", body, flags=re.MULTILINE)[0]
    pattern = _DECLARED if re.search(r"^create table", sql, re.MULTILINE) else _SELECTED
    columns = tuple((m["name"], m["comment"].strip()) for m in pattern.finditer(listing))
    return Comments("\n".join(words), columns)


_DECLARED = re.compile(r'^ +"?(?P<name>\w+)"? .*?  -- (?P<comment>.+)$', re.MULTILINE)
_SELECTED = re.compile(r'^ .*?\b(?P<name>\w+)"?,?  +-- (?P<comment>.+)$', re.MULTILINE)


def _run(con: duckdb.DuckDBPyConnection, path: Path, sql: str) -> None:
    try:
        with_room(con, lambda: con.execute(sql))
    except duckdb.Error as error:
        where = f"sql/{path.parent.name}/{path.name}"
        raise ModelDoesNotRun(f"{where} does not run: {error}") from error


def _comment(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Put the file's comments on its table, after comparing them with the columns it has."""
    table, said = table_name(path), comments(path.read_text(encoding="utf-8"))
    described = con.execute(f"select * from {table} limit 0").description or []
    actual, named = [column[0] for column in described], [name for name, _ in said.columns]
    if actual != named:
        silent = [name for name in actual if name not in named] or actual
        raise CommentsDoNotMatch(
            f"sql/{path.parent.name}/{path.name}: the commented columns are not those of {table}; "
            f"look at {', '.join(silent)}. End the line of each column of the last select "
            "with its name and `  -- comment`, in order."
        )
    # Committed together: three hundred commits of a comment each took as long as a report.
    con.execute("begin")
    con.execute(f"comment on table {table} is {sql_literal(said.table)}")
    for name, comment in said.columns:
        con.execute(f"comment on column {table}.{sql_identifier(name)} is {sql_literal(comment)}")
    con.execute("commit")


def _check(con: duckdb.DuckDBPyConnection, path: Path) -> FailedCheck | None:
    sql = path.read_text(encoding="utf-8")
    message, severity = (*header(sql), "", "")[:2]
    if severity not in ("severity: error", "severity: warn"):
        raise CheckHasNoSeverity(
            f"sql/checks/{path.name}: the second line must be "
            "`-- severity: error` or `-- severity: warn`."
        )
    _run(con, path, sql)
    columns = tuple(column[0] for column in con.description or [])
    rows = tuple(con.fetchmany(SHOWN_ROWS))
    if not rows:
        return None
    ((count,),) = con.execute(f"select count(*) from (\n{sql}\n)").fetchall()
    return FailedCheck(
        path.stem, message, severity.removeprefix("severity: "), columns, rows, count
    )
