"""Who publishes, how good it is, and whom one could drop."""

from typing import Any

from markupsafe import Markup

from flows.reports.page import svg
from flows.reports.page.figure import Figure, Section, fetch, mention, say_rest, with_sign
from flows.reports.page.grid import Cell, Row, as_name, as_number, as_share, draw_grid
from flows.reports.page.periods import choose_grain, select_recent
from flows.reports.page.strips import draw_sparkline
from flows.warehouse.connection import Connection

_LARGEST, _LOWEST = 12, 8
_PERIODS = 12
# One article in every second period is noise.
_ENOUGH = 1.0
LARGEST = """\
{recent},

counts as (
    select
        providers.provider,
        list(coalesce(trends.articles, 0) order by periods.period_start) as counts,
    from marts.providers
    cross join periods
    left join marts.provider_trends as trends
        on trends.provider = providers.provider
        and trends.period_start = periods.period_start
        and trends.time_grain = '{time_grain}'
    where providers.articles > 0
    group by providers.provider
)

select
    provider,
    coalesce(name, provider) as name,
    counts,
    articles,
    articles_share,
    scored_articles,
    quality_mean,
    quality_stddev,
    times_cited,
    cited_by_providers,
    articles_last_28_days - articles_expected as difference,
    status,
    last_published_date,
from marts.providers
left join counts using (provider)
where articles > 0
order by articles desc, provider"""
LOWEST = """\
select
    provider,
    coalesce(name, provider) as name,
    articles,
    scored_articles,
    quality_mean,
    quality_shrunk,
    2 * quality_shrunk_stderr as margin,
    quality_shrunk - sum(quality_mean * scored_articles) over () / sum(scored_articles) over ()
        as quality_difference,
    times_cited,
    last_published_date,
from marts.providers
where scored_articles > 0
qualify quality_difference + margin < 0
order by quality_shrunk, provider"""


def draw_section(con: Connection) -> Section:
    """List the largest providers, and those with the lowest scores."""
    time_grain = choose_grain(con, "marts.provider_trends", "provider", _ENOUGH) or "year"
    newest = select_recent("marts.provider_trends", time_grain, _PERIODS)
    sql = LARGEST.format(recent=newest, time_grain=time_grain)
    rows = fetch(con, sql)
    if not rows:
        return Section("providers", "Who publishes", empty="No article names its provider.")
    figures = [_draw_largest(rows, sql, time_grain)]
    if lowest := fetch(con, LOWEST):
        figures.append(_draw_lowest(lowest))
    return Section("providers", "Who publishes", figures)


def _draw_largest(rows: list[dict[str, Any]], sql: str, time_grain: str) -> Figure:
    shown = rows[:_LARGEST]
    top = max(row["articles_share"] for row in rows)
    return Figure(
        title=f"{mention(rows[0]['name'])} published {svg.share(rows[0]['articles_share'])} of all"
        f" articles; there {'is 1 provider' if len(rows) == 1 else f'are {len(rows):,} providers'}",
        lead=f"The largest, each with its articles a {time_grain} (own scale, the newest period"
        " dark), its share, the mean and the spread (standard deviation) of its quality, how often"
        " others cite it, and its articles of the last 28 days less those that the year before lets"
        " expect.",
        sql=sql,
        grid=draw_grid(
            shown,
            {
                "Provider": as_name("name"),
                f"By {time_grain}": lambda row: Cell(_draw_spark(row, time_grain)),
                "Articles": as_number("articles"),
                "Share": as_share("articles_share", widest=top),
                "Quality": as_number("quality_mean", 1),
                "Spread": as_number("quality_stddev", 1),
                "Cited": as_number("times_cited"),
                "28 days": as_number("difference", sign=True),
                "Status": lambda row: Cell(with_sign(row["status"])),
            },
        ),
        rest=say_rest(len(shown), len(rows)),
    )


def _draw_spark(row: Row, time_grain: str) -> Markup | str:
    if not row["counts"]:
        return ""
    said = ", ".join(map(svg.number, row["counts"]))
    return draw_sparkline(row["counts"], f"{mention(row['name'])}, articles a {time_grain}: {said}")


def _draw_lowest(rows: list[dict[str, Any]]) -> Figure:
    shown = rows[:_LOWEST]
    first = rows[0]
    return Figure(
        title=f"{mention(first['name'])} has the lowest scores:"
        f" {svg.number(first['quality_mean'], 1)} on average, about"
        f" {svg.number(first['quality_shrunk'], 1)} if there were more of them",
        lead="Providers that lie below the mean of all by more than chance. Few scores lie high or"
        " low by luck, so the estimate draws their mean towards that of all; the truth is within"
        " its margin nineteen times in twenty. Who scores low, is cited by nobody and has"
        " published nothing for long could be dropped.",
        sql=LOWEST,
        grid=draw_grid(
            shown,
            {
                "Provider": as_name("name"),
                "Estimate": as_number("quality_shrunk", 1),
                "±": as_number("margin", 1),
                "Against all": as_number("quality_difference", 1, sign=True),
                "Mean": as_number("quality_mean", 1),
                "Scores": as_number("scored_articles"),
                "Articles": as_number("articles"),
                "Cited": as_number("times_cited"),
                "Last article": lambda row: Cell(
                    str(row["last_published_date"] or svg.NONE), is_number=True
                ),
            },
        ),
        rest=say_rest(len(shown), len(rows)),
    )
