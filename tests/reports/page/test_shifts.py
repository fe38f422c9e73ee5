"""Why the articles of a month score otherwise than those of the month before."""

import duckdb
import pytest

from flows.reports.page.shifts import draw_shifts

MINUS = "\N{MINUS SIGN}"
MONTHS = {
    "2025-01": [("a", 10)] * 3,
    "2025-02": [("a", 80), ("a", 80), ("b", 60), ("b", 60)],
    "2025-03": [("a", 80), ("b", 50), ("b", 50), ("b", 50), ("b", 50)],
    "2025-04": [("a", 57)] * 4,
    "2025-05": [(None, 90)] * 4,
    "2025-06": [("a", 10)] * 9,
}


@pytest.fixture
def con() -> "duckdb.DuckDBPyConnection":
    """Give the articles of six months, of which the last is not over."""
    con = duckdb.connect()
    con.execute(
        """
        create schema marts;
        create table marts.articles (
            provider varchar, quality integer, published_date date, is_counted boolean
        );
        create table marts.providers as select 'b' as provider, 'Bright News' as name;
        create table marts.quality_trends (
            time_grain varchar, period_start date, is_complete boolean
        );
        insert into marts.articles values ('a', 1, null, true), ('a', 1, '2025-03-09', false)
        """
    )
    for month, scores in MONTHS.items():
        for provider, quality in scores:
            values = [provider, quality, f"{month}-05"]
            con.execute("insert into marts.articles values (?, ?, ?, true)", values)
        trend = ["month", f"{month}-01", month < "2025-06"]
        con.execute("insert into marts.quality_trends values (?, ?, ?)", trend)
    return con


def test_what_providers_did_adds_up_to_the_change(con: "duckdb.DuckDBPyConnection") -> None:
    """More articles of a low scorer, and worse ones, pull; a few scores and small moves are none.

    January has too few scores, April's mean differs by one point, June is not over.
    """
    (figure,) = draw_shifts(con, "month")
    assert figure.grid is not None
    assert [[str(cell.content) for cell in row] for row in figure.grid.rows] == [
        ["May 2025", "90.0", "+33.0", "4", "no provider (+33.0)"],
        ["Mar 2025", "56.0", f"{MINUS}14.0", "5", f"Bright News ({MINUS}11.0), a ({MINUS}3.0)"],
    ]
    assert figure.title == (
        "Articles of May 2025 score 33.0 higher than those of the month before, mostly through"
        " no provider (+33.0)"
    )


def test_months_that_are_alike_have_no_figure(con: "duckdb.DuckDBPyConnection") -> None:
    """A list of nothing is left out."""
    con.execute("update marts.articles set quality = 70")
    assert draw_shifts(con, "month") == []
