-- Why did the mean quality move: new articles, removed ones, new scores, or another mix of providers?
-- Grain: one row per time_grain and period of observation, from the first to the last observed one
-- Reads: staging.article_versions
-- Note: periods are of observation, not publication; the first is the import and explains nothing. Method:
-- new + removed + re-scored, weighted by the provider's share at both ends, + mix shift = quality_change.
with versions as (
    select
        origin_id,
        coalesce(provider, '(none)') as provider,
        coalesce(story_url, '(none)') as story_url,
        quality,
        lag(quality) over by_time as earlier_quality,
        lag(coalesce(provider, '(none)')) over by_time as earlier_provider,
        lag(coalesce(story_url, '(none)')) over by_time as earlier_story_url,
        cast(timezone('UTC', lag(valid_from) over by_time) as date) as earlier_date,
        cast(timezone('UTC', valid_from) as date) as from_date,
        cast(timezone('UTC', valid_to) as date) as to_date,
    from staging.article_versions
    -- The old path of a rename is removed in the moment in which the new one goes on.
    window by_time as (partition by origin_id order by valid_from, change = 'renamed')
),

day_periods as (
    select from_date as day, unnest(periods_of(from_date), recursive := true)
    from (select distinct from_date from versions)
),

states as not materialized (
    select
        day_periods.time_grain,
        day_periods.period_start,
        versions.*,
        before.period_start is distinct from day_periods.period_start as is_first,
        ends.period_start is distinct from day_periods.period_start as is_last,
    from versions
    inner join day_periods on day_periods.day = versions.from_date
    left join day_periods as before on before.day = versions.earlier_date and before.time_grain = day_periods.time_grain
    left join day_periods as ends on ends.day = versions.to_date and ends.time_grain = day_periods.time_grain
),

-- The state at the end of a period goes on from the one before the period's first. Nearly always it is the
-- only one of its period, so that no window over all grains has to look for the other.
steps as (
    select *
    from states
    where is_first and is_last
    union all
    select closing.* replace (
        opening.earlier_quality as earlier_quality,
        opening.earlier_provider as earlier_provider,
        opening.earlier_story_url as earlier_story_url
    )
    from states as closing
    inner join states as opening
        on opening.origin_id = closing.origin_id
        and opening.time_grain = closing.time_grain
        and opening.period_start = closing.period_start
    where closing.is_last and not closing.is_first and opening.is_first and not opening.is_last
),

-- Another story or outlet at the same path is no new score: the old one left, the new one came.
compared as (
    select
        *,
        quality is not null and earlier_quality is not null
        and provider = earlier_provider and story_url = earlier_story_url as stays,
    from steps
),

sides as (
    select time_grain, period_start, provider, quality as came, null as gone, null as moved_by
    from compared
    where not stays and quality is not null
    union all
    select time_grain, period_start, earlier_provider, null, earlier_quality, null
    from compared
    where not stays and earlier_quality is not null
    union all
    select time_grain, period_start, provider, null, null, quality - earlier_quality
    from compared
    where stays
),

changed as (
    select
        time_grain,
        period_start,
        provider,
        count(came) as new_articles,
        count(gone) as removed_articles,
        count(nullif(moved_by, 0)) as rescored_articles,
        coalesce(sum(came), 0) as new_points,
        coalesce(sum(gone), 0) as removed_points,
        coalesce(sum(moved_by), 0) as rescored_points,
    from sides
    group by time_grain, period_start, provider
),

stocks as (
    select
        *,
        coalesce(sum(new_articles - removed_articles) over earlier, 0) as articles_before,
        coalesce(sum(new_points - removed_points + rescored_points) over earlier, 0) as points_before,
        articles_before - removed_articles as stayed,
        articles_before - removed_articles + new_articles as articles_after,
        points_before - removed_points + rescored_points + new_points as points_after,
    from changed
    window earlier as (
        partition by time_grain, provider
        order by period_start
        rows between unbounded preceding and 1 preceding
    )
),

