"""A spread over time: a line for the middle, a band between low and high."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from flows.reports.page import svg

_HEIGHT, _AXIS = 150.0, 20.0


@dataclass(frozen=True, slots=True)
class Spread:
    """One period: its median, and its 10th and 90th percentile."""

    name: str
    low: float
    middle: float
    high: float
    is_complete: bool


def draw_band(values: Sequence[Spread], label: str) -> Markup:
    """Draw the periods from left to right; the axis covers the values, and says from where."""
    bottom = 10 * (min(spread.low for spread in values) // 10)
    top = max(10 * -(-max(spread.high for spread in values) // 10), bottom + 10)
    step = 1 / len(values)

    def place(at: int, value: float) -> tuple[float, float]:
        return (at + 0.5) * step, 4 + (_HEIGHT - 8) * (top - value) / (top - bottom)

    high = [place(at, spread.high) for at, spread in enumerate(values)]
    low = [place(at, spread.low) for at, spread in enumerate(values)]
    middle = [place(at, spread.middle) for at, spread in enumerate(values)]
    rules = [
        svg.join(
            [
                svg.rule(y),
                svg.tag("text", f"{value:.0f}", x=-6, y=y + 4, text_anchor="end", class_="tick"),
            ]
        )
        for value in (bottom, (bottom + top) / 2, top)
        for _, y in [place(0, value)]
    ]
    dots = [
        svg.tag(
            "circle",
            svg.title(
                f"{spread.name}: median {spread.middle:.0f}, {spread.low:.0f} to {spread.high:.0f}"
            ),
            cx=svg.percent(x),
            cy=y,
            r=4.0,
            class_="dot" if spread.is_complete else "ring",
        )
        for spread, (x, y) in zip(values, middle, strict=True)
    ]
    lines = svg.stretch(
        _HEIGHT, svg.path([*high, *reversed(low)], "band", closed=True), svg.path(middle, "line")
    )
    return svg.drawing(
        svg.join([*rules, lines, *dots, *_name_periods(values)]),
        height=_HEIGHT + _AXIS,
        label=label,
        kind="chart axis",
    )


def _name_periods(values: Sequence[Spread]) -> list[Markup]:
    """Write the first and the last period, and on the way as many as do not touch."""
    every = max(1, -(-len(values) // 4))
    named = {*range(0, len(values) - every, every), len(values) - 1}
    return [
        svg.text((at + 0.5) / len(values), _HEIGHT + _AXIS - 4, values[at].name, "middle")
        for at in sorted(named)
    ]
