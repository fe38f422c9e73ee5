"""Which topics moved, and how each went over time."""

from typing import Any

from flows.reports.page import svg
from flows.reports.page.columns import Column, columns, ends
from flows.reports.page.figure import Figure, Panel, Section, capped, fetch, mention, numbers
from flows.reports.page.grid import Cell, Row, as_name, as_number, draw_grid, number_cell
from flows.reports.page.periods import choose_grain, recent
from flows.reports.page.strips import dumbbell
from flows.reports.terminal import counted
from flows.warehouse.connection import Connection

_SHOWN = 12
_PERIODS = 24
# One article in every second period is noise.
_ENOUGH = 1.0
# A trend that rounds to nothing is none.
_LEVEL = 0.05
_TRENDS = "(from marts.topic_trends where not is_parent)"
_SIGNS = {
    "rising": "▲",
    "falling": "▼",
    "emerging": "✦",
    "returning": "↺",
    "steady": "◆",
    "dormant": "○",
}
_VERBS = {"rising": "rises", "falling": "falls", "emerging": "is new", "returning": "is back"}
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
order by is_moving desc, abs(momentum) desc, articles_last_28_days desc, topic"""
OVER_TIME = """\
{recent}

select
    topics.topic,
    topics.status,
    topics.articles,
    arg_max(trends.is_complete, trends.period_start) as is_newest_complete,
    list(periods.period_start order by periods.period_start) as periods,
    list(coalesce(trends.articles, 0) order by periods.period_start) as counts,
    list(trends.articles_avg_4 order by periods.period_start) as averages,
    arg_max(trends.articles_slope, trends.period_start) as slope,
from marts.topics
cross join periods
left join marts.topic_trends as trends
    on trends.topic = topics.topic
    and trends.period_start = periods.period_start
    and trends.time_grain = '{time_grain}'
