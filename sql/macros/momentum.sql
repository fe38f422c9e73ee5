-- Where many series are heading: the last 28 days of the corpus against the 28 before. `dates` names a relation of
-- (series, published_date), one row per article. p_value says how often a rate that does not change makes two such
-- counts; q_value is the same for many series at once (Benjamini and Hochberg): of those with at most 0.1, one in
-- ten moves by chance. One article against none proves nothing, four against none do.
create or replace macro momentum(dates) as table
with newest as (
    select max(published_date) as newest_date
    from staging.article_periods
),

counts as (
    select
        series,
        -- Four whole weeks: every weekday counts equally often in both windows.
        count(*) filter (newest_date - published_date < 28) as recent,
        count(*) filter (newest_date - published_date between 28 and 55) as earlier,
        count(*) filter (newest_date - published_date >= 56) as before,
        if(recent + earlier > 0, round(poisson_p_value(recent, earlier), 6), null) as p_value
    from query_table(dates)
    cross join newest
    group by series
),

ranked as (
    select *, p_value * count(p_value) over () / count(p_value) over (order by p_value) as corrected
    from counts
),

corrected as (
    select
        *,
        if(p_value is null, null, round(min(corrected) over (order by p_value desc), 6)) as q_value,
        coalesce(p_value <= 0.05 and q_value <= 0.1, false) as is_moving,
    from ranked
)

select
    series,
    case
        when recent + earlier = 0 then 'dormant'
        when before = 0 and recent > earlier then 'emerging'
        when not is_moving then 'steady'
        when earlier > recent then 'falling'
        when earlier = 0 then 'returning'
        else 'rising'
    end as status,
    is_moving,
    recent,
    earlier,
    recent - earlier as momentum,
    round((recent - earlier) / nullif(earlier, 0), 6) as momentum_ratio,
    p_value,
    q_value
from corrected
