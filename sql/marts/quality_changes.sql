-- Why did the mean quality move: new articles, removed ones, new scores, or another mix of providers?
-- Grain: one row per time_grain and period of observation, from the first to the last observed one
-- Reads: marts.quality_changes_by, marts.quality_changes_by_commit, staging.quality_steps
-- Note: periods are of observation, not publication; the first is the import and explains nothing. Method:
-- new + removed + re-scored, weighted by the provider's share at both ends, + mix shift = quality_change.
with periods as (
    select time_grain, unnest(periods_between(time_grain, min(period_start), max(period_start))) as period_start
    from staging.quality_steps
    group by time_grain
),

wholes as (
    select *, {'articles': scored_articles, 'mean': quality_mean} as stock
    from marts.quality_changes_by
    where dimension = 'all'
),

totals as (
    select
        periods.time_grain,
        periods.period_start,
        coalesce(wholes.new_articles, 0) as new_articles,
        coalesce(wholes.removed_articles, 0) as removed_articles,
        coalesce(wholes.rescored_articles, 0) as rescored_articles,
        -- A period without a change has the articles and the mean of the one before.
        last_value(wholes.stock ignore nulls) over by_time as last_stock,
        coalesce(last_stock['articles'], 0) as scored_articles,
        last_stock['mean'] as quality_mean,
    from periods
    left join wholes on wholes.time_grain = periods.time_grain and wholes.period_start = periods.period_start
    window by_time as (partition by periods.time_grain order by periods.period_start)
),

changes as (
    select
        *,
        lag(scored_articles) over by_time as earlier_articles,
        quality_mean - lag(quality_mean) over by_time as quality_change,
    from totals
    window by_time as (partition by time_grain order by period_start)
),

-- A provider that comes or goes as a whole has no mean to compare with: all of it is mix.
provider_effects as (
    select
        providers.time_grain,
        providers.period_start,
        (
            (providers.scored_articles - providers.new_articles + providers.removed_articles)
            / nullif(changes.earlier_articles, 0)
            + providers.scored_articles / nullif(changes.scored_articles, 0)
        ) / 2 as weight,
        providers.new_effect,
        providers.removed_effect,
        providers.rescored_effect,
    from marts.quality_changes_by as providers
    inner join changes
        on changes.time_grain = providers.time_grain
        and changes.period_start = providers.period_start
    where providers.dimension = 'provider'
),

effects as (
    select
        time_grain,
        period_start,
        sum(weight * new_effect) as new_effect,
        sum(weight * removed_effect) as removed_effect,
        sum(weight * rescored_effect) as rescored_effect,
    from provider_effects
    group by time_grain, period_start
),

commits as (
    select
        periods.time_grain,
        periods.period_start,
        arg_max(
            {'commit': moves.commit, 'quality_change': moves.quality_change},
            (abs(moves.quality_change), moves.observed_at)
        ) as furthest,
    from marts.quality_changes_by_commit as moves
    cross join unnest(periods_of(cast(timezone('UTC', moves.observed_at) as date))) as listed (periods)
    where moves.commit is not null and moves.quality_change <> 0
    group by periods.time_grain, periods.period_start
),

explained as (
    select
        changes.*,
        if(quality_change is null, null, coalesce(effects.new_effect, 0)) as new_effect,
        if(quality_change is null, null, coalesce(effects.removed_effect, 0)) as removed_effect,
        if(quality_change is null, null, coalesce(effects.rescored_effect, 0)) as rescored_effect,
        if(quality_change is null, null, commits.furthest) as furthest,
    from changes
    left join effects on effects.time_grain = changes.time_grain and effects.period_start = changes.period_start
    left join commits on commits.time_grain = changes.time_grain and commits.period_start = changes.period_start
)

select
    time_grain,  -- day, week, month, quarter or year
    period_start,  -- first day of the period of observation in UTC, Monday for weeks
    scored_articles,  -- articles with a quality at the end of the period
    new_articles,  -- of those, added since the period before, another story at a known path too
    removed_articles,  -- scored articles of the period before that are gone, lost their score or hold another story
    rescored_articles,  -- same story and provider, other quality; a moved file is the same article
    round(quality_mean, 6) as quality_mean,  -- mean quality of scored_articles at the end of the period
    round(quality_change, 6) as quality_change,  -- quality_mean less that of the period before = the four effects; null in the first
    round(new_effect, 6) as new_effect,  -- new articles against those that stayed with their provider (or, if none did, against all it had)
    round(removed_effect, 6) as removed_effect,  -- articles that stayed with their provider against all it had before
    round(rescored_effect, 6) as rescored_effect,  -- new scores of the articles that stayed
    round(quality_change - new_effect - removed_effect - rescored_effect, 6) + 0 as mix_effect,  -- providers' shares moved: change of share times the provider's mean of both ends
    furthest['commit'] as commit,  -- the commit that moved quality_mean furthest, up or down (all: marts.quality_changes_by_commit); null if none did
    furthest['quality_change'] as commit_change,  -- what this commit moved it by
from explained
order by time_grain, period_start
