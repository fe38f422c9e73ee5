"""How good the articles are, whether that moves, and why."""

import itertools
from typing import Any

from flows.reports.page import svg
from flows.reports.page.band import Spread, band
from flows.reports.page.figure import Cell, Figure, Fold, Grid, Section, fetch, mention, numbers
from flows.reports.page.histogram import histogram
from flows.reports.page.periods import choose_grain
from flows.reports.page.shifts import shifts
from flows.reports.page.waterfall import step
from flows.reports.summary import EFFECTS
from flows.reports.terminal import counted
from flows.warehouse.connection import Connection

_PERIODS = 18
_MONTHS = 12
# Values that few others exceed may lie a thousand times as high: the last bucket takes them.
_USUAL_BUCKETS, _MOST_BUCKETS = 15, 24
# Quantiles of fewer scores than this a period jump about; of fewer than that they are nonsense.
_ENOUGH_SCORES, _FEWEST_SCORES = 8, 4
_SCORES = """
    (
        select time_grain, period_start, sum(scored_articles) as articles
        from marts.quality_trends
        group by time_grain, period_start
    )"""
# Medians of some dozen scores differ by so much without a reason.
_MOVED = 2
SCALE = """\
select least(min(quality), 0), quantile_disc(quality, 0.98), max(quality)
from marts.articles
where quality is not null"""
DISTRIBUTION = """\
select
    least(cast({width} * floor(quality / {width}) as bigint), {last}) as quality_from,
    count(*) as articles,
    sum(count(*)) over () as scored_articles,
    (select median(quality) from marts.articles) as quality_median,
from marts.articles
where quality is not null
group by quality_from
order by quality_from"""
OVER_TIME = """\
select
    periods.period_start,
    count(quality) as scored_articles,
    quantile_cont(quality, 0.1) as quality_p10,
    median(quality) as quality_median,
    quantile_cont(quality, 0.9) as quality_p90,
    bool_and(is_complete) as is_complete,
from marts.articles
inner join (
    select distinct period_start, is_complete
    from marts.quality_trends
    where time_grain = '{time_grain}'
) as periods on periods.period_start = date_trunc('{time_grain}', published_date)
where quality is not null and not is_scheduled
group by periods.period_start
order by periods.period_start desc
limit {periods}"""
CHANGES = f"""\
with largest as (
    select
        changes.period_start,
        changes.dimension,
        coalesce(providers.name, changes.member) as member,
        round(changes.contribution, 2) as points,
    from marts.quality_changes_by as changes
    left join marts.providers
        on providers.provider = changes.member
        and changes.dimension = 'provider'
    where changes.time_grain = 'month' and abs(changes.contribution) >= 0.05
    qualify row_number() over (
        partition by changes.period_start, changes.dimension
        order by abs(changes.contribution) desc, changes.member
    ) <= 3
),

members as (
    select
        period_start,
        list({{'name': member, 'points': points}} order by abs(points) desc, member)
            filter (dimension = 'topic') as topics,
        list({{'name': member, 'points': points}} order by abs(points) desc, member)
            filter (dimension = 'provider') as providers,
    from largest
    group by period_start
)

select
    period_start,
    quality_mean - quality_change as quality_before,
    quality_mean,
    quality_change,
    new_articles,
    removed_articles,
    rescored_articles,
    new_effect,
    removed_effect,
    rescored_effect,
    mix_effect,
    members.topics,
    members.providers,
from marts.quality_changes
left join members using (period_start)
where time_grain = 'month' and round(quality_mean, 1) <> round(quality_mean - quality_change, 1)
order by period_start desc
limit {_MONTHS}"""
_EFFECT_COLUMNS = ("new_effect", "removed_effect", "rescored_effect", "mix_effect")
_COUNT_COLUMNS = ("new_articles", "removed_articles", "rescored_articles", None)


def section(con: Connection) -> Section:
    """Draw the distribution and its way over time, and explain the moves of the mean."""
    low, usual, high = con.execute(SCALE).fetchall()[0]
    if high is None:
        return Section("quality", "Quality", empty="No article has a quality.")
    figures = [_distribution(con, low, usual, high), *_over_time(con), _why(fetch(con, CHANGES))]
    return Section("quality", "Quality", figures)


