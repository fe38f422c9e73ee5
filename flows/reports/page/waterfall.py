"""Steps that lead from one mean to another, each where the one before it ended."""

from markupsafe import Markup

from flows.reports.page import svg

_HEIGHT = 18.0


def step(start: float, change: float, low: float, high: float, label: str) -> Markup:
    """Draw one step from `start` on the scale from low to high that all steps of a month share."""
    span = (high - low) or 1.0
    left, right = sorted(((start - low) / span, (start + change - low) / span))
    kind = "up" if change > 0 else "down"
    at = svg.percent((start - low) / span)
    origin = svg.tag("line", x1=at, x2=at, y1=0.0, y2=_HEIGHT, class_="grid")
    bar = svg.bar(left, 3.0, right - left, _HEIGHT - 6, kind)
    return svg.drawing(svg.joined([origin, bar]), height=_HEIGHT, label=label, kind="strip")