periods as (
    select time_grain, unnest(periods_between(time_grain, min(period_start), max(period_start))) as period_start
    from day_periods
    group by time_grain
),

totals as (
    select
        periods.time_grain,
        periods.period_start,
        coalesce(sum(changed.new_articles), 0) as new_articles,
        coalesce(sum(changed.removed_articles), 0) as removed_articles,
        coalesce(sum(changed.rescored_articles), 0) as rescored_articles,
        sum(sum(changed.new_articles - changed.removed_articles)) over by_time as articles,
        sum(sum(changed.new_points - changed.removed_points + changed.rescored_points)) over by_time as points,
    from periods
    left join changed using (time_grain, period_start)
    group by periods.time_grain, periods.period_start
    window by_time as (partition by periods.time_grain order by periods.period_start)
),

means as (
    select
        *,
        points / nullif(articles, 0) as quality_mean,
        lag(points / nullif(articles, 0)) over by_time as earlier_mean,
        lag(articles) over by_time as earlier_articles,
    from totals
    window by_time as (partition by time_grain order by period_start)
),

within_providers as (
    select
        stocks.time_grain,
        stocks.period_start,
        (
            stocks.articles_before / nullif(means.earlier_articles, 0)
            + stocks.articles_after / nullif(means.articles, 0)
        ) / 2 as weight,
        stocks.points_before / nullif(stocks.articles_before, 0) as mean_before,
        stocks.points_after / nullif(stocks.articles_after, 0) as mean_after,
        (stocks.points_before - stocks.removed_points) / nullif(stocks.stayed, 0) as stayed_before,
        (stocks.points_before - stocks.removed_points + stocks.rescored_points)
        / nullif(stocks.stayed, 0) as stayed_after,
    from stocks
    inner join means on means.time_grain = stocks.time_grain and means.period_start = stocks.period_start
),

-- A provider that comes or goes as a whole has no mean to compare with: all of it is mix.
effects as (
    select
        time_grain,
        period_start,
        sum(weight * coalesce(mean_after - stayed_after, mean_after - mean_before, 0)) as new_effect,
        sum(weight * coalesce(stayed_before - mean_before, 0)) as removed_effect,
        sum(weight * coalesce(stayed_after - stayed_before, 0)) as rescored_effect,
    from within_providers
    group by time_grain, period_start
),

explained as (
    select
        means.*,
        quality_mean - earlier_mean as quality_change,
        if(earlier_mean is null or quality_mean is null, null, coalesce(new_effect, 0)) as new_effect,
        if(earlier_mean is null or quality_mean is null, null, coalesce(removed_effect, 0)) as removed_effect,
        if(earlier_mean is null or quality_mean is null, null, coalesce(rescored_effect, 0)) as rescored_effect,
    from means
    left join effects on effects.time_grain = means.time_grain and effects.period_start = means.period_start
)

select
    time_grain,  -- day, week, month, quarter or year
    period_start,  -- first day of the period of observation in UTC, Monday for weeks
    coalesce(cast(articles as bigint), 0) as scored_articles,  -- articles with a quality at the end of the period
    cast(new_articles as bigint) as new_articles,  -- of those, added since the period before, another story at a known path too
    cast(removed_articles as bigint) as removed_articles,  -- scored articles of the period before that are gone, lost their score or hold another story
    cast(rescored_articles as bigint) as rescored_articles,  -- same story and provider, other quality
    round(quality_mean, 6) as quality_mean,  -- mean quality of scored_articles at the end of the period
    round(quality_change, 6) as quality_change,  -- quality_mean less that of the period before = the four effects; null in the first
    round(new_effect, 6) as new_effect,  -- new articles against those that stayed with their provider (or, if none did, against all it had)
    round(removed_effect, 6) as removed_effect,  -- articles that stayed with their provider against all it had before
    round(rescored_effect, 6) as rescored_effect,  -- new scores of the articles that stayed
    round(quality_change - new_effect - removed_effect - rescored_effect, 6) + 0 as mix_effect,  -- providers' shares moved: change of share times the provider's mean of both ends
from explained
order by time_grain, period_start
