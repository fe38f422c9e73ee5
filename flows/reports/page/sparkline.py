"""A row of counts as small bars in a cell of a table."""

from collections.abc import Sequence

from markupsafe import Markup

from flows.reports.page import svg

_HEIGHT = 22.0
# One or two periods stand where the newest ones do.
_FEWEST_SLOTS = 6


def sparkline(values: Sequence[float], label: str) -> Markup:
    """Draw the counts on a scale of their own, the newest in another colour."""
    slots = max(len(values), _FEWEST_SLOTS)
    top, step = max([*values, 1]), 1 / slots
    bars = [
        svg.bar(
            (slots - len(values) + at) * step,
            _HEIGHT * (1 - value / top),
            0.8 * step,
            _HEIGHT * value / top,
            "bar now" if at == len(values) - 1 else "bar",
        )
        for at, value in enumerate(values)
        if value
    ]
    base = svg.tag("line", x1="0%", x2="100%", y1=_HEIGHT, y2=_HEIGHT, class_="grid")
    return svg.drawing(svg.joined([base, *bars]), height=_HEIGHT + 1, label=label, kind="spark")
