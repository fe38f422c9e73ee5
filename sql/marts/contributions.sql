-- How actively is the collection maintained: how many commits came, and what did they do to its articles?
-- Grain: one row per time_grain and period with a commit to the content (time_grain, period_start)
-- Reads: raw.commits, staging.article_versions
-- Note: filter on one time_grain. A commit that only rewrites files (a signature, line ends) counts as one, but
-- changes no article. What runs saw on disk without a commit is not here; empty without a history.
with commits as (
    select
        commit,
        files,
        -- A late pull makes the observation late, and a wrong clock the commit; its place in the order stays.
        cast(
            timezone('UTC', max(least(committed_at, observed_at)) over (order by observed_at)) as date
        ) as day,
    from raw.commits
),

changes as (
    select
        commit,
        origin_id,
        change,
        list_has_any(changed_fields, ['quality', 'heat']) as is_rescored,
    from staging.article_versions
    where not is_old_path
),

periods as (
    select day, unnest(periods_of(day), recursive := true)
    from (select distinct day from commits)
),

totals as (
    select periods.time_grain, periods.period_start, count(*) as commits, sum(commits.files) as files
    from commits
    inner join periods on periods.day = commits.day
    group by periods.time_grain, periods.period_start
),

effects as (
    select
        periods.time_grain,
        periods.period_start,
        count(distinct changes.commit) as effective_commits,
        count(distinct changes.origin_id) as articles,
        count(*) filter (changes.change in ('added', 'returned')) as added,
        count(*) filter (changes.change = 'changed') as changed,
        count(*) filter (changes.is_rescored) as rescored,
        count(*) filter (changes.change = 'renamed') as renamed,
        count(*) filter (changes.change = 'removed') as removed,
    from changes
    inner join commits on commits.commit = changes.commit
    inner join periods on periods.day = commits.day
    group by periods.time_grain, periods.period_start
)

select
    totals.time_grain,  -- day, week, month, quarter or year
    totals.period_start,  -- first day of the period of the commits in UTC, Monday for weeks
    totals.commits,  -- commits that touched a content file
    coalesce(effects.effective_commits, 0) as effective_commits,  -- of those, the ones that changed what an article says
    cast(totals.files as bigint) as files,  -- content files that the commits added, changed or removed, each time
    coalesce(effects.articles, 0) as changed_articles,  -- distinct articles that came, changed, moved or went
    coalesce(effects.added, 0) as additions,  -- articles that came or came back
    coalesce(effects.changed, 0) as changes,  -- changes of what an article says, new scores included
    coalesce(effects.rescored, 0) as rescorings,  -- of the changes, those of quality or heat
    coalesce(effects.renamed, 0) as renames,  -- articles that moved to another path
    coalesce(effects.removed, 0) as removals,  -- articles that went
from totals
left join effects on effects.time_grain = totals.time_grain and effects.period_start = totals.period_start
order by totals.time_grain, totals.period_start