where not topics.is_parent and topics.articles > 0
group by topics.topic, topics.status, topics.is_moving, topics.articles, topics.momentum
order by topics.is_moving desc, abs(topics.momentum) desc, topics.articles desc, topics.topic"""


def movers(con: Connection) -> Section:
    """Set the last 28 days of each topic against the 28 days before."""
    rows = fetch(con, MOVED)
    if not rows:
        why = _UNMOVED if _has_topics(con) else _NO_TOPICS
        return Section("movers", "Which topics moved", empty=why)
    top = max(max(row["articles_last_28_days"], row["articles_previous_28_days"]) for row in rows)
    shown = rows[:_SHOWN]
    figure = Figure(
        title=_mover_title(rows),
        lead="Articles in the last 28 days (large dot) against the 28 days before (ring). The last"
        " column says how often chance alone makes two such counts differ so much; of many topics"
        " a few rise or fall by it.",
        sql=MOVED,
        grid=draw_grid(
            shown,
            {
                "Topic": as_name("topic"),
                "Before → now": lambda row: _dots(row, top),
                "Change": lambda row: number_cell(
                    row["articles_last_28_days"] - row["articles_previous_28_days"], sign=True
                ),
                "Status": lambda row: Cell(status(row["status"])),
                "Now": as_number("articles_last_28_days"),
                "Before": as_number("articles_previous_28_days"),
                # One in a million is written as 0, and is not never.
                "By chance": lambda row: Cell(
                    svg.share(row["status_p_value"] or 1e-6), is_number=True
                ),
            },
        ),
        rest=capped(len(shown), len(rows)),
    )
    return Section("movers", "Which topics moved", [figure])


_NO_TOPICS = "No article lists a topic."
_UNMOVED = "No topic has more or fewer articles than in the 28 days before."


def _has_topics(con: Connection) -> bool:
    return bool(
        con.execute("select count(*) from marts.topics where articles > 0").fetchall()[0][0]
    )


def _mover_title(rows: list[dict[str, Any]]) -> str:
    first = rows[0]
    topic = mention(first["topic"])
    counts = (
        f"{counted(first['articles_last_28_days'], 'article')} against"
        f" {svg.number(first['articles_previous_28_days'])}"
    )
    if first["is_moving"]:
        return f"{topic} {_VERBS[first['status']]}: {counts}"
    if len(rows) == 1:
        return f"{topic} alone changed, no more than chance would have it: {counts}"
    return (
        f"None of {svg.number(len(rows))} topics changed more than chance would have it; {topic}"
        f" did most: {counts}"
    )


def _dots(row: Row, top: float) -> Cell:
    now, before = row["articles_last_28_days"], row["articles_previous_28_days"]
    label = f"{mention(row['topic'])}: {now:,} articles, {before:,} in the 28 days before"
    return Cell(dumbbell(before, now, top, label))


def status(word: str) -> str:
    """Return a status with its own sign: nothing is shown by colour alone."""
    return f"{_SIGNS.get(word, '')} {word}".strip()


def over_time(con: Connection) -> Section:
    """Draw each topic on a scale of its own; twelve of them have room."""
    time_grain = choose_grain(con, _TRENDS, "topic", _ENOUGH)
    if time_grain is None:
        return Section("topics", "Topics over time", empty="No dated article lists a topic.")
    newest = recent("marts.topic_trends", time_grain, _PERIODS)
    sql = OVER_TIME.format(recent=newest, time_grain=time_grain)
    rows = fetch(con, sql)
    shown = rows[:_SHOWN]
    figure = Figure(
        title=_trend_title(rows, len(shown), time_grain),
        lead=f"Articles a {time_grain}, each topic on its own scale, the strongest mover first. The"
        " line is the mean of four periods, the trend that of twelve; the period of a dashed column"
        " is not over yet.",
        sql=sql,
        panels=tuple(_panel(row, time_grain) for row in shown),
        numbers=numbers([_counts(row) for row in shown]),
        rest=capped(len(shown), len(rows)),
    )
    return Section("topics", "Topics over time", [figure])


def _counts(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "topic": row["topic"],
        "status": row["status"],
        "articles": row["articles"],
        f"counts since {row['periods'][0]}": row["counts"],
    }


def _trend(row: dict[str, Any], time_grain: str) -> str:
    slope = row["slope"]
    if slope is None or abs(slope) < _LEVEL:
        return status(row["status"])
    return f"{status(row['status'])}, {svg.number(slope, 1, sign=True)} a {time_grain}"


def _trend_title(rows: list[dict[str, Any]], shown: int, time_grain: str) -> str:
    # What ended long ago moves no more, however steep its end was.
    steep = [
        row
        for row in rows[:shown]
        if abs(row["slope"] or 0) >= _LEVEL and row["status"] != "dormant"
    ]
    if steep:
        row = max(steep, key=lambda row: abs(row["slope"]))
        verb = "grows" if row["slope"] > 0 else "shrinks"
        among = f" of the {shown} strongest movers" if shown < len(rows) else ""
        return (
            f"{mention(row['topic'])} {verb} most{among}, by"
            f" {svg.number(abs(row['slope']), 1)} articles a {time_grain}"
        )
    largest = max(rows, key=lambda row: row["articles"])
    counts, peak = largest["counts"], max(largest["counts"])
    when = svg.period(largest["periods"][counts.index(peak)], time_grain)
    most = (
        f"at most {svg.number(peak)} a {time_grain}"
        if counts.count(peak) > 1
        else f"{svg.number(peak)} of them in {'the week of ' if time_grain == 'week' else ''}{when}"
    )
    return (
        f"{mention(largest['topic'])} is the largest topic:"
        f" {counted(largest['articles'], 'article')}, {most}"
    )


def _panel(row: dict[str, Any], time_grain: str) -> Panel:
    periods, counts = row["periods"], row["counts"]
    values = [
        Column(
            svg.period(start, time_grain),
            count,
            average,
            start < periods[-1] or row["is_newest_complete"],
        )
        for start, count, average in zip(periods, counts, row["averages"], strict=True)
    ]
    peak = max(counts)
    label = (
        f"{mention(row['topic'])}, articles a {time_grain} from {values[0].name} to"
        f" {values[-1].name}: {row['status']}, {svg.number(counts[-1])} in the last,"
        f" {svg.number(peak)} at most"
    )
    return Panel(
        row["topic"],
        _trend(row, time_grain),
        columns(values, label),
        ends(values),
        f"max {svg.number(peak)}",
    )
