"""Why the mean moved, month by month, from rows of the mart."""

import re

import duckdb
import pytest

from flows.reports.page import quality
from flows.reports.page.figure import Figure


@pytest.fixture
def con() -> "duckdb.DuckDBPyConnection":
    """Give the columns of the mart, and a score so that there is a section."""
    con = duckdb.connect()
    con.execute(
        """
        create schema marts;
        create table marts.articles as
        select 80 as quality, null::date as published_date, true as is_counted;
        create table marts.providers as select 'news.example.org' as provider, 'News' as name;
        create table marts.quality_changes_by (
            dimension varchar, member varchar, time_grain varchar, period_start date,
            contribution double
        );
        insert into marts.quality_changes_by values
            ('topic', 'Sun', 'month', '2025-03-01', -3.0),
            ('topic', 'Sea', 'month', '2025-03-01', 0.5),
            ('topic', '(none)', 'month', '2025-03-01', -0.3),
            ('topic', 'Oil', 'month', '2025-03-01', 0.1),
            ('topic', 'Core', 'month', '2025-04-01', 0.01),
            ('topic', 'Sun', 'year', '2025-03-01', 9),
            ('provider', 'news.example.org', 'month', '2025-03-01', -4.0);
        create table marts.quality_trends (
            time_grain varchar, period_start date, scored_articles bigint, is_complete boolean
        );
        create table marts.quality_changes (
            time_grain varchar, period_start date, quality_mean double, quality_change double,
            new_articles bigint, removed_articles bigint, rescored_articles bigint,
            new_effect double, removed_effect double, rescored_effect double, mix_effect double,
            quality_change_p_value double
        );
        insert into marts.quality_changes values
            ('month', '2025-01-01', 80.0, null, 5, 0, 0, null, null, null, null, null),
            ('month', '2025-02-01', 80.01, 0.01, 1, 0, 0, 0.01, 0, 0, 0, null),
            ('month', '2025-03-01', 76.0, -4.01, 2, 1, 3, 0.5, -1.5, -3.01, 0, null),
            ('month', '2025-04-01', 78.0, 2.0, 4, 0, 0, 2.0, 0, 0, 0, null),
            ('year', '2025-01-01', 78.0, -2.0, 4, 0, 0, 2.0, 0, 0, -4.0, null)
        """
    )
    return con


def why(con: "duckdb.DuckDBPyConnection") -> Figure:
    """Return the figure that explains the moves."""
    return quality.draw_section(con).figures[-1]


def test_each_month_that_moved_says_why(con: "duckdb.DuckDBPyConnection") -> None:
    """The newest is open, the others are folded; a month that rounds to no change is none."""
    figure = why(con)
    assert figure.title == (
        "April 2025: the mean rose from 76.0 to 78.0, mostly through new articles (+2.0)"
    )
    assert [fold.title for fold in figure.folds] == [
        "March 2025: the mean fell from 80.0 to 76.0, mostly through new scores (\N{MINUS SIGN}3.0)"
    ]


def test_steps_lead_from_the_mean_before_to_the_mean_after(
    con: "duckdb.DuckDBPyConnection",
) -> None:
    """Each bar begins where the one before ended; a cause without an effect has none."""
    rows = why(con).folds[0].grid.rows
    assert [
        [str(cell.content) for cell in row if not hasattr(cell.content, "__html__")] for row in rows
    ] == [
        ["Mean before", "", "80.0", ""],
        ["New articles", "+0.50", "2"],
        ["Articles that left", "\N{MINUS SIGN}1.50", "1"],
        ["New scores", "\N{MINUS SIGN}3.01", "3"],
        ["Mean after", "", "76.0", ""],
    ]
    bars = [
        re.findall(r'<rect x="([\d.]+)%" y="3" width="([\d.]+)%"', str(row[1].content))[0]
        for row in rows[1:-1]
    ]
    # From 76.0 to 80.51, the lowest and the highest of the way.
    assert bars == [("88.91", "11.09"), ("66.74", "33.26"), ("0", "66.74")]


@pytest.mark.parametrize(
    ("values", "lead", "bounds"),
    [
        ("range(100)", "Articles per 10 points of quality.", list(range(0, 100, 10))),
        ("unnest([1, 3, 3, 5])", "Articles per 1 point of quality.", [1, 3, 5]),
        (
            "(from range(100) union all select 99999)",
            "Articles per 10 points of quality, the last column 230 and more.",
            [*range(0, 100, 10), 230],
        ),
    ],
)
def test_a_distribution_is_drawn_in_buckets_that_fit_the_scores(
    con: "duckdb.DuckDBPyConnection", values: str, lead: str, bounds: list[int]
) -> None:
    """Stars, marks up to a hundred, and one that is a typing error, are some fifteen columns."""
    con.execute(
        f"create or replace table marts.articles as select *, null::date as published_date,"
        f" true as is_counted from {values} as scores (quality)"
    )
    figure = quality.draw_section(con).figures[0]
    assert figure.lead == lead
    rows = con.execute(figure.sql).fetchall()
    assert [row[0] for row in rows] == bounds


def test_topics_and_providers_that_did_most_are_named(con: "duckdb.DuckDBPyConnection") -> None:
    """Three of each at most, the largest first; what rounds to nothing is not among them."""
    assert why(con).rest == ""
    minus = "\N{MINUS SIGN}"
    assert why(con).folds[0].note == (
        f"By topics: Sun {minus}3.0, Sea +0.5, no topic {minus}0.3. By providers: News {minus}4.0."
    )


def test_a_change_that_is_nothing_but_rounding_has_no_bars(
    con: "duckdb.DuckDBPyConnection",
) -> None:
    """The mean before and after differ in their one decimal, and no cause has a size."""
    con.execute(
        "insert into marts.quality_changes values"
        " ('month', '2025-05-01', 78.051, 0.002, 0, 0, 1, 0, 0, 0.002, null, null)"
    )
    grid = why(con).grid
    assert grid is not None
    assert [str(row[0].content) for row in grid.rows] == ["Mean before", "Mean after"]


def test_without_a_second_month_nothing_has_moved(con: "duckdb.DuckDBPyConnection") -> None:
    """The import explains nothing, and the page says so."""
    con.execute("delete from marts.quality_changes where period_start > '2025-01-01'")
    assert why(con).title == "The mean has not moved since the articles were first read"
