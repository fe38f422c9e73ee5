"""What a section of the page is made of, before any HTML."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from markupsafe import Markup

from flows.reports.page import svg
from flows.reports.page.grid import Cell, Grid
from flows.warehouse.connection import Connection, fetch_rows
from flows.words import clip, escape_control

# A folded table shows where its numbers come from; its SQL gives them all.
_LISTED = 24
_CELL_LENGTH = 200
_SIGNS = {
    "rising": "▲",
    "falling": "▼",
    "emerging": "✦",
    "returning": "↺",
    "steady": "◆",
    "dormant": "○",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """One of several small pictures: a name, a word on it, the picture, and the text below."""

    name: str
    status: str
    drawing: Markup
    below: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fold:
    """A figure of an earlier period, which a reader opens."""

    title: str
    grid: Grid
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A finding, a line on how to read it, pictures or a table, and the SQL they come from."""

    title: str
    lead: str
    sql: str
    drawing: Markup | None = None
    panels: tuple[Panel, ...] = ()
    grid: Grid | None = None
    folds: tuple[Fold, ...] = ()
    numbers: Grid | None = None
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A question of the reader with its figures; `empty` says why there is none."""

    key: str
    name: str
    figures: Sequence[Figure] = field(default_factory=list)
    empty: str = ""


def fetch(con: Connection, sql: str) -> list[dict[str, Any]]:
    """Return the rows of a query; text in them is free of control characters."""
    return [_clean(row) for row in fetch_rows(con, sql)]


def fetch_first(con: Connection, sql: str, most: int) -> tuple[list[dict[str, Any]], int]:
    """Return the first rows of a query that may have very many, and how many it has."""
    total = con.execute(f"select count(*) from ({sql})").fetchall()[0][0]
    return fetch(con, f"from ({sql}) limit {most}"), total


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return escape_control(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return value


def list_numbers(rows: Sequence[Mapping[str, Any]]) -> Grid:
    """Return the rows of a query as they are: the numbers behind a picture."""
    return Grid(
        tuple(rows[0]) if rows else (),
        [[_number_cell(value) for value in row.values()] for row in rows[:_LISTED]],
    )


def _number_cell(value: Any) -> Cell:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(_spell(value)[:_CELL_LENGTH], is_number)


def _spell(value: Any) -> str:
    match value:
        case None:
            return svg.number(None)
        case bool():
            return "yes" if value else "no"
        case int():
            return svg.number(value)
        case float():
            return svg.number(value, 1)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
        case list():
            return ", ".join(map(_spell, value))
    return str(value)


def mention(text: str, length: int = 60) -> str:
    """Return a name for a sentence: clipped, and its direction turns nothing around it."""
    clipped = clip(text, length)
    is_turned = any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in clipped)
    return f"\N{FIRST STRONG ISOLATE}{clipped}\N{POP DIRECTIONAL ISOLATE}" if is_turned else clipped


def say_rest(shown: int, total: int, how: str = "The SQL below lists all.") -> str:
    """Say that there is more than what is shown, and how to see it; nothing if there is not."""
    return f"{shown} of {total:,} are shown. {how}" if total > shown else ""


def with_sign(status: str) -> str:
    """Return a status with its own sign: nothing is shown by colour alone."""
    return f"{_SIGNS.get(status, '')} {status}".strip()
