-- The parts of a change of quality do not make the whole: do not trust what quality_changes says of its causes.
-- severity: error
with articles as (
    select count(quality) as scored_articles, avg(quality) as quality_mean
    from staging.article_versions
    where valid_to is null and not is_draft
),

changes as (
    select
        *,
        lag(scored_articles, 1, 0) over by_time + new_articles - removed_articles as expected_articles,
        lead(period_start) over by_time is null as is_latest,
    from marts.quality_changes
    window by_time as (partition by time_grain order by period_start)
),

contributions as (
    select dimension, time_grain, period_start, sum(contribution) as contribution, count(*) as members
    from marts.quality_changes_by
    group by dimension, time_grain, period_start
),

faults as (
    select time_grain, period_start, 'articles' as total, expected_articles as expected, scored_articles as actual, 0 as members
    from changes
    union all
    select changes.time_grain, changes.period_start, 'contributions by ' || dimension, quality_change, contribution, members
    from changes
    inner join contributions
        on contributions.time_grain = changes.time_grain
        and contributions.period_start = changes.period_start
    where quality_change is not null
    union all
    select time_grain, period_start, 'articles at the end', articles.scored_articles, changes.scored_articles, 0
    from changes
    cross join articles
    where is_latest
    union all
    select time_grain, period_start, 'mean at the end', articles.quality_mean, changes.quality_mean, 0
    from changes
    cross join articles
    where is_latest
)

select time_grain, period_start, total, expected, actual
from faults
cross join (select coalesce(max(abs(cast(quality as double))), 0) as score from staging.article_versions) as largest
where
    expected is null <> (actual is null)
    -- Two terms rounded to the sixth decimal, one a member rounded to the ninth, and doubles of fifteen digits.
    or abs(expected - actual) > 0.000005 + 0.000000001 * members + 0.000000000001 * largest.score
order by time_grain, period_start, total
