"""What the trends call moving is moving: on counts whose truth is known, as they were drawn."""

from collections.abc import Iterator

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests import models as cases

DRAWS = 20_000
RATES = (0.5, 1, 2, 5, 10, 20, 100)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a warehouse of which the newest article is of the last day of 2024."""
    newest = [{"article_id": "newest", "published_at": "2024-12-31"}]
    with cases.warehouse({"raw.articles": newest}, "trend_stats()", "momentum()") as warehouse:
        yield warehouse


def share_that_moves(
    con: duckdb.DuckDBPyConnection, earlier: float, recent: float
) -> tuple[float, float]:
    """Return how many of 20,000 pairs of counts at two rates are called rising, and falling."""
    drawn = np.random.default_rng(7)
    pairs = pd.DataFrame(
        {"recent": drawn.poisson(recent, DRAWS), "earlier": drawn.poisson(earlier, DRAWS)}
    )
    con.register("pairs", pairs)
    (shares,) = con.execute("""
        select
            avg(if(poisson_p_value(recent, earlier) <= 0.05 and recent > earlier, 1, 0)),
            avg(if(poisson_p_value(recent, earlier) <= 0.05 and recent < earlier, 1, 0)),
        from pairs
    """).fetchall()
    return shares


@pytest.mark.parametrize("rate", RATES)
def test_a_rate_that_does_not_change_is_seldom_called_moving(
    con: duckdb.DuckDBPyConnection, rate: float
) -> None:
    """About one constant series in twenty is called moving at any size, and fewer of the tiny."""
    moving = sum(share_that_moves(con, rate, rate))
    assert moving <= 0.06
    assert rate < 2 or moving >= 0.035


def test_a_rate_that_changes_enough_is_called_moving(con: duckdb.DuckDBPyConnection) -> None:
    """Half more of a hundred, half of fifty and the end of ten are seen nearly always."""
    assert share_that_moves(con, 100, 150)[0] > 0.85
    assert share_that_moves(con, 50, 25)[1] > 0.8
    assert share_that_moves(con, 10, 0)[1] > 0.95


@pytest.mark.parametrize(
    ("recent", "earlier", "moves"),
    [(1, 0, False), (3, 0, False), (4, 0, True), (6, 1, False), (7, 1, True), (0, 4, True)],
)
def test_few_articles_prove_little(
    con: duckdb.DuckDBPyConnection, recent: int, earlier: int, moves: bool
) -> None:
    """One article against none may be chance, four against none may not."""
    ((p_value,),) = con.execute(f"select poisson_p_value({recent}, {earlier})").fetchall()
    assert (p_value <= 0.05) == moves


def test_corrected_p_values_are_those_of_benjamini_and_hochberg(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Of two hundred constant topics at once hardly one is listed, and a real mover is."""
    drawn = np.random.default_rng(3)
    pairs = [(i, *drawn.poisson(8, 2)) for i in range(200)] + [(200, 40, 8)]
    days = {"recent": "2024-12-20", "earlier": "2024-11-20", "before": "2024-01-01"}
    dates = [
        (series, days[window])
        for series, recent, earlier in pairs
        for window, count in (("recent", recent), ("earlier", earlier), ("before", 1))
        for _ in range(count)
    ]
    frame = pd.DataFrame(dates, columns=["series", "day"])
    con.register("frame", frame)
    con.execute("""
        create or replace temp table dates as
        select series, day::date as published_date from frame
    """)
    rows = con.execute("select series, p_value, q_value from momentum('dates')").fetchall()
    ordered = sorted((p, series) for series, p, _ in rows if p is not None)
    expected, smallest = {}, 1.0
    for rank, (p, series) in reversed(list(enumerate(ordered, start=1))):
        smallest = min(smallest, p * len(ordered) / rank)
        expected[series] = smallest
    assert len(frame) > 3000
    assert {series: q for series, _, q in rows} == pytest.approx(expected, abs=1e-4)
    movers = [series for series, _, q in rows if q <= 0.1]
    assert 200 in movers
    # By p-values alone ten of the two hundred would be there.
    assert len(movers) <= 2


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
