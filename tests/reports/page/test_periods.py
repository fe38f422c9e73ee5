"""Which periods a chart is drawn in."""

import duckdb
import pytest

from flows.reports.page.periods import choose_grain

TRENDS = """
create table trends as
select name, time_grain, cast(day as date) as period_start, articles * days as articles
from (values ('Large', {large}), ('Small', {small}), ('Tiny', {small})) as series (name, articles)
cross join (
    values ('day', 1, '1 day'), ('week', 7, '7 days'), ('month', 30, '1 month'),
        ('quarter', 91, '3 months'), ('year', 365, '1 year')
) as grains (time_grain, days, step)
cross join lateral (
    select unnest(generate_series(date '2020-01-01', date '{last}', cast(step as interval))) as day
)
"""


@pytest.mark.parametrize(
    ("large", "small", "last", "grain"),
    [
        (1.0, 0.2, "2024-12-31", "week"),
        (9.0, 0.04, "2024-12-31", "month"),
        (9.0, 0.02, "2024-12-31", "quarter"),
        (9.0, 0.001, "2024-12-31", "year"),
        (0.02, 0.001, "2020-05-31", "month"),
        (0.02, 0.001, "2020-01-02", "week"),
    ],
)
def test_the_finest_grain_in_which_most_lines_have_a_shape(
    large: float, small: float, last: str, grain: str
) -> None:
    """One large line among small ones does not decide; a short time is not one column."""
    con = duckdb.connect()
    con.execute(TRENDS.format(large=large, small=small, last=last))
    assert choose_grain(con, "trends", "name", enough=1.0) == grain


def test_a_mean_of_just_enough_is_enough() -> None:
    """Seven articles a week are those that are asked for."""
    con = duckdb.connect()
    con.execute(TRENDS.format(large=1, small=1, last="2024-12-31"))
    assert choose_grain(con, "trends", "name", enough=7.0) == "week"


def test_nothing_has_no_grain() -> None:
    """An empty mart is no error."""
    con = duckdb.connect()
    con.execute(TRENDS.format(large=1, small=1, last="2019-01-01"))
    assert choose_grain(con, "trends", "name", enough=1.0) is None
