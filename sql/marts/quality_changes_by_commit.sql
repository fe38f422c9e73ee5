-- Which commits moved the mean quality, and by how much?
-- Grain: one row per commit, or run that saw files on disk first, in which a score came, went or changed (observed_at)
-- Reads: staging.article_versions
-- Note: the changes of a period's rows add up to its quality_change in marts.quality_changes. What an article was
-- just before is compared, so that a score that came and went within a period is in two rows here and in none there.
with states as (
    select
        origin_id,
        valid_from,
        commit,
        committed_at,
        quality,
        (coalesce(story_url, '(none)'), coalesce(provider, '(none)')) as story,
    from staging.article_versions
    where not is_old_path
),

steps as (
    select
        *,
        lag(quality) over by_time as earlier_quality,
        coalesce(lag(story) over by_time = story and quality is not null and earlier_quality is not null, false)
            as is_same_story,
    from states
    window by_time as (partition by origin_id order by valid_from)
),

moments as (
    select
        valid_from as observed_at,
        any_value(commit) as commit,
        any_value(committed_at) as committed_at,
        count(quality) filter (not is_same_story) as new_articles,
        count(earlier_quality) filter (not is_same_story) as removed_articles,
        count(*) filter (is_same_story) as rescored_articles,
        sum(coalesce(quality, 0) - coalesce(earlier_quality, 0)) as points,
    from steps
    where (quality is distinct from earlier_quality) or (quality is not null and not is_same_story)
    group by valid_from
),

totals as (
    select
        *,
        sum(new_articles - removed_articles) over by_time as scored_articles,
        sum(points) over by_time / nullif(scored_articles, 0) as quality_mean,
    from moments
    window by_time as (order by observed_at)
)

select
    observed_at,  -- when the commit was observed, or start of the run
    commit,  -- the commit, null for a run that saw files on disk first
    committed_at,  -- time of the commit, null for a run
    cast(scored_articles as bigint) as scored_articles,  -- articles with a quality from then on
    new_articles,  -- of those, new ones, or with another story at a known path
    removed_articles,  -- scored articles that went, lost their score or hold another story since
    rescored_articles,  -- same story and provider, other quality
    round(quality_mean, 6) as quality_mean,  -- mean quality of scored_articles
    round(quality_mean - lag(quality_mean) over (order by observed_at), 6) as quality_change,  -- quality_mean less that of the row before, null in the first
from totals
order by observed_at
