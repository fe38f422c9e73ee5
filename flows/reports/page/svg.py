"""Small pure functions that every chart is made of: numbers in, SVG text out.

Across, positions are per cent of the width that the reader's window gives; down, they are pixels.
So a chart fills a wide screen and a phone alike, and its text keeps the size of the text around it.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from markupsafe import Markup

MINUS, NONE = "\N{MINUS SIGN}", "\N{EN DASH}"


def tag(name: str, content: object = "", /, **attributes: object) -> Markup:
    """Return an element; underscores become hyphens, and one at the end is dropped."""
    said = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _plain(value))
        for key, value in attributes.items()
        if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, said, content)


def _plain(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def join(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def drawing(content: Markup, *, height: float, label: str, kind: str = "chart") -> Markup:
    """Return a picture of this height, whose label says what it shows to who cannot see it."""
    return tag(
        "svg", content, class_=kind, width="100%", height=height, role="img", aria_label=label
    )


def title(text: str) -> Markup:
    """Return what a mouse is shown over an element."""
    return tag("title", text)


def percent(share: float) -> str:
    """Return a share of the width as SVG wants it."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"


def text(x: float, y: float, content: str, anchor: str = "start", kind: str = "tick") -> Markup:
    """Return a word at a share of the width."""
    return tag("text", content, x=percent(x), y=float(y), text_anchor=anchor, class_=kind)


def rule(y: float) -> Markup:
    return tag("line", x1="0%", x2="100%", y1=y, y2=y, class_="grid")


def bar(x: float, y: float, width: float, height: float, kind: str, hint: str = "") -> Markup:
    """Return a rectangle; x and width are shares of the width."""
    return tag(
        "rect",
        title(hint) if hint else "",
        x=percent(x),
        y=float(y),
        width=percent(max(width, 0.001)),
        height=float(max(height, 0.5)),
        class_=kind,
    )


def stretch(height: float, *paths: Markup) -> Markup:
    """Return lines and areas drawn 1000 wide; they are stretched, their strokes are not."""
    return tag(
        "svg",
        join(paths),
        width="100%",
        height=height,
        viewBox=f"0 0 1000 {height:g}",
        preserveAspectRatio="none",
    )


def path(
    points: Sequence[tuple[float, float] | None], kind: str, *, closed: bool = False
) -> Markup:
    """Return a line through points (share of the width, pixels); None makes a gap."""
    parts, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        parts.append(f"{pen}{1000 * point[0]:.1f} {point[1]:.1f}")
        pen = "L"
    return tag("path", d="".join(parts) + ("Z" if closed else ""), class_=kind)


def number(value: float | None, digits: int = 0, *, sign: bool = False) -> str:
    """Return a number as a reader expects it, a dash for none."""
    if value is None:
        return NONE
    rounded = round(value, digits)
    said = f"{abs(rounded):,.{digits}f}"
    if rounded < 0:
        return MINUS + said
    return f"+{said}" if sign and rounded > 0 else said


def share(value: float | None) -> str:
    """Return a share in per cent; what is there but rounds to nothing is under one."""
    if value is None:
        return NONE
    return "<1 %" if 0 < value < 0.005 else f"{100 * value:.0f} %"


def period(start: date, time_grain: str) -> str:
    match time_grain:
        case "year":
            return f"{start.year}"
        case "quarter":
            return f"Q{(start.month + 2) // 3} {start.year}"
        case "month":
            return f"{start:%b} {start.year}"
    return f"{start.day} {start:%b} {start.year}"
