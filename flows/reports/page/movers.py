"""Which topics moved: the last 28 days of each against the 28 days before."""

from typing import Any

from flows.reports.movers import Mover
from flows.reports.page import svg
from flows.reports.page.figure import Figure, Section, fetch, mention, say_rest, with_sign
from flows.reports.page.grid import Cell, Row, as_name, as_number, draw_grid, number_cell
from flows.reports.page.strips import draw_dumbbell
from flows.warehouse.connection import Connection
from flows.words import spell

_SHOWN = 12
_NO_TOPICS = "No article lists a topic."
_UNMOVED = "No topic has more or fewer articles than in the 28 days before."
MOVED = """\
select
    topic,
    status,
    is_moving,
    status_p_value,
    articles_last_28_days,
    articles_previous_28_days,
    momentum,
from marts.topics
where not is_parent and momentum <> 0
order by is_moving desc, abs(momentum) desc, topic"""


def draw_section(con: Connection) -> Section:
    """Set the last 28 days of each topic against the 28 days before."""
    rows = fetch(con, MOVED)
    if not rows:
        any_topic = con.execute("from marts.topics where articles > 0 limit 1").fetchall()
        why = _UNMOVED if any_topic else _NO_TOPICS
        return Section("movers", "Which topics moved", empty=why)
    top = max(max(row["articles_last_28_days"], row["articles_previous_28_days"]) for row in rows)
    shown = rows[:_SHOWN]
    figure = Figure(
        title=_say_title(rows),
        lead="Articles in the last 28 days (large dot) against the 28 days before (ring). The last"
        " column says how often chance alone makes two such counts differ so much: among many"
        " topics it makes a few rise or fall.",
        sql=MOVED,
        grid=draw_grid(
            shown,
            {
                "Topic": as_name("topic"),
                "Before → now": lambda row: _draw_dots(row, top),
                "Change": lambda row: number_cell(
                    row["articles_last_28_days"] - row["articles_previous_28_days"], sign=True
                ),
                "Status": lambda row: Cell(with_sign(row["status"])),
                "Now": as_number("articles_last_28_days"),
                "Before": as_number("articles_previous_28_days"),
                # What rounds to 0 is under one in a million, and not never.
                "By chance": lambda row: Cell(
                    svg.share(row["status_p_value"] or 1e-6), is_number=True
                ),
            },
        ),
        rest=say_rest(len(shown), len(rows)),
    )
    return Section("movers", "Which topics moved", [figure])


def _say_title(rows: list[dict[str, Any]]) -> str:
    first = rows[0]
    topic = mention(first["topic"])
    now, before = first["articles_last_28_days"], first["articles_previous_28_days"]
    if first["is_moving"]:
        return Mover(topic, first["status"], now, before).words
    counts = f"{spell(now, 'article')} against {svg.number(before)}"
    if len(rows) == 1:
        return f"{topic} alone changed, no more than chance would have it: {counts}"
    return (
        f"None of {svg.number(len(rows))} topics changed more than chance would have it; {topic}"
        f" did most: {counts}"
    )


def _draw_dots(row: Row, top: float) -> Cell:
    now, before = row["articles_last_28_days"], row["articles_previous_28_days"]
    label = f"{mention(row['topic'])}: {now:,} articles, {before:,} in the 28 days before"
    return Cell(draw_dumbbell(before, now, top, label))
