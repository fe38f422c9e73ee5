-- The four reasons of a change of quality do not add up to it, or the last mean is not that of the articles.
-- severity: error
with articles as (
    select count(quality) as scored_articles, avg(quality) as quality_mean
    from staging.article_versions
    where valid_to is null
),

latest as (
    select time_grain, period_start, scored_articles, quality_mean
    from marts.quality_changes
    qualify row_number() over (partition by time_grain order by period_start desc) = 1
),

faults as (
    select
        time_grain,
        period_start,
        'effects' as total,
        quality_change as expected,
        new_effect + removed_effect + rescored_effect + mix_effect as actual,
    from marts.quality_changes
    union all
    select latest.time_grain, latest.period_start, 'quality_mean', articles.quality_mean, latest.quality_mean
    from latest
    cross join articles
    union all
    select latest.time_grain, latest.period_start, 'scored_articles', articles.scored_articles, latest.scored_articles
    from latest
    cross join articles
)

select time_grain, period_start, total, expected, actual
from faults
where
    expected is null <> (actual is null)
    -- Five terms, each rounded to the sixth decimal.
    or abs(expected - actual) > 0.000005
order by time_grain, period_start, total