def _distribution(con: Connection, low: int, usual: int, high: int) -> Figure:
    width = _bucket_width(usual - low)
    last = width * min(high // width, low // width + _MOST_BUCKETS - 1)
    sql = DISTRIBUTION.format(width=width, last=last)
    rows = fetch(con, sql)
    median, scored = rows[0]["quality_median"], int(rows[0]["scored_articles"])
    counts = [(row["quality_from"], row["articles"]) for row in rows]
    title = (
        f"Half of the {svg.number(scored)} scored articles reach {median:.0f} or more"
        if scored > 1
        else f"One article has a score: {median:.0f}"
    )
    is_open = high >= last + width
    beyond = f", the last column {svg.number(last)} and more" if is_open else ""
    return Figure(
        title=title,
        lead=f"Articles per {counted(width, 'point')} of quality{beyond}.",
        sql=sql,
        drawing=histogram(counts, width, median, title, is_open=is_open),
        numbers=numbers(rows),
    )


def _bucket_width(span: int) -> int:
    """Return a round width of which some fifteen cover what is usual."""
    width: int = next(10**n for n in itertools.count() if span <= 10 ** (n + 1) * _USUAL_BUCKETS)
    return next(digit * width for digit in (1, 2, 5, 10) if span <= digit * width * _USUAL_BUCKETS)


def _over_time(con: Connection) -> list[Figure]:
    time_grain = choose_grain(con, _SCORES, "1", _ENOUGH_SCORES)
    if time_grain is None:
        return []
    sql = OVER_TIME.format(time_grain=time_grain, periods=_PERIODS)
    rows = fetch(con, sql)[::-1]
    if len(rows) < 2 or sum(row["scored_articles"] for row in rows) < _FEWEST_SCORES * len(rows):
        return []
    values = [
        Spread(
            svg.period(row["period_start"], time_grain),
            row["quality_p10"],
            row["quality_median"],
            row["quality_p90"],
            row["is_complete"],
        )
        for row in rows
    ]
    # A period that is not over is no end of a comparison.
    last = values[-1 if values[-1].is_complete or len(values) < 3 else -2]
    move = last.middle - values[0].middle
    verb = "rose" if move > _MOVED else "fell" if move < -_MOVED else "stayed near"
    title = (
        f"By date of publication the median {verb} {last.middle:.0f}"
        if verb == "stayed near"
        else f"By date of publication the median {verb} from {values[0].middle:.0f} in"
        f" {values[0].name} to {last.middle:.0f} in {last.name}"
    )
    return [
        Figure(
            title=title,
            lead=f"Median quality of the articles of each {time_grain} (line); eight in ten lie in"
            " the band. The period of an open dot is not over yet.",
            sql=sql,
            drawing=band(values, title),
            numbers=numbers(rows),
        ),
        *shifts(con, time_grain),
    ]


def _why(rows: list[dict[str, Any]]) -> Figure:
    lead = (
        "By month of observation, not of publication. Each bar begins where the one before it"
        " ended; causes without an effect are left out."
    )
    if not rows:
        return Figure(
            title="The mean has not moved since the articles were first read",
            lead="Nothing was added, removed or scored anew in another month than the first.",
            sql=CHANGES,
        )
    newest, *earlier = rows
    return Figure(
        title=_change_title(newest),
        lead=lead,
        sql=CHANGES,
        grid=_steps(newest),
        rest=_members(newest),
        folds=tuple(Fold(_change_title(row), _steps(row), _members(row)) for row in earlier),
    )


def _change_title(row: dict[str, Any]) -> str:
    change = row["quality_change"]
    verb, sign = ("rose", 1) if change > 0 else ("fell", -1)
    column, name = max(
        zip(_EFFECT_COLUMNS, EFFECTS, strict=True), key=lambda pair: sign * (row[pair[0]] or 0)
    )
    return (
        f"{row['period_start']:%B %Y}: the mean {verb} from {svg.number(row['quality_before'], 1)}"
        f" to {svg.number(row['quality_mean'], 1)}, mostly through {name}"
        f" ({svg.number(row[column], 1, sign=True)})"
    )


def _members(row: dict[str, Any]) -> str:
    """Name the topics and providers whose articles moved the mean of all most."""
    said = []
    for kind in ("topic", "provider"):
        parts = [
            f"{_member(member['name'], kind)} {svg.number(member['points'], 1, sign=True)}"
            for member in row[f"{kind}s"] or ()
        ]
        if parts:
            said.append(f"By {kind}s: {', '.join(parts)}.")
    return " ".join(said)


def _member(name: str, kind: str) -> str:
    return f"no {kind}" if name == "(none)" else mention(name, 40)


def _steps(row: dict[str, Any]) -> Grid:
    at, steps = row["quality_before"], []
    for column, count, name in zip(_EFFECT_COLUMNS, _COUNT_COLUMNS, EFFECTS, strict=True):
        effect = row[column] or 0.0
        if abs(effect) >= 0.005:
            steps.append((name, at, effect, row[count] if count else None))
        at += effect
    nothing = Cell("", is_number=True)
    ends = [start + part for _, start, effect, _ in steps for part in (0, effect)]
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    rows = [
        [
            Cell(name[:1].upper() + name[1:]),
            Cell(step(start, effect, low, high, f"{name}: {svg.number(effect, 2, sign=True)}")),
            Cell(svg.number(effect, 2, sign=True), is_number=True),
            nothing if count is None else Cell(svg.number(count), is_number=True),
        ]
        for name, start, effect, count in steps
    ]
    before, after = (
        [Cell(said), Cell(""), Cell(svg.number(row[column], 1), is_number=True), nothing]
        for said, column in (("Mean before", "quality_before"), ("Mean after", "quality_mean"))
    )
    return Grid(("Cause", "Step", "Points", "Articles"), [before, *rows, after])
