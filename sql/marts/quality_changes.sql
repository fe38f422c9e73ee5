-- Why did the mean quality move: new articles, removed ones, new scores, or another mix of providers?
-- Grain: one row per period of observation, from the first to the last one (time_grain, period_start)
-- Reads: marts.quality_changes_by, marts.quality_changes_by_commit, staging.quality_steps
-- Note: periods are of observation, not publication; the first is the import and explains nothing. Method:
-- new + removed + re-scored, weighted by the provider's share at both ends, + mix shift = quality_change.
with periods as (
    select time_grain, unnest(periods_between(time_grain, min(period_start), max(period_start))) as period_start
    from staging.quality_steps
    group by time_grain
),

totals as (
    select
        periods.*,
        coalesce(wholes.new_articles, 0) as new_articles,
        coalesce(wholes.removed_articles, 0) as removed_articles,
        coalesce(wholes.rescored_articles, 0) as rescored_articles,
        -- A period without a change has the articles and the mean of the one before.
        coalesce(last_value(wholes.scored_articles ignore nulls) over by_time, 0) as articles,
        wholes.quality_change_p_value,
        if(articles = 0, null, last_value(wholes.quality_mean ignore nulls) over by_time) as mean,
    from periods
    left join marts.quality_changes_by as wholes
        on wholes.dimension = 'all'
        and wholes.time_grain = periods.time_grain
        and wholes.period_start = periods.period_start
    window by_time as (partition by periods.time_grain order by periods.period_start)
),

changes as (
    select *, lag(articles) over by_time as earlier_articles, mean - lag(mean) over by_time as change
    from totals
    window by_time as (partition by time_grain order by period_start)
),

-- A provider that comes or goes as a whole has no mean to compare with: all of it is mix.
provider_effects as (
    select
        providers.*,
        (
            (providers.scored_articles - providers.new_articles + providers.removed_articles)
            / nullif(changes.earlier_articles, 0)
            + providers.scored_articles / nullif(changes.articles, 0)
        ) / 2 as weight,
    from marts.quality_changes_by as providers
    inner join changes using (time_grain, period_start)
    where providers.dimension = 'provider'
),

effects as (
    select
        time_grain,
        period_start,
        coalesce(sum(weight * new_effect), 0) as new_effect,
        coalesce(sum(weight * removed_effect), 0) as removed_effect,
        coalesce(sum(weight * rescored_effect), 0) as rescored_effect,
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
)

select
    time_grain,  -- day, week, month, quarter or year
    period_start,  -- first day of the period of observation in UTC, Monday for weeks
    articles as scored_articles,  -- articles with a quality at the end of the period
    new_articles,  -- of those, added since the period before, another story at a known path too
    removed_articles,  -- scored articles of the period before that are gone, lost their score or hold another story
    rescored_articles,  -- same story and provider, other quality; a moved file is the same article
    round(mean, 6) as quality_mean,  -- mean quality of scored_articles at the end of the period
    round(change, 6) as quality_change,  -- quality_mean less that of the period before = the four effects; null in the first
    quality_change_p_value,  -- how often scores drawn by chance for what came, left and was re-scored move the mean as far; null if nothing did
    if(change is null, null, coalesce(round(effects.new_effect, 6), 0)) as new_effect,  -- new articles against those that stayed with their provider (or, if none did, against all it had)
    if(change is null, null, coalesce(round(effects.removed_effect, 6), 0)) as removed_effect,  -- articles that stayed with their provider against all it had before
    if(change is null, null, coalesce(round(effects.rescored_effect, 6), 0)) as rescored_effect,  -- new scores of the articles that stayed
    round(
        change - coalesce(effects.new_effect + effects.removed_effect + effects.rescored_effect, 0), 6
    ) + 0 as mix_effect,  -- providers' shares moved: change of share times the provider's mean of both ends
    if(change is null, null, furthest['commit']) as commit,  -- the commit that moved quality_mean furthest, up or down (all: marts.quality_changes_by_commit); null if none did
    if(change is null, null, furthest['quality_change']) as commit_change,  -- what this commit moved it by
from changes
left join effects using (time_grain, period_start)
left join commits using (time_grain, period_start)
order by time_grain, period_start
