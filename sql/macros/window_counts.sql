-- How many articles of each of many series lie in the last 28 days, and how many before: what momentum() judges by.
-- `dates` names a relation of (series, published_date), one row per article; its days are counted back from the newest
-- date of the corpus (age 0). The time before is 364 days, or less: a series is compared with what it did since its
-- first article, which itself is left out, since a series always begins with one. A series younger than 56 days is
-- compared with the corpus, in which it was not there. Four whole weeks: every weekday counts equally often.
create or replace macro window_counts(dates) as table
with corpus as (
    select
        max(published_date) as newest_date,
        least(newest_date - min(published_date), 392) as oldest_age
    from staging.article_periods
),

ages as (
    select series, newest_date - published_date as age, oldest_age
    from query_table(dates)
    cross join corpus
),

counts as (
    select
        series,
        max(age) as first_age,
        first_age < 56 as is_young,
        greatest(if(is_young, any_value(oldest_age), least(first_age, 391)) - 27, 0) as days,
        least(first_age, 419) - 55 as days_56,
        count(*) filter (age < 28) as recent,
        count(*) filter (age between 28 and 55) as previous,
        count(*) filter (age between 28 and 391) - if(first_age between 56 and 391, 1, 0) as earlier,
        count(*) filter (age < 56) as recent_56,
        count(*) filter (age between 56 and 419) - if(first_age between 56 and 419, 1, 0) as earlier_56,
    from ages
    group by series
),

-- 28 days each, without the newest two before the window: what has just changed is not taken for a burst.
blocks as (
    select ages.series, age // 28 as block, count(*) as articles
    from ages
    inner join counts on counts.series = ages.series
    where age >= 84 and block <= days // 28
    group by all
),

-- The variance of their counts, divided by the mean.
dispersions as (
    select
        blocks.series,
        any_value(days) // 28 - 2 as whole_blocks,
        sum(articles) / whole_blocks as mean,
        (sum(articles * articles) - whole_blocks * pow(mean, 2)) / (whole_blocks - 1) / mean as dispersion,
    from blocks
    inner join counts on counts.series = blocks.series
    group by blocks.series
    -- Of fewer numbers a variance says little.
    having whole_blocks >= 6
),

usual as (
    select greatest(median(dispersion), 1) as dispersion
    from dispersions
    where mean >= 1
)

select
    counts.*,
    -- One in twenty of the series that do not come in bursts has twice the usual variance by chance.
    if(dispersions.dispersion > 2, dispersions.dispersion, coalesce(usual.dispersion, 1)) as dispersion,
from counts
cross join usual
left join dispersions on dispersions.series = counts.series
