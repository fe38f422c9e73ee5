"""Which topics moved, and how each went over time."""

from typing import TYPE_CHECKING, Any

from flows.reports.page import svg
from flows.reports.page.columns import Column, columns
from flows.reports.page.dumbbell import dumbbell
from flows.reports.page.figure import (
    Cell,
    Figure,
    Grid,
    Panel,
    Section,
    capped,
    fetch,
    name,
    numbers,
)
from flows.reports.page.periods import STEPS, choose_grain, is_over
from flows.reports.summary import clip

if TYPE_CHECKING:
    import duckdb

_SHOWN = 12
_PERIODS = 24
_ARROWS = {"rising": "▲", "falling": "▼", "emerging": "✦", "steady": "◆", "dormant": "○"}
MOVED = """\
select topic, status, articles_last_28_days, articles_previous_28_days, momentum
from marts.topics
where not is_parent and momentum <> 0
order by abs(momentum) desc, articles_last_28_days desc, topic"""
OVER_TIME = """\
with newest as (
    select max(period_start) as last, min(period_start) as first
    from marts.topic_trends
    where time_grain = '{time_grain}'
),

periods as (
    select cast(unnest(generate_series(
        greatest(first, last - {back} * interval '{step}'), last, interval '{step}'
    )) as date) as period_start
    from newest
)

select
    topics.topic,
    topics.status,
    topics.articles,
    list(periods.period_start order by periods.period_start) as periods,
    list(coalesce(trends.articles, 0) order by periods.period_start) as counts,
    list(trends.articles_avg_4 order by periods.period_start) as averages,
from marts.topics
cross join periods
left join marts.topic_trends as trends
    on trends.topic = topics.topic
    and trends.period_start = periods.period_start
    and trends.time_grain = '{time_grain}'
where not topics.is_parent and topics.articles > 0
group by topics.topic, topics.status, topics.articles, topics.momentum
order by abs(topics.momentum) desc, topics.articles desc, topics.topic"""


def movers(con: "duckdb.DuckDBPyConnection") -> Section:
    """Set the last 28 days of each topic against the 28 days before."""
    rows = fetch(con, MOVED)
    if not rows:
        why = _UNMOVED if _has_topics(con) else _NO_TOPICS
        return Section("movers", "Which topics moved", empty=why)
    top = max(max(row["articles_last_28_days"], row["articles_previous_28_days"]) for row in rows)
    shown = rows[:_SHOWN]
    figure = Figure(
        title=_mover_title(rows),
        lead="Articles in the last 28 days (large dot) against the 28 days before (ring). Only"
        " rising and falling are more than chance would have it.",
        sql=MOVED,
        grid=Grid(
            ("Topic", "Before → now", "Change", "Status", "Now", "Before"),
            [_mover(row, top) for row in shown],
        ),
        rest=capped(len(shown), len(rows), "The SQL below lists all."),
    )
    return Section("movers", "Which topics moved", [figure])


_NO_TOPICS = "No article lists a topic."
_UNMOVED = "No topic has more or fewer articles than in the 28 days before."


def _has_topics(con: "duckdb.DuckDBPyConnection") -> bool:
    return bool(
        con.execute("select count(*) from marts.topics where articles > 0").fetchall()[0][0]
    )


def _mover_title(rows: list[dict[str, Any]]) -> str:
    first = rows[0]
    verb = "gained" if first["momentum"] > 0 else "lost"
    return (
        f"{clip(first['topic'])} {verb} most: {svg.number(first['articles_last_28_days'])} against"
        f" {svg.number(first['articles_previous_28_days'])}"
    )


def _mover(row: dict[str, Any], top: float) -> list[Cell]:
    now, before = row["articles_last_28_days"], row["articles_previous_28_days"]
    label = f"{clip(row['topic'])}: {now:,} articles, {before:,} in the 28 days before"
    return [
        name(row["topic"]),
        Cell(dumbbell(before, now, top, label)),
        Cell(svg.number(now - before, sign=True), is_number=True),
        Cell(status(row["status"])),
        Cell(svg.number(now), is_number=True),
        Cell(svg.number(before), is_number=True),
    ]


def status(word: str) -> str:
    """Return a status with a sign of its own: nothing is told by colour alone."""
    return f"{_ARROWS.get(word, '')} {word}".strip()


def over_time(con: "duckdb.DuckDBPyConnection") -> Section:
    """Draw each topic on a scale of its own; twelve of them have room."""
    time_grain = choose_grain(con, "marts.topic_trends", "where not is_parent")
    if time_grain is None:
        return Section("topics", "Topics over time", empty="No dated article lists a topic.")
    sql = OVER_TIME.format(time_grain=time_grain, step=STEPS[time_grain], back=_PERIODS - 1)
    rows = fetch(con, sql)
    shown = rows[:_SHOWN]
    figure = Figure(
        title=_trend_title(rows, time_grain),
        lead=f"Articles a {time_grain}, each topic on its own scale, the strongest mover first. The"
        " line is the mean of four periods; the period of a dashed column is not over yet.",
        sql=sql,
        panels=tuple(_panel(row, time_grain) for row in shown),
        numbers=numbers([_counts(row) for row in shown]),
        rest=capped(len(shown), len(rows), "The SQL below gives all."),
    )
    return Section("topics", "Topics over time", [figure])


def _counts(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "topic": row["topic"],
        "status": row["status"],
        "articles": row["articles"],
        f"counts since {row['periods'][0]}": row["counts"],
    }


def _trend_title(rows: list[dict[str, Any]], time_grain: str) -> str:
    largest = max(rows, key=lambda row: row["articles"])
    peak = max(largest["counts"])
    when = svg.period(largest["periods"][largest["counts"].index(peak)], time_grain)
    return (
        f"{clip(largest['topic'])} is the largest topic with {svg.number(largest['articles'])}"
        f" articles; it had most in {when} ({svg.number(peak)})"
    )


def _panel(row: dict[str, Any], time_grain: str) -> Panel:
    periods, counts = row["periods"], row["counts"]
    values = [
        Column(svg.period(start, time_grain), count, average, is_over(start, periods))
        for start, count, average in zip(periods, counts, row["averages"], strict=True)
    ]
    peak = max(counts)
    label = (
        f"{clip(row['topic'])}, articles a {time_grain} from {values[0].name} to {values[-1].name}:"
        f" {row['status']}, {svg.number(counts[-1])} in the last, {svg.number(peak)} at most"
    )
    return Panel(
        row["topic"],
        status(row["status"]),
        columns(values, label),
        (values[0].name, values[-1].name),
        f"max {svg.number(peak)}",
    )
