-- Where many series are heading: the last 28 days of the corpus against up to 364 days before; a fall, which few
-- articles show late, is looked for in the last 56 days, too. `dates` names a relation of (series, published_date), one
-- row per article. p_value says how often a rate that does not change brings such counts, q_value the same for many
-- series at once (Benjamini and Hochberg): of those with at most 0.1, one in ten moves by chance. Series of fewer than
-- four articles could show nothing and have none. share_p_value and share_q_value ask the same of a series' share of
-- all articles: where everything doubles, no share moves.
-- 4 articles a year in 28 days and none before: p = 2 * (28/392)^4. 0 in 28 days, 104 before: 4 * (364/392)^104.
create or replace macro momentum(dates) as table
with corpus as (
    select newest_date - published_date as age
    from staging.article_periods
    cross join (select max(published_date) as newest_date from staging.article_periods)
    where time_grain = 'day' and age < 420
),

-- How many articles of the corpus are at most so old.
totals as (
    select ages.age, coalesce(sum(count(corpus.age)) over (order by ages.age), 0) as articles
    from range(420) as ages (age)
    left join corpus on corpus.age = ages.age
    group by ages.age
),

counts as (
    select
        windows.*,
        recent + earlier as n,
        recent_56 + earlier_56 as n_56,
        28 / (28 + days) as part,
        56 / (56 + days_56) as part_56,
        totals_28.articles - recent as others_recent,
        totals.articles - totals_28.articles - earlier as others_earlier,
        -- Half an article more: no count of articles means that none could have come.
        (others_recent + 0.5) / (others_recent + others_earlier + 1) as others_part,
        -- The others' counts are chance, too.
        dispersion + n / (others_recent + others_earlier + 1) as others_dispersion,
    from window_counts(dates) as windows
    inner join totals as totals_28 on totals_28.age = 27
    left join totals on totals.age = 27 + days
),

tails as (
    select
        *,
        1 - chance_of_at_most(recent - 1, n, part, dispersion) as rise,
        least(
            chance_of_at_most(recent, n, part, dispersion),
            if(is_young, null, chance_of_at_most(recent_56, n_56, part_56, dispersion))
        ) as fall,
        1 - chance_of_at_most(recent - 1, n, others_part, others_dispersion) as share_rise,
        chance_of_at_most(recent, n, others_part, others_dispersion) as share_fall,
    from counts
    where n >= 4 and days > 0
),

tests as (
    select
        *,
        -- Twice, as it could have gone either way, and of two windows one could have shown a fall.
        round(least(2 * rise, 4 * fall, 1), 6) as p_value,
        round(least(2 * share_rise, 2 * share_fall, 1), 6) as share_p_value,
    from tails
),

ranks as (
    select
        *,
        p_value * count(p_value) over () / count(p_value) over (order by p_value) as corrected,
        share_p_value * count(share_p_value) over () / count(share_p_value) over (order by share_p_value)
            as share_corrected,
    from tests
),

judgements as (
    select
        series,
        rise < 2 * fall as is_rise,
        p_value,
        round(min(corrected) over (order by p_value desc), 6) as q_value,
        share_p_value,
        round(min(share_corrected) over (order by share_p_value desc), 6) as share_q_value,
        p_value <= 0.05 and q_value <= 0.1 and recent_56 > 0 as is_moving,
    from ranks
)

select
    counts.series,
    case
        when recent_56 = 0 then 'dormant'
        when is_young and recent > previous then 'emerging'
        when is_moving is distinct from true then 'steady'
        when not is_rise then 'falling'
        when earlier = 0 then 'returning'
        else 'rising'
    end as status,
    coalesce(is_moving, false) as is_moving,
    recent,
    previous,
    round(28 * earlier / nullif(days, 0), 2) as expected,
    recent - previous as momentum,
    round((recent - previous) / nullif(previous, 0), 6) as momentum_ratio,
    p_value,
    q_value,
    share_p_value,
    share_q_value,
from counts
left join judgements on judgements.series = counts.series
