-- Why did the mean quality of a topic, provider or category move, and how much of the whole's change is that?
-- Grain: one row per member and period of observation in which its scores changed (dimension, member, time_grain, period_start)
-- Reads: staging.quality_moves, staging.quality_steps
-- Note: filter on one dimension and time_grain; periods are of observation, not publication. An article is split
-- evenly over its topics, so that the contributions of the members of any dimension add up to the whole's change.
with stocks as (
    select
        *,
        sum(new_articles - removed_articles) over until_now as articles_after,
        sum(new_units - removed_units) over until_now as units_after,
        sum(new_points - removed_points + rescored_points) over until_now as points_after,
        units_after - new_units + removed_units as units_before,
        points_after - new_points + removed_points - rescored_points as points_before,
        units_before - removed_units as units_stayed,
        points_after / nullif(units_after, 0) as mean_after,
        points_before / nullif(units_before, 0) as mean_before,
        -- Where none stayed, new articles are compared with all there were.
        coalesce((points_before - removed_points) / nullif(units_stayed, 0), mean_before) as stayed_before,
        coalesce((points_after - new_points) / nullif(units_stayed, 0), mean_before) as stayed_after,
    from staging.quality_moves
    window until_now as (partition by dimension, member, time_grain order by period_start)
),

-- How much scores differ.
spread as (
    select stddev_samp(after.quality) as deviation
    from staging.quality_steps
    where time_grain = 'year'
),

chances as (
    select
        *,
        articles_after - new_articles + removed_articles as articles_before,
        -- What two means have in common, articles with the same score, differs by nothing.
        sqrt(
            1 / nullif(articles_after, 0) + 1 / nullif(articles_before, 0)
            - 2 * (articles_before - removed_articles - rescored_articles) / nullif(articles_after * articles_before, 0)
        ) * deviation as stderr,
    from stocks
    cross join spread
),

wholes as (
    select time_grain, period_start, mean_before, units_after
    from stocks
    where dimension = 'all'
)

select
    stocks.dimension,  -- topic, provider, category, or all for the whole
    stocks.member,  -- its name, (none) for articles without one
    stocks.time_grain,  -- day, week, month, quarter or year
    stocks.period_start,  -- first day of the period of observation in UTC, Monday for weeks
    cast(stocks.articles_after as bigint) as scored_articles,  -- the member's articles with a quality at the end of the period
    stocks.new_articles,  -- of those, added since the period before; an article that came from another member or story too
    stocks.removed_articles,  -- scored articles of the period before that are gone, lost their score, or went to another member or story
    stocks.rescored_articles,  -- same story, provider and members, other quality
    -- Nine places, so that the sums of marts.quality_changes are right to the sixth.
    round(stocks.mean_after, 9) as quality_mean,  -- mean quality of scored_articles
    round(stocks.mean_after - stocks.mean_before, 9) as quality_change,  -- quality_mean less that of the period before = the three effects; null if one is missing
    round(erfc(abs(stocks.mean_after - stocks.mean_before) / nullif(stocks.stderr * sqrt(2), 0)), 6) as quality_change_p_value,  -- how often scores drawn by chance for what came, left and was re-scored move the mean as far
    round(stocks.mean_after - stocks.stayed_after, 9) as new_effect,  -- new articles against those that stayed (or, if none did, against all it had)
    if(quality_change is null, null, round(stocks.stayed_before - stocks.mean_before, 9)) as removed_effect,  -- articles that stayed against all it had before
    if(quality_change is null, null, round(stocks.stayed_after - stocks.stayed_before, 9)) as rescored_effect,  -- new scores of the articles that stayed
    round(
        (
            stocks.new_points - stocks.removed_points + stocks.rescored_points
            - wholes.mean_before * (stocks.new_units - stocks.removed_units)
        ) / nullif(wholes.units_after, 0),
        9
    ) as contribution,  -- what these articles moved the mean quality of the whole corpus by: sums to its change over a dimension's members
from chances as stocks
inner join wholes on wholes.time_grain = stocks.time_grain and wholes.period_start = stocks.period_start
order by stocks.dimension, stocks.member, stocks.time_grain, stocks.period_start
