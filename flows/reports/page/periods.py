"""Which periods a picture is drawn in: the finest in which there is a shape to see."""

from flows.warehouse.connection import Connection

STEPS = {"week": "7 days", "month": "1 month", "quarter": "3 months", "year": "1 year"}
_FEWEST_PERIODS = 4
_RECENT = """\
with newest as (
    select max(period_start) as last, min(period_start) as first
    from {table}
    where time_grain = '{time_grain}'
),

periods as (
    select cast(unnest(generate_series(
        greatest(first, last - {back} * interval '{step}'), last, interval '{step}'
    )) as date) as period_start
    from newest
)"""


def select_recent(table: str, time_grain: str, most: int) -> str:
    """Return the beginning of a query: the newest periods of a mart, those without a row too."""
    return _RECENT.format(table=table, time_grain=time_grain, back=most - 1, step=STEPS[time_grain])


def choose_grain(
    con: Connection, table: str, series: str, enough: float, shown: int = 12
) -> str | None:
    """Return the finest time grain with enough articles a period; None if there is nothing.

    Half of the lines that are shown, those of the largest `series`, reach that mean over the last
    24 periods. Where no grain has enough, it is the coarsest that still has several periods.
    """
    found = con.execute(
        f"""
        with recent as (
            select {series} as series, time_grain, period_start, articles
            from {table}
            where time_grain in ('week', 'month', 'quarter', 'year')
            qualify dense_rank() over (partition by time_grain order by period_start desc) <= 24
        ),

        periods as (
            select time_grain, count(distinct period_start) as periods
            from recent
            group by time_grain
        ),

        lines as (
            select series, time_grain, sum(articles) as articles
            from recent
            group by series, time_grain
            qualify row_number() over (partition by time_grain order by sum(articles) desc, series)
                <= {shown}
        )

        select time_grain, any_value(periods), median(articles / periods)
        from lines
        inner join periods using (time_grain)
        group by time_grain
        order by list_position(['week', 'month', 'quarter', 'year'], time_grain)
        """
    ).fetchall()
    long_enough = [row for row in found if row[1] >= _FEWEST_PERIODS] or found[:1]
    for time_grain, _, typical in long_enough:
        if typical >= enough:
            return str(time_grain)
    return str(long_enough[-1][0]) if long_enough else None
