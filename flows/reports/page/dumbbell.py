"""Two counts of one thing as two dots on a line: where it was, where it is."""

from markupsafe import Markup

from flows.reports.page import svg

_HEIGHT, _MIDDLE = 18.0, 9.0
# Dots at both ends stay inside.
_MARGIN = 0.03


def dumbbell(before: float, now: float, top: float, label: str) -> Markup:
    """Draw a row; all rows of a figure share their top, a small ring is before, a large dot now."""

    def place(value: float) -> float:
        return _MARGIN + (1 - 2 * _MARGIN) * value / top

    kind = "up" if now > before else "down" if now < before else "flat"
    ends = {"x1": svg.percent(place(before)), "x2": svg.percent(place(now))}
    return svg.drawing(
        svg.joined(
            [
                svg.tag("line", x1="0%", x2="100%", y1=_MIDDLE, y2=_MIDDLE, class_="grid"),
                svg.tag("line", **ends, y1=_MIDDLE, y2=_MIDDLE, class_=f"step {kind}"),
                svg.tag("circle", cx=ends["x1"], cy=_MIDDLE, r=3.5, class_="ring"),
                svg.tag("circle", cx=ends["x2"], cy=_MIDDLE, r=5.5, class_=f"dot {kind}"),
            ]
        ),
        height=_HEIGHT,
        label=label,
        kind="strip",
    )
