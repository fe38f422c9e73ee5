-- When was anything of the source seen for the first time?
-- Grain: one row, without a time where nothing has been seen yet
-- Reads: staging.article_histories
-- Note: a table of its own, so that no article depends on all others. What it brought is an import of what was there
-- before, which says nothing about delays.
select min(first_seen_at) as first_seen_at  -- time of the first commit, or start of the first run
from staging.article_histories
