"""Pictures that fit into a cell of a table: counts in a row, two counts on a line, a step."""

from collections.abc import Sequence

from markupsafe import Markup

from flows.reports.page import svg

_SPARK_HEIGHT, _STRIP_HEIGHT = 22.0, 18.0
# One or two periods stand where the newest ones do.
_FEWEST_SLOTS = 6
# Dots at both ends stay inside.
_MARGIN = 0.03


def draw_sparkline(values: Sequence[float], label: str) -> Markup:
    """Draw counts as bars on a scale of their own, the newest in another colour."""
    slots = max(len(values), _FEWEST_SLOTS)
    top, step = max([*values, 1]), 1 / slots
    bars = [
        svg.bar(
            (slots - len(values) + at) * step,
            _SPARK_HEIGHT * (1 - value / top),
            0.8 * step,
            _SPARK_HEIGHT * value / top,
            "bar now" if at == len(values) - 1 else "bar",
        )
        for at, value in enumerate(values)
        if value
    ]
    content = svg.join([svg.rule(_SPARK_HEIGHT), *bars])
    return svg.drawing(content, height=_SPARK_HEIGHT + 1, label=label, kind="spark")


def draw_dumbbell(before: float, now: float, top: float, label: str) -> Markup:
    """Draw two counts: a small ring before, a large dot now; all rows of a figure share the top."""
    was, is_now = (svg.percent(_MARGIN + (1 - 2 * _MARGIN) * x / top) for x in (before, now))
    kind = "up" if now > before else "down" if now < before else "flat"
    y = _STRIP_HEIGHT / 2
    parts = [
        svg.rule(y),
        svg.tag("line", x1=was, x2=is_now, y1=y, y2=y, class_=f"step {kind}"),
        svg.tag("circle", cx=was, cy=y, r=3.5, class_="ring"),
        svg.tag("circle", cx=is_now, cy=y, r=5.5, class_=f"dot {kind}"),
    ]
    return svg.drawing(svg.join(parts), height=_STRIP_HEIGHT, label=label, kind="strip")


def draw_step(start: float, change: float, low: float, high: float, label: str) -> Markup:
    """Draw a step from one mean towards the next; all of a month share the scale, low to high."""
    span = (high - low) or 1.0
    left, right = sorted(((start - low) / span, (start + change - low) / span))
    at = svg.percent((start - low) / span)
    origin = svg.tag("line", x1=at, x2=at, y1=0.0, y2=_STRIP_HEIGHT, class_="grid")
    bar = svg.bar(left, 3.0, right - left, _STRIP_HEIGHT - 6, "up" if change > 0 else "down")
    return svg.drawing(svg.join([origin, bar]), height=_STRIP_HEIGHT, label=label, kind="strip")
