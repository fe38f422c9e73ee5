"""A count per period as columns, the running period hatched, with a mean as a line over them."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from flows.reports.page import svg

_HEIGHT, _TOP = 84.0, 6.0
_GAP = 0.25
# A few periods are a few columns, not walls.
_WIDEST = 0.12


@dataclass(frozen=True, slots=True)
class Column:
    """One period; `line` is a smoothed value, None where there is none."""

    name: str
    value: float
    line: float | None
    is_complete: bool


def name_ends(values: Sequence[Column]) -> tuple[str, ...]:
    """Return the names of the first period and the last, one name if they are one."""
    return tuple(dict.fromkeys((values[0].name, values[-1].name)))


def draw_columns(values: Sequence[Column], label: str) -> Markup:
    """Draw the periods from left to right, on a scale that ends with the highest."""
    highest = max(
        [column.value for column in values] + [c.line for c in values if c.line], default=0
    )
    top = max(highest, 1.0)
    step = 1 / max(len(values), 1)
    width = min((1 - _GAP) * step, _WIDEST)

    def height(value: float) -> float:
        return (_HEIGHT - _TOP) * value / top

    bars = [
        svg.bar(
            (at + 0.5) * step - width / 2,
            _HEIGHT - height(column.value),
            width,
            height(column.value),
            "bar" if column.is_complete else "bar unfinished",
            f"{column.name}: {svg.number(column.value)}"
            + ("" if column.is_complete else ", not complete"),
        )
        for at, column in enumerate(values)
        if column.value
    ]
    # The line stops before a period that is not over: it would fall for no reason.
    line = [
        None
        if column.line is None or not column.is_complete
        else ((at + 0.5) * step, _HEIGHT - height(column.line))
        for at, column in enumerate(values)
    ]
    return svg.drawing(
        svg.join([svg.rule(_HEIGHT), *bars, svg.stretch(_HEIGHT, svg.path(line, "line"))]),
        height=_HEIGHT + 1,
        label=label,
    )
