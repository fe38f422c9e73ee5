"""SQL tests as data: rows in, rows out.

`<layer>/<table>/<behaviour>.yaml` holds `given` (rows per table, what is not named is null),
`expect` (every row of the table, in its order, with the columns the case speaks of) and, for tables
with many grains, `where`. For a check, `after` holds statements that break the built tables.
"""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import duckdb
import yaml

from flows.models import build, files

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Case:
    """What is given, and what the table (or check) named by the folder must then hold."""

    table: str
    given: dict[str, list[dict[str, Any]]]
    expect: list[dict[str, Any]]
    where: str
    after: list[str]


def paths(*layers: str) -> list[Path]:
    """Return the case files of some layers, sorted."""
    return sorted(path for layer in layers for path in (FOLDER / layer).glob("*/*.yaml"))


def name(path: Path) -> str:
    """Return a case's name: table and behaviour."""
    return f"{path.parent.parent.name}.{path.parent.name}: {path.stem.replace('_', ' ')}"


def read(path: Path) -> Case:
    """Read a case file; a key it cannot have, or a missing expectation, is an error."""
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    unknown = set(case) - {"given", "expect", "where", "after"}
    assert not unknown, f"{path}: unknown keys {sorted(unknown)}"
    table = f"{path.parent.parent.name}.{path.parent.name}"
    where, after = case.get("where", "true"), case.get("after", [])
    return Case(table, case["given"], case["expect"], where, after)


def warehouse(given: dict[str, list[dict[str, Any]]], *tables: str) -> duckdb.DuckDBPyConnection:
    """Build the models that some tables need, else every model, over some rows, in memory.

    Without comments, which take as long as the models.
    """
    con = duckdb.connect(config={"threads": 1})
    con.execute("set TimeZone = 'UTC'")
    for schema in build.SCHEMAS:
        con.execute(f"create schema {schema}")
    for file in (*files.files("raw"), *files.files("ops")):
        con.execute(file.sql)
    for table, rows in given.items():
        insert(con, table, rows)
    make(con, *tables)
    return con


def make(con: duckdb.DuckDBPyConnection, *tables: str) -> None:
    """Make the models that some tables need, else every model."""
    ordered = list(files.in_order())
    needed = set(tables) or {file.name for file in ordered}
    for file in reversed(ordered):
        if file.name in needed:
            needed |= files.references(file)
    for file in ordered:
        if file.name in needed:
            build.make(con, file)


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows; the columns they do not name are null, and an article has not moved."""
    if table == "raw.article_versions":
        rows = [{"origin_id": row["article_id"]} | row for row in rows]
    for names, alike in groupby(rows, key=tuple):
        values = [list(row.values()) for row in alike]
        marks = f"({', '.join('?' for _ in names)})"
        con.execute(
            f"insert into {table} ({', '.join(names)}) values {', '.join([marks] * len(values))}",
            list(chain.from_iterable(values)),
        )


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """Run a query and return its rows in the plain values that case files are written in."""
    cursor = con.execute(sql)
    columns = [column[0] for column in cursor.description or []]
    return [dict(zip(columns, plain(row), strict=True)) for row in cursor.fetchall()]


def plain(value: Any) -> Any:
    """Return dates as ISO text and doubles to six places, also inside lists and maps."""
    match value:
        case float():
            return round(value, 6)
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case _:
            return value
