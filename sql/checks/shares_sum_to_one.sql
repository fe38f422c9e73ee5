-- The shares of a period do not add up to 1: a topic, provider or category is missing or counted twice.
-- severity: error
with sums as (
    select 'marts.topic_trends' as table_name, time_grain, period_start, sum(articles_share) as share
    from marts.topic_trends
    group by time_grain, period_start
    union all
    select 'marts.provider_trends', time_grain, period_start, sum(articles_share)
    from marts.provider_trends
    group by time_grain, period_start
    union all
    select 'marts.quality_trends', time_grain, period_start, sum(articles_share)
    from marts.quality_trends
    group by time_grain, period_start
)

select table_name, time_grain, period_start, share
from sums
-- Doubles: a millionth is far above rounding and far below one article.
where abs(share - 1) > 0.000001
order by table_name, time_grain, period_start
