"""What the trends call moving is moving: on counts whose truth is known, as they were drawn."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests import models as cases

DAYS = 420


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a warehouse of which the newest article is of the last day of 2024."""
    newest = [{"article_id": "newest", "published_at": "2024-12-31"}]
    with cases.warehouse(
        {"raw.articles": newest}, "trend_stats()", "momentum()", "shrunk_means()"
    ) as warehouse:
        yield warehouse


def judge(con: duckdb.DuckDBPyConnection, counts: "np.ndarray[Any, Any]") -> pd.DataFrame:
    """Return what momentum says of series with so many articles a day, the newest day last."""
    series, day = np.nonzero(counts)
    times = counts[series, day]
    frame = pd.DataFrame({"series": series.repeat(times), "age": DAYS - 1 - day.repeat(times)})
    con.register("frame", frame)
    con.execute("""
        create or replace temp table dates as
        select series, date '2024-12-31' - age::int as published_date from frame
    """)
    con.execute("""
        create or replace table staging.article_periods as
        select published_date, 'day' as time_grain from dates
        union all
        select date '2024-12-31', 'day'
    """)
    return con.execute("from momentum('dates') order by series").fetchdf()


def draw(rates: "Sequence[float]", seed: int = 7) -> "np.ndarray[Any, Any]":
    """Draw the articles a day of series that publish so many in 28 days."""
    means = np.array(rates)[:, None] / 28 * np.ones(DAYS)
    return np.random.default_rng(seed).poisson(means)


@pytest.mark.parametrize(("k", "n", "part"), [(0, 56, 28 / 392), (4, 56, 28 / 392), (9, 20, 0.5)])
def test_the_chance_of_a_count_is_exact(
    con: duckdb.DuckDBPyConnection, k: int, n: int, part: float
) -> None:
    """It is the sum of binomial terms; with much spread it comes nearer to all or nothing."""
    exact = sum(math.comb(n, i) * part**i * (1 - part) ** (n - i) for i in range(k + 1))
    chance = f"chance_of_at_most({k}, {n}, {part}::double"
    ((binomial, spread),) = con.execute(f"select {chance}, 1), {chance}, {2 * n})").fetchall()
    assert binomial == pytest.approx(exact, abs=1e-12)
    assert abs(spread - (1 - part)) < abs(binomial - (1 - part)) or k == 4


