"""How each topic went over time, on a scale of its own."""

from typing import Any

from flows.reports.page import svg
from flows.reports.page.columns import Column, draw_columns, name_ends
from flows.reports.page.figure import (
    Figure,
    Panel,
    Section,
    fetch,
    list_numbers,
    mention,
    say_rest,
    with_sign,
)
from flows.reports.page.periods import choose_grain, select_recent
from flows.warehouse.connection import Connection
from flows.words import clip, spell

_SHOWN = 12
_PERIODS = 24
# One article in every second period is noise.
_ENOUGH = 1.0
_TRENDS = "(from marts.topic_trends where not is_parent)"
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
from marts.topics
cross join periods
left join marts.topic_trends as trends
    on trends.topic = topics.topic
    and trends.period_start = periods.period_start
    and trends.time_grain = '{time_grain}'
where not topics.is_parent and topics.articles > 0
group by topics.topic, topics.status, topics.is_moving, topics.articles
order by topics.is_moving desc, topics.articles desc, topics.topic"""


def draw_section(con: Connection) -> Section:
    """Draw each topic on a scale of its own; twelve of them have room."""
    time_grain = choose_grain(con, _TRENDS, "topic", _ENOUGH)
    if time_grain is None:
        return Section("topics", "Topics over time", empty="No dated article lists a topic.")
    newest = select_recent("marts.topic_trends", time_grain, _PERIODS)
    sql = OVER_TIME.format(recent=newest, time_grain=time_grain)
    rows = fetch(con, sql)
    shown = rows[:_SHOWN]
    figure = Figure(
        title=_say_title(rows, time_grain),
        lead=f"Articles a {time_grain}, each topic on its own scale, those that moved first. The"
        " line is the mean of four periods; the newest article lies before the end of a dashed"
        " column's period.",
        sql=sql,
        panels=tuple(_draw_panel(row, time_grain) for row in shown),
        numbers=list_numbers([_list_counts(row) for row in shown]),
        rest=say_rest(len(shown), len(rows)),
    )
    return Section("topics", "Topics over time", [figure])


def _list_counts(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "topic": row["topic"],
        "status": row["status"],
        "articles": row["articles"],
        f"counts since {row['periods'][0]}": row["counts"],
    }


def _say_title(rows: list[dict[str, Any]], time_grain: str) -> str:
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
        f" {spell(largest['articles'], 'article')}, {most}"
    )


def _draw_panel(row: dict[str, Any], time_grain: str) -> Panel:
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
        clip(row["topic"], 48),
        with_sign(row["status"]),
        draw_columns(values, label),
        name_ends(values),
        f"max {svg.number(peak)}",
    )
