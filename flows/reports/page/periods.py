"""Which periods a picture is drawn in: the finest in which there is a shape to see."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

STEPS = {"week": "7 days", "month": "1 month", "quarter": "3 months", "year": "1 year"}
# One article in every second period is noise: at least so many a period and line on average.
_ENOUGH = 1.5
_FEWEST_PERIODS = 4


def choose_grain(
    con: "duckdb.DuckDBPyConnection", table: str, where: str = "", enough: float = _ENOUGH
) -> str | None:
    """Return the finest time grain of a mart with enough articles a row; None if it is empty.

    Rows of one grain are counted in its last 24 periods. Where no grain has enough, the coarsest
    that still has several periods is taken.
    """
    found = con.execute(
        f"""
        with recent as (
            select time_grain, period_start, articles
            from {table}
            {where}
            qualify dense_rank() over (partition by time_grain order by period_start desc) <= 24
        )

        select time_grain, count(distinct period_start), avg(articles)
        from recent
        where time_grain in ('week', 'month', 'quarter', 'year')
        group by time_grain
        order by list_position(['week', 'month', 'quarter', 'year'], time_grain)
        """
    ).fetchall()
    long_enough = [row for row in found if row[1] >= _FEWEST_PERIODS] or found[:1]
    for time_grain, _, average in long_enough:
        if average >= enough:
            return str(time_grain)
    return str(long_enough[-1][0]) if long_enough else None


def is_over(start: date, periods: Sequence[date]) -> bool:
    """Tell whether a period is complete: the newest one may go on."""
    return start < periods[-1]
