"""How good the articles are, whether that moves, and why."""

import itertools
import statistics

from flows.reports.page import svg
from flows.reports.page.band import Spread, draw_band
from flows.reports.page.causes import draw_causes
from flows.reports.page.figure import Figure, Section, fetch, list_numbers
from flows.reports.page.histogram import draw_histogram
from flows.reports.page.periods import choose_grain
from flows.reports.page.shifts import draw_shifts
from flows.warehouse.connection import Connection
from flows.words import spell

_PERIODS = 18
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
where quality is not null and is_counted"""
DISTRIBUTION = """\
select
    least(cast({width} * floor(quality / {width}) as bigint), {last}) as quality_from,
    count(*) as articles,
    sum(count(*)) over () as scored_articles,
    (select median(quality) from marts.articles where is_counted) as quality_median,
from marts.articles
where quality is not null and is_counted
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
where quality is not null and is_counted
group by periods.period_start
order by periods.period_start desc
limit {periods}"""


def draw_section(con: Connection) -> Section:
    """Draw the distribution and its way over time, and explain the moves of the mean."""
    low, usual, high = con.execute(SCALE).fetchall()[0]
    if high is None:
        return Section("quality", "Quality", empty="No article has a quality.")
    figures = [_draw_distribution(con, low, usual, high), *_draw_over_time(con), draw_causes(con)]
    return Section("quality", "Quality", figures)


def _draw_distribution(con: Connection, low: int, usual: int, high: int) -> Figure:
    width = _choose_width(usual - low)
    last = width * min(high // width, low // width + _MOST_BUCKETS - 1)
    sql = DISTRIBUTION.format(width=width, last=last)
    rows = fetch(con, sql)
    median, scored = rows[0]["quality_median"], int(rows[0]["scored_articles"])
    said = svg.number(median, 0 if median == int(median) else 1)
    counts = [(row["quality_from"], row["articles"]) for row in rows]
    title = (
        f"Half of the {svg.number(scored)} scored articles reach {said} or more"
        if scored > 1
        else f"One article has a score: {said}"
    )
    is_open = high >= last + width
    beyond = f", the last column {svg.number(last)} and more" if is_open else ""
    return Figure(
        title=title,
        lead=f"Articles per {spell(width, 'point')} of quality{beyond}.",
        sql=sql,
        drawing=draw_histogram(counts, width, median, title, is_open=is_open),
        numbers=list_numbers(rows),
    )


def _choose_width(span: int) -> int:
    """Return a round width of which some fifteen cover what is usual."""
    width: int = next(10**n for n in itertools.count() if span <= 10 ** (n + 1) * _USUAL_BUCKETS)
    return next(digit * width for digit in (1, 2, 5, 10) if span <= digit * width * _USUAL_BUCKETS)


def _draw_over_time(con: Connection) -> list[Figure]:
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
    title = _say_trend([spread.middle for spread in values if spread.is_complete])
    return [
        Figure(
            title=title,
            lead=f"Median quality of the articles of each {time_grain} (line); eight in ten lie in"
            " the band. The period of an open dot is not complete.",
            sql=sql,
            drawing=draw_band(values, title),
            numbers=list_numbers(rows),
        ),
        *draw_shifts(con, time_grain),
    ]


def _say_trend(medians: list[float]) -> str:
    """Say where the medians tend to; a trend is one that chance alone seldom makes."""
    count = len(medians)
    if not medians or max(medians) - min(medians) < _MOVED:
        return "By date of publication the median hardly differs"
    # Kendall's test: how many more pairs rise than fall.
    pairs = itertools.combinations(medians, 2)
    rises = sum((later > earlier) - (later < earlier) for earlier, later in pairs)
    if rises**2 <= 1.96**2 * count * (count - 1) * (2 * count + 5) / 18:
        return (
            f"By date of publication the median lies between {min(medians):.0f} and"
            f" {max(medians):.0f}, without a trend"
        )
    half = count // 2
    first, second = statistics.median(medians[:half]), statistics.median(medians[half:])
    return (
        f"By date of publication the median {'rises' if rises > 0 else 'falls'}: {first:.0f} in the"
        f" first half of the time, {second:.0f} in the second"
    )
