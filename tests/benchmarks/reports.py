"""The same reports by hand: the figures of our trend marts over the tables of the script."""

from pathlib import Path

import duckdb

KEYS = {
    "topic_trends": "topic",
    "provider_trends": "provider",
    "quality_trends": "category, type",
}

_DATED = """
create or replace temp table dated as
with clean as (
    select
        path, category, type, provider_domain as provider,
        cast(publishedDateTime as date) as day,
        coalesce(published = 'True', true) as is_live,
        -- 'about 70' is no score, and a heat of -1 was not measured.
        try_cast(quality as double) as quality,
        nullif(try_cast(heat as double), -1) as heat
    from articles
),
grains (time_grain, step) as (
    values
        ('day', interval 1 day), ('week', interval 7 days), ('month', interval 1 month),
        ('quarter', interval 3 months), ('year', interval 1 year)
)
select
    *, heat - quality as heat_bump, max(day) over () as newest_day,
    cast(date_trunc(time_grain, day) as date) as period_start
from clean cross join grains
where day is not null
"""

_ROWS = {
    # A share splits an article evenly over its topics.
    "topic_trends": """
        select dated.*, topic, 1 / count(*) over (partition by path, time_grain) as weight
        from dated inner join (select distinct path, topic from topics) using (path)
    """,
    "provider_trends": "select *, 1 as weight from dated where provider is not null",
    "quality_trends": "select *, 1 as weight from dated",
}

_TREND = """
create or replace table {name} as
with rows as ({rows}),
counts as (
    select
        {keys}, time_grain, period_start,
        count(*) as articles, count(*) filter (is_live) as live_articles,
        count(quality) as scored_articles, sum(weight) as weight,
        avg(quality) as quality_mean, median(quality) as quality_median,
        quantile_cont(quality, 0.1) as quality_p10, quantile_cont(quality, 0.9) as quality_p90,
        avg(heat_bump) as heat_bump_mean,
        rank() over (partition by time_grain, period_start order by count(*) desc) as articles_rank
    from rows
    group by {keys}, time_grain, period_start
),
spans as (
    select
        {keys}, time_grain, any_value(step) as step, any_value(newest_day) as newest_day,
        min(period_start) as first_start,
        -- A series ends a year after its last article, and in any case with the newest period.
        least(date_trunc(time_grain, max(period_start) + interval 1 year),
            date_trunc(time_grain, any_value(newest_day))) as last_start
    from rows
    group by {keys}, time_grain
),
periods as (
    select *, cast(unnest(generate_series(first_start, last_start, step)) as date) as period_start
    from spans
),
filled as (
    select
        * replace (coalesce(articles, 0) as articles, coalesce(weight, 0) as weight),
        period_start + step <= newest_day + interval 1 day as is_complete,
        row_number() over (partition by {keys}, time_grain order by period_start) as n
    from periods left join counts using ({keys}, time_grain, period_start)
),
moved as (
    select
        *,
        articles - lag(articles) over series as change,
        avg(articles) over (series rows 3 preceding) as avg_4,
        avg(articles) over before as mean_before,
        stddev_samp(articles) over before as deviation_before,
        regr_slope(articles, n) over (series rows 11 preceding) as slope
    from filled
    window
        series as (partition by {keys}, time_grain order by period_start),
        before as (series rows between 12 preceding and 1 preceding)
)
select
    {keys}, time_grain, period_start, is_complete, articles,
    coalesce(live_articles, 0) as live_articles, coalesce(scored_articles, 0) as scored_articles,
    weight / nullif(sum(weight) over (partition by time_grain, period_start), 0) as articles_share,
    quality_mean, quality_median, quality_p10, quality_p90, heat_bump_mean, articles_rank,
    if(is_complete, change, null) as articles_change,
    if(is_complete, avg_4, null) as articles_avg_4,
    if(is_complete and n > 3 and mean_before >= 2,
        (articles - mean_before) / nullif(deviation_before, 0), null) as articles_zscore,
    if(is_complete and n > 1, slope, null) as articles_slope
from moved
-- Days count for the movement of others, and are no rows of their own without an article.
where time_grain <> 'day' or articles > 0
order by all
"""


def add(warehouse: Path) -> None:
    """Add the three reports to a file that the script made."""
    with duckdb.connect(str(warehouse)) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(_DATED)
        for name, keys in KEYS.items():
            con.execute(_TREND.format(name=name, keys=keys, rows=_ROWS[name]))
