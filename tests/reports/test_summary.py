"""The line that terminal, page and messages begin with, from rows of marts."""

import duckdb
import pytest

from flows.reports.sentences import summarize
from flows.warehouse.connection import open_readonly
from flows.warehouse.paths import WarehousePaths
from flows.words import clip
from tests.conftest import Content


def summary_line(con: duckdb.DuckDBPyConnection) -> str:
    """Return the sentences as one line."""
    return " ".join(summarize(con).sentences())


@pytest.fixture
def con() -> "duckdb.DuckDBPyConnection":
    """Give the columns of three marts that the line is made of, without rows."""
    con = duckdb.connect()
    con.execute(
        """
        create schema marts;
        create schema ops;
        create table ops.runs as select timestamptz '2025-04-02 06:00:00+00' as started_at;
        create table marts.quality_trends (
            time_grain varchar, period_start date, articles bigint, scored_articles bigint,
            quality_mean double
        );
        create table marts.topics (
            topic varchar, status varchar, is_moving boolean, is_parent boolean,
            articles_last_28_days bigint, articles_expected double, share_q_value double,
            first_published_date date
        );
        create table marts.quality_changes (
            time_grain varchar, period_start date, quality_mean double, quality_change double,
            quality_change_p_value double,
            new_effect double, removed_effect double, rescored_effect double, mix_effect double
        );
        """
    )
    return con


def publish(con: "duckdb.DuckDBPyConnection") -> None:
    """Fill in two months of articles."""
    con.execute(
        """
        insert into marts.quality_trends values
            ('day', '2025-03-31', 2, 2, 90), ('day', '2025-03-04', 1, 1, 60),
            ('day', '2025-03-03', 1, 1, 50), ('day', '2025-02-04', 3, 0, null),
            ('day', '2025-02-03', 9, 9, 10), ('month', '2025-03-01', 99, 99, 99)
        """
    )


def test_without_a_date_nothing_moves(con: "duckdb.DuckDBPyConnection") -> None:
    """An empty warehouse has one sentence, too."""
    assert summary_line(con) == "No article has a date, so nothing can be said about what moves."


def test_old_news_says_how_old_it_is(con: "duckdb.DuckDBPyConnection") -> None:
    """The last 28 days of the content may be long ago."""
    publish(con)
    con.execute("update ops.runs set started_at = '2025-04-28 06:00:00+00'")
    said = "No article for 28 days: 3 articles in the 28 days to 31 March 2025"
    assert summary_line(con).startswith(said)


def test_the_last_28_days_are_set_against_the_28_before(con: "duckdb.DuckDBPyConnection") -> None:
    """Both windows end with the newest day of an article; means weigh by scored articles."""
    publish(con)
    assert summary_line(con) == (
        "3 articles in the 28 days to 31 March 2025, 4 in the 28 days before."
        " No topic moved more than chance would. Their mean quality is 80.0, 50.0 before."
    )


def test_topics_are_named_by_what_they_do(con: "duckdb.DuckDBPyConnection") -> None:
    """Three movers at most, the furthest first, and apart from them what is first seen.

    Parents count under their topics; what came with the first articles of all is no news.
    """
    publish(con)
    con.execute(
        """
        insert into marts.topics values
            ('Wind', 'rising', true, false, 9, 1.25, 0.3, '2024-01-01'),
            ('Sun', 'rising', true, false, 19, 1, 0.01, '2024-01-01'),
            ('Energy', 'rising', true, true, 99, 9, 0, '2024-01-01'),
            ('Law', 'steady', false, false, 3, 2, null, '2024-01-01'),
            ('Core' || chr(27) || '[2J', 'emerging', true, false, 12, 0, 0.2, '2025-03-04'),
            ('Gas', 'falling', true, false, 1000, 2000, 0, '2024-01-01'),
            ('Tide', 'returning', true, false, 5, 0, 0.2, '2024-01-01'),
            ('Heat', 'emerging', false, false, 1, 0, null, '2025-03-04'),
            ('Fire', 'emerging', false, false, 2, 0, null, '2025-03-05'),
            ('Dawn', 'emerging', false, false, 2, 0, null, '2024-01-15')
        """
    )
    assert (
        summary_line(con)
        .split(" before. ")[1]
        .startswith(
            "Gas falls (1,000 against 2,000), Sun rises (19 against 1),"
            " Core\\x1b[2J is new (12 against 0), and 2 more moved."
            " By share of all articles, 2 of 5 moved. First seen: Fire, Heat. Their"
        )
    )


@pytest.mark.parametrize(
    ("effects", "sentence"),
    [
        (
            "82, 2, 0.2, 0.5, 0, 1.75, -0.25",
            "rose from 80.0 to 82.0 in March 2025, mostly through new scores (+1.8),"
            " no further than chance would.",
        ),
        (
            "78, -2, 0.01, 1, -2.5, 0, -0.5",
            "fell from 80.0 to 78.0 in March 2025,"
            " mostly through articles that left (\N{MINUS SIGN}2.5).",
        ),
        ("78.04, 0.04, 1, 0.04, 0, 0, 0", "The mean quality of all articles stays at 78.0."),
    ],
)
def test_the_cause_of_a_change_in_quality_is_named(
    con: "duckdb.DuckDBPyConnection", effects: str, sentence: str
) -> None:
    """The newest month that has one before it speaks; the import explains nothing."""
    publish(con)
    con.execute(
        f"""
        insert into marts.quality_changes values
            ('month', '2025-01-01', 80, null, null, null, null, null, null),
            ('month', '2025-02-01', 81, 1, 1, 1, 0, 0, 0),
            ('month', '2025-03-01', {effects}), ('year', '2025-01-01', 1, 1, 1, 1, 1, 1, 1)
        """
    )
    assert summary_line(con).endswith(sentence)


def test_a_long_name_does_not_take_over_the_line() -> None:
    """What is left out of its middle is marked: the end may tell it from the next."""
    assert clip("x" * 41 + "y" * 20) == "x" * 39 + "…" + "y" * 20
    assert clip("x" * 60) == "x" * 60


def test_the_marts_have_what_the_line_needs(three: Content) -> None:
    """The queries run on a warehouse as it is built."""
    with open_readonly(WarehousePaths(three.warehouse)) as con:
        assert summary_line(con).partition(": ")[2] == (
            "3 articles in the 28 days to 4 March 2025, 0 in the 28 days before."
            " No topic moved more than chance would. Their mean quality is 80.0."
        )
