"""How the collection is maintained, if it has a history: added, rescored and removed articles."""

from typing import Any

from flows.reports.page import svg
from flows.reports.page.columns import Column, draw_columns, name_ends
from flows.reports.page.figure import Figure, Panel, Section, fetch, list_numbers, mention, say_rest
from flows.reports.page.grid import Cell, Draw, as_number, as_share, draw_grid, name_cell
from flows.reports.page.periods import select_recent
from flows.warehouse.connection import Connection
from flows.words import spell

_PERIODS, _PROVIDERS = 24, 12
_TIME_GRAIN = "month"
CONTRIBUTIONS = f"""\
{select_recent("marts.contributions", _TIME_GRAIN, _PERIODS)}

select
    periods.period_start,
    coalesce(contributions.commits, 0) as commits,
    coalesce(contributions.additions, 0) as additions,
    coalesce(contributions.rescorings, 0) as rescorings,
    coalesce(contributions.removals, 0) as removals,
from periods
left join marts.contributions
    on contributions.period_start = periods.period_start
    and contributions.time_grain = '{_TIME_GRAIN}'
order by periods.period_start"""
ARRIVALS = """\
select
    coalesce(providers.name, arrivals.provider) as name,
    arrivals.provider = '(none)' as is_nobody,
    arrivals.period_start,
    arrivals.articles,
    arrivals.same_day_articles / nullif(arrivals.dated_articles, 0) as same_day_share,
    arrivals.lag_days_median,
    arrivals.lag_days_p90,
from marts.arrivals
left join marts.providers on providers.provider = arrivals.provider
where arrivals.time_grain = 'year'
qualify arrivals.period_start = max(arrivals.period_start) over ()
order by arrivals.articles desc, arrivals.provider"""
_SHOWN = {
    "additions": "Articles that came",
    "rescorings": "New scores",
    "removals": "Articles that went",
    "commits": "Commits",
}


def draw_section(con: Connection) -> Section:
    """Draw the contributions month by month, and list how fast articles arrive."""
    figures = []
    if contributions := fetch(con, CONTRIBUTIONS):
        figures.append(_draw_contributions(contributions))
    if arrivals := fetch(con, ARRIVALS):
        figures.append(_draw_arrivals(arrivals))
    empty = (
        "" if figures else "There is no history yet: it comes from the commits of a git work tree."
    )
    return Section("maintenance", "How the collection is maintained", figures, empty)


def _draw_contributions(rows: list[dict[str, Any]]) -> Figure:
    last = rows[-1]
    return Figure(
        title=f"In {last['period_start']:%B %Y} {spell(last['additions'], 'article')} came,"
        f" {spell(last['rescorings'], 'score')} changed and"
        f" {spell(last['removals'], 'article')} went",
        lead="What commits did to articles, by month, each on its own scale. The newest month with"
        " a commit is dashed.",
        sql=CONTRIBUTIONS,
        # One month shows no development.
        panels=tuple(_draw_panel(rows, *shown) for shown in _SHOWN.items())
        if len(rows) > 1
        else (),
        numbers=list_numbers(rows),
    )


def _draw_panel(rows: list[dict[str, Any]], column: str, said: str) -> Panel:
    values = [
        Column(svg.period(row["period_start"], _TIME_GRAIN), row[column], None, row is not rows[-1])
        for row in rows
    ]
    total, peak = (measure(row[column] for row in rows) for measure in (sum, max))
    label = f"{said} a month from {values[0].name} to {values[-1].name}: {svg.number(total)} in all"
    return Panel(
        said,
        f"{svg.number(total)} in all",
        draw_columns(values, label),
        name_ends(values),
        f"max {svg.number(peak)}",
    )


def _draw_arrivals(rows: list[dict[str, Any]]) -> Figure:
    shown, first = rows[:_PROVIDERS], min(rows, key=lambda row: row["is_nobody"])
    of = "without a provider" if first["is_nobody"] else f"of {mention(first['name'])}"
    is_told = first["lag_days_median"] is not None and first["articles"] > 1
    return Figure(
        title=f"Half of the articles {of} were here within {_say_days(first['lag_days_median'])} of"
        " their publication"
        if is_told
        else f"{spell(first['articles'], 'article')} {of} came",
        lead=f"Articles that came in {first['period_start'].year}: the share that was here within"
        " 24 hours, and the days within which half and nine in ten of them were here.",
        sql=ARRIVALS,
        grid=draw_grid(
            shown,
            {
                "Provider": lambda row: name_cell("none" if row["is_nobody"] else row["name"]),
                "Articles": as_number("articles"),
                "Same day": as_share("same_day_share"),
                "Half within": _as_days("lag_days_median"),
                "Nine in ten within": _as_days("lag_days_p90"),
            },
        ),
        rest=say_rest(len(shown), len(rows)),
    )


def _as_days(key: str) -> Draw:
    return lambda row: Cell(svg.NONE if row[key] is None else _say_days(row[key]), is_number=True)


def _say_days(days: float) -> str:
    return "a day" if days == 1 else f"{svg.number(days, 0 if days >= 10 else 1)} days"
