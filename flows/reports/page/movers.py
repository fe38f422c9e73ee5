"""Which topics moved: the last 28 days of each against what the year before lets expect."""

from typing import Any

from flows.reports.movers import Mover
from flows.reports.page import svg
from flows.reports.page.figure import Figure, Section, fetch, mention, say_rest, with_sign
from flows.reports.page.grid import Cell, Draw, Row, as_name, as_number, draw_grid, number_cell
from flows.reports.page.strips import draw_dumbbell
from flows.warehouse.connection import Connection

_SHOWN = 12
_NO_TOPICS = "No article lists a topic."
_UNMOVED = "No topic has more or fewer articles than expected."
MOVED = """\
select
    topic,
    status,
    is_moving,
    articles_last_28_days,
    articles_expected,
    articles_last_28_days - articles_expected as difference,
    status_p_value,
    share_p_value,
from marts.topics
where not is_parent and status_p_value is not null and abs(difference) >= 0.5
order by is_moving desc, abs(difference) desc, topic"""


def draw_section(con: Connection) -> Section:
    """Set the last 28 days of each topic against the days before."""
    rows = fetch(con, MOVED)
    if not rows:
        any_topic = con.execute("from marts.topics where articles > 0 limit 1").fetchall()
        why = _UNMOVED if any_topic else _NO_TOPICS
        return Section("movers", "Which topics moved", empty=why)
    top = max(max(row["articles_last_28_days"], row["articles_expected"]) for row in rows)
    shown = rows[:_SHOWN]
    figure = Figure(
        title=_say_title(rows),
        lead="Articles in the last 28 days (large dot) against those that the days before, a year"
        " of them at most, let expect (ring), and how often chance alone makes such counts, or"
        " shares of all articles, differ so much. Topics with under four articles tell nothing.",
        sql=MOVED,
        grid=draw_grid(
            shown,
            {
                "Topic": as_name("topic"),
                "By chance": _as_chance("status_p_value"),
                "Its share": _as_chance("share_p_value"),
                "Expected → now": lambda row: _draw_dots(row, top),
                "Change": lambda row: number_cell(row["difference"], 1, sign=True),
                "Status": lambda row: Cell(with_sign(row["status"])),
                "Now": as_number("articles_last_28_days"),
                "Expected": as_number("articles_expected", 1),
            },
        ),
        rest=say_rest(len(shown), len(rows)),
    )
    return Section("movers", "Which topics moved", [figure])


def _as_chance(key: str) -> Draw:
    # What rounds to 0 is under one in a million, and not never.
    return lambda row: Cell(
        svg.share(None if row[key] is None else max(row[key], 1e-6)), is_number=True
    )


def _say_title(rows: list[dict[str, Any]]) -> str:
    first = rows[0]
    mover = Mover(
        mention(first["topic"]),
        first["status"] if first["is_moving"] else "",
        first["articles_last_28_days"],
        first["articles_expected"],
    )
    if mover.status:
        return mover.words
    if len(rows) == 1:
        return f"{mover.topic} alone changed, no more than chance would have it: {mover.counts}"
    return (
        f"None of {svg.number(len(rows))} topics changed more than chance would have it;"
        f" {mover.topic} did most: {mover.counts}"
    )


def _draw_dots(row: Row, top: float) -> Cell:
    now, expected = row["articles_last_28_days"], row["articles_expected"]
    label = f"{mention(row['topic'])}: {now:,} articles, {expected:,.1f} expected"
    return Cell(draw_dumbbell(expected, now, top, label))
