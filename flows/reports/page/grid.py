"""A table as a figure: the rows of a query, and for each column how a cell is made of a row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from markupsafe import Markup

from flows.reports.page import svg
from flows.words import clip, cut

_NAME_LENGTH = 80
Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: words, or a picture; `bar` is a share that is drawn behind a number."""

    content: str | Markup
    is_number: bool = False
    bar: float | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table that is a figure itself; its first column names the row."""

    columns: tuple[str, ...]
    rows: list[list[Cell]]


Draw: TypeAlias = Callable[[Row], Cell]


def draw_grid(rows: Sequence[Row], columns: Mapping[str, Draw]) -> Grid:
    return Grid(tuple(columns), [[draw(row) for draw in columns.values()] for row in rows])


def number_cell(value: float | None, digits: int = 0, *, sign: bool = False) -> Cell:
    """Return a cell with a number, a dash for none."""
    return Cell(svg.number(value, digits, sign=sign), is_number=True)


def name_cell(text: str) -> Cell:
    """Return the name of a row; the longest does not push all others aside."""
    return Cell(clip(text, _NAME_LENGTH))


def as_number(key: str, digits: int = 0, *, sign: bool = False) -> Draw:
    return lambda row: number_cell(row[key], digits, sign=sign)


def as_share(key: str, *, widest: float | None = None) -> Draw:
    """Draw a column as per cent, with a bar behind it if it is said which share fills the cell."""
    return lambda row: Cell(
        svg.share(row[key]), is_number=True, bar=row[key] / widest if widest else None
    )


def as_name(key: str) -> Draw:
    return lambda row: name_cell(row[key] or "")


def as_text(key: str, length: int = 200) -> Draw:
    """Draw a column as text that ends somewhere."""
    return lambda row: Cell(cut(row[key] or "", length))
