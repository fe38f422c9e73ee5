"""Why the articles of one period score higher or lower than those of the period before."""

from flows.reports.page import svg
from flows.reports.page.figure import Figure, fetch, mention
from flows.reports.page.grid import Cell, Row, as_number, draw_grid, number_cell
from flows.warehouse.connection import Connection

_SHOWN = 12
# Means of fewer scores, and smaller moves of means, are chance more often than not.
_FEWEST_SCORES, _MOVED = 4, 2
SHIFTS = f"""\
with scores as (
    select date_trunc('{{time_grain}}', published_date) as period_start, provider, quality
    from marts.articles
    where quality is not null and is_counted
),

periods as (
    select
        period_start,
        count(*) as scored,
        avg(quality) as mean,
        lag(period_start) over (order by period_start) as period_before,
        lag(count(*)) over (order by period_start) as scored_before,
        lag(avg(quality)) over (order by period_start) as mean_before,
    from scores
    where period_start is not null
    group by period_start
),

-- What each article does to the mean: those of the period come, those of the one before leave.
steps as (
    select periods.period_start, provider, (quality - mean_before) / scored as points
    from periods
    inner join scores using (period_start)
    union all
    select periods.period_start, provider, (mean_before - quality) / scored_before as points
    from periods
    inner join scores on scores.period_start = periods.period_before
),

causes as (
    select
        steps.period_start,
        coalesce(providers.name, steps.provider, 'no provider') as provider,
        sum(steps.points) as points,
    from steps
    left join marts.providers using (provider)
    group by all
)

select
    periods.period_start,
    round(any_value(mean_before), 6) as quality_before,
    round(any_value(mean), 6) as quality_mean,
    any_value(scored) as scored_articles,
    list(
        {{{{'provider': provider, 'points': round(points, 2)}}}} order by abs(points) desc, provider
    ) filter (abs(points) >= 0.05)[:3] as providers,
from periods
inner join causes using (period_start)
where
    least(scored, scored_before) >= {_FEWEST_SCORES}
    and abs(mean - mean_before) >= {_MOVED}
    and period_start in (
        select period_start from marts.quality_trends
        where time_grain = '{{time_grain}}' and is_complete
    )
group by periods.period_start
order by periods.period_start desc
limit {_SHOWN}"""


def draw_shifts(con: Connection, time_grain: str) -> list[Figure]:
    """List the periods whose articles score otherwise than those before, and through whom."""
    sql = SHIFTS.format(time_grain=time_grain)
    rows = fetch(con, sql)
    if not rows:
        return []
    return [
        Figure(
            title=_say_title(rows[0], time_grain),
            lead=f"Whole {time_grain}s, by date of publication, whose mean differs from that of the"
            f" {time_grain} before by {_MOVED} points or more; beside each provider is what its"
            " articles, more, fewer, better or worse ones, did to the mean.",
            sql=sql,
            grid=draw_grid(
                rows,
                {
                    time_grain.title(): lambda row: Cell(
                        svg.period(row["period_start"], time_grain)
                    ),
                    "Mean": as_number("quality_mean", 1),
                    "Change": lambda row: number_cell(_change(row), 1, sign=True),
                    "Articles": as_number("scored_articles"),
                    "Mostly through": lambda row: Cell(", ".join(_list_causes(row))),
                },
            ),
        )
    ]


def _say_title(row: Row, time_grain: str) -> str:
    change = _change(row)
    # Many small causes can outweigh the three largest.
    is_explained = any(cause["points"] * change > 0 for cause in row["providers"] or ())
    through = f", mostly through {_list_causes(row)[0]}" if is_explained else ""
    return (
        f"Articles of {svg.period(row['period_start'], time_grain)} score"
        f" {svg.number(abs(change), 1)} {'higher' if change > 0 else 'lower'} than those of the"
        f" {time_grain} before{through}"
    )


def _change(row: Row) -> float:
    return float(row["quality_mean"] - row["quality_before"])


def _list_causes(row: Row) -> list[str]:
    """Name those that did most, first who moved the mean the way it went."""
    found = sorted(row["providers"] or (), key=lambda cause: cause["points"] * _change(row) < 0)
    return [
        f"{mention(cause['provider'], 40)} ({svg.number(cause['points'], 1, sign=True)})"
        for cause in found
    ]
