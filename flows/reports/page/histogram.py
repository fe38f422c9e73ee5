"""How often which value: columns on an axis of values, with the median marked."""

from collections.abc import Sequence

from markupsafe import Markup

from flows.reports.page import svg

_HEIGHT, _TOP, _AXIS = 150.0, 22.0, 18.0


def draw_histogram(
    counts: Sequence[tuple[int, int]], width: int, median: float, label: str, *, is_open: bool
) -> Markup:
    """Draw (lower bound, count) of buckets that are `width` wide; empty ones need not be given.

    The axis begins at 0 and has room for ten buckets; `is_open` if the last one takes all above it.
    """
    first, newest = min(counts[0][0], 0), counts[-1][0]
    last = max(newest + width, first + 10 * width)
    top = max(count for _, count in counts)
    span = last - first
    bars = [
        svg.bar(
            (bound - first) / span + 0.002,
            _TOP + _HEIGHT * (1 - count / top),
            width / span - 0.004,
            _HEIGHT * count / top,
            "bar",
            f"{_name_bucket(bound, width, is_open and bound == newest)}: {svg.number(count)}",
        )
        for bound, count in counts
    ]
    at = min(max((median - first) / span, 0.0), 1.0)
    mark = svg.tag(
        "line",
        x1=svg.percent(at),
        x2=svg.percent(at),
        y1=_TOP - 4,
        y2=_TOP + _HEIGHT,
        class_="mark",
    )
    anchor = "end" if at > 0.5 else "start"
    said = svg.text(at, _TOP - 9, f"median {median:.0f}", anchor, "label")

    def anchor_of(bound: int) -> str:
        return "start" if bound == first else "end" if bound == last else "middle"

    # At most eight bounds are written: they must not touch each other on a phone.
    every = max(1, -(-(span // width) // 8))
    ticks = [
        svg.text((bound - first) / span, _TOP + _HEIGHT + _AXIS - 4, str(bound), anchor_of(bound))
        for bound in range(first, last + (not is_open), width * every)
    ]
    parts = [svg.rule(_TOP + _HEIGHT), *bars, mark, said, *ticks]
    return svg.drawing(svg.join(parts), height=_TOP + _HEIGHT + _AXIS, label=label)


def _name_bucket(bound: int, width: int, is_open: bool) -> str:
    if is_open:
        return f"{bound} and more"
    return f"{bound} to {bound + width - 1}" if width > 1 else str(bound)
