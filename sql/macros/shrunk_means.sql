-- How good is each of many series, and how sure is that? `scores` names a relation of (series, quality), one row per
-- article. quality_stderr is the standard error of a series' mean. quality_shrunk lies between the mean of all and its
-- own, nearer to its own the more scores it has (empirical Bayes), and quality_shrunk_stderr says how near the truth:
-- n / (n + k) of the way, where k is the variance within series divided by that of their true means. With k = 9 and a
-- mean of 60, a single score of 30 makes 57, and 91 of them make 33. Null if no series has two scores.
create or replace macro shrunk_means(scores) as table
with means as (
    select series, count(quality) as n, avg(quality) as mean, coalesce(var_samp(quality), 0) as variance
    from query_table(scores)
    where quality is not null
    group by series
),

wholes as (
    select
        count(*) as groups,
        sum(n) as scored,
        sum(n * mean) / scored as overall,
        sum((n - 1) * variance) / nullif(scored - groups, 0) as within,
        -- Means differ by chance, too: what they differ by beyond it is the variance of the true ones.
        greatest(
            ((sum(n * mean * mean) - scored * overall * overall) / nullif(groups - 1, 0) - within)
            / ((scored - sum(n * n) / scored) / nullif(groups - 1, 0)),
            0
        ) as beyond,
    from means
),

weights as (
    select *, if(groups = 1 or within = 0, 1, n * beyond / (n * beyond + within)) as weight
    from means
    cross join wholes
)

select
    series,
    round(sqrt(if(n > 1, variance, null) / n), 6) as quality_stderr,
    round(overall + weight * (mean - overall), 6) as quality_shrunk,
    round(sqrt(within * weight / n), 6) as quality_shrunk_stderr,
from weights
