-- More than half of the articles of the last run are gone: if that is meant, run again with --accept-loss.
-- severity: error
with earlier as (
    select run_id, table_rows['raw.articles'] as articles
    from ops.runs
    -- The newest receipt is this run's own.
    qualify row_number() over (order by started_at desc) = 2
),

now as (
    select count(*) as articles
    from raw.articles
)

select earlier.run_id as earlier_run, earlier.articles as earlier_articles, now.articles as articles_now
from earlier
cross join now
where now.articles < earlier.articles / 2
order by earlier_run