def test_a_rate_that_does_not_change_is_seldom_called_moving(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """At most one constant series in twenty has a p-value of 0.05, and none of 400 is listed."""
    found = judge(con, draw([0.5, 2, 8, 30] * 100))
    assert found.p_value.le(0.05).groupby(found.series % 4).mean().max() <= 0.06
    assert found.is_moving.sum() == 0


@pytest.mark.parametrize(
    ("rate", "factor", "days", "status"),
    [(8, 3, 28, "rising"), (32, 2, 70, "rising"), (16, 0, 28, "falling"), (32, 0.4, 56, "falling")],
)
def test_a_rate_that_changes_enough_is_called_moving(
    con: duckdb.DuckDBPyConnection, rate: float, factor: float, days: int, status: str
) -> None:
    """Among a hundred others; a fall that 28 days cannot show is found in 56."""
    hits = 0
    for seed in range(10):
        counts = draw([rate, *[3] * 100], seed)
        counts[0, -days:] = np.random.default_rng(seed).poisson(rate * factor / 28, days)
        hits += judge(con, counts).status[0] == status
    assert hits >= 8


def test_a_burst_has_no_echo(con: duckdb.DuckDBPyConnection) -> None:
    """Twenty articles of a fair are a rise in their month, and no fall forty days later."""
    weekly = np.zeros((10, DAYS), dtype=int)
    weekly[:, -1::-7] = 1
    weekly[0, -41] += 20
    assert judge(con, weekly).status[0] == "steady"
    weekly[0, -41] -= 20
    weekly[0, -5] += 20
    assert judge(con, weekly).status[0] == "rising"


def test_articles_that_come_in_bursts_move_less(con: duckdb.DuckDBPyConnection) -> None:
    """Counts whose variance is three times their mean are no movers for being uneven."""
    drawn = np.random.default_rng(5)
    found = 0
    for _ in range(10):
        means = np.exp(drawn.normal(np.log(3), 1, 100))[:, None] / 28 * np.ones(DAYS)
        found += judge(con, drawn.negative_binomial(means / 2, 1 / 3)).is_moving.sum()
    assert found <= 3


def test_where_everything_doubles_no_share_moves(con: duckdb.DuckDBPyConnection) -> None:
    """Counts move, shares do not; and a topic that stays while all others double loses share."""
    counts = draw([20] * 40)
    counts[:, -28:] *= 2
    found = judge(con, counts)
    assert found.is_moving.sum() > 10
    # One in ten may be chance.
    assert (found.share_q_value <= 0.1).sum() <= 1
    counts[0, -28:] //= 2
    assert judge(con, counts).share_q_value[0] <= 0.1


def test_a_young_topic_is_compared_with_what_it_did_so_far(con: duckdb.DuckDBPyConnection) -> None:
    """A steady topic of a hundred days does not rise against the time before it, which was none."""
    counts = draw([20] * 40)
    counts[0] = 0
    counts[0, -100::4] = 1
    found = judge(con, counts)
    assert (found.status[0], found.recent[0], round(found.expected[0])) == ("steady", 7, 7)


def test_corrected_p_values_are_those_of_benjamini_and_hochberg(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Only series of four articles or more count, and a real mover is found among them."""
    counts = draw([0.1] * 50 + [8] * 150)
    counts[60, -28:] += 1
    rows = judge(con, counts)
    assert rows.p_value.isna().equals(counts[:, -392:].sum(axis=1) < 4) is False
    tested = rows[rows.p_value.notna()]
    ordered = sorted(zip(tested.p_value, tested.series, strict=True))
    expected, smallest = {}, 1.0
    for rank, (p, series) in reversed(list(enumerate(ordered, start=1))):
        smallest = min(smallest, p * len(ordered) / rank)
        expected[series] = smallest
    assert dict(zip(tested.series, tested.q_value, strict=True)) == pytest.approx(
        expected, abs=1e-4
    )
    assert list(rows.series[rows.is_moving]) == [60]


def test_z_scores_of_counts_that_do_not_move_are_those_of_chance(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Two deviations are passed by 3 to 8 in a hundred, and tiny counts have no z-score."""
    drawn = np.random.default_rng(5)
    starts = pd.date_range("2023-12-01", periods=13, freq="MS").date
    frame = pd.DataFrame(
        [
            (f"{rate} {series}", start, count)
            for rate in (0.5, 3, 10, 50)
            for series in range(1500)
            for start, count in zip(starts, drawn.poisson(rate, 13), strict=True)
            # The first period of a series has an article, or it would not be the first.
            if count or start == starts[0]
        ],
        columns=["series", "period_start", "articles"],
    )
    con.register("frame", frame)
    con.execute("""
        create or replace temp table period_counts as
        select series, 'month' as time_grain, period_start::date as period_start, articles
        from frame
    """)
    found = con.execute("""
        select
            split_part(series, ' ', 1) as rate,
            count(articles_zscore) / 1500,
            avg(if(articles_zscore >= 2, 1, 0)) filter (articles_zscore is not null),
        from trend_stats('period_counts') where period_start = '2024-12-01'
        group by rate
    """).fetchall()
    scored = {float(rate): (share, beyond) for rate, share, beyond in found}
    assert scored[0.5][0] == 0
    assert [share for share, _ in map(scored.get, (10, 50))] == [1, 1]
    assert all(0.03 <= beyond <= 0.08 for _, beyond in map(scored.get, (3, 10, 50)))


def test_means_of_few_scores_are_drawn_towards_that_of_all(con: duckdb.DuckDBPyConnection) -> None:
    """Sixty providers' true means are known twice as well, and their margins hold nine in ten."""
    drawn = np.random.default_rng(11)
    counts = np.maximum(1, np.exp(drawn.normal(np.log(4), 1, 60)).round()).astype(int)
    truth = drawn.normal(70, 5, 60)
    series = np.arange(60).repeat(counts)
    scores = pd.DataFrame({"series": series, "quality": drawn.normal(truth[series], 15).round()})
    con.register("scores", scores)
    found = con.execute("from shrunk_means('scores') order by series").fetchdf()
    means = scores.groupby("series").quality.mean()
    errors = found.quality_shrunk - truth
    assert (errors**2).mean() ** 0.5 < 0.6 * ((means - truth) ** 2).mean() ** 0.5
    assert (errors.abs() <= 2 * found.quality_shrunk_stderr).mean() >= 0.9
    spreads = scores.groupby("series").quality.sem()
    assert found.quality_stderr.to_numpy() == pytest.approx(spreads, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ("(1, 30), (1, 40)", [(1, 5, 35, 5)]),
        ("(1, 30), (2, 30), (2, 30)", [(1, None, 30, 0), (2, 0, 30, 0)]),
        # No two scores of one series: nothing says how much they differ by chance.
        ("(1, 30), (2, 40)", [(1, None, None, None), (2, None, None, None)]),
    ],
)
def test_means_of_hardly_any_scores_are_what_is_known(
    con: duckdb.DuckDBPyConnection, scores: str, expected: list[tuple[float | None, ...]]
) -> None:
    """One series is its own mean, equal scores are all sure, single ones tell nothing."""
    con.execute(
        f"create or replace temp table few as from (values {scores}) as t (series, quality)"
    )
    assert con.execute("from shrunk_means('few') order by series").fetchall() == expected
