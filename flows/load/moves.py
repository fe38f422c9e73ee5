"""What commits did to each path: its states compared, in order, and written as versions."""

from flows.load.commits import COLUMNS
from flows.load.ledger import Run
from flows.load.states import ANALYTIC_COLUMNS, STATE, compare_columns, query_states
from flows.warehouse.connection import Connection


def find(con: Connection, known: str) -> None:
    """Find each change of a state; `known` is a query for paths whose loaded state is the first."""
    # States are compared as numbers: most commits rewrite a file without changing what it says.
    con.execute(
        f"""
        create or replace temp table past_states as
        select dense_rank() over (order by {COLUMNS}, topics) as state, *
        from (
            from past_articles
            union all by name
            select
                '/' || article_id as key,
                {COLUMNS},
                topics,
            from ({query_states(known)})
        )
        """
    )
    con.execute(
        f"""
        create or replace temp table past_moves as
        with
            events as (
                select nth, path, before, after, of_key as key
                from past_changes
                left join past_files using (key)
                union all
                select 0, substr(key, 2), null, null, key
                from past_states
                where starts_with(key, '/')
            ),

            known as (
                select distinct article_id
                from raw.article_versions
                where article_id in ({known})
            ),

            states as (
                select
                    events.*,
                    past_states.state,
                    lag(past_states.state) over by_commit as earlier_state,
                    lag(events.key) over by_commit as earlier_key,
                    known.article_id is not null
                    or count(past_states.state) over (
                        by_commit rows between unbounded preceding and 1 preceding
                    ) > 0 as is_past,
                from events
                left join past_states using (key)
                left join known on known.article_id = events.path
                window by_commit as (partition by events.path order by events.nth)
            ),

            moves as (
                select
                    *,
                    earlier_state is null as is_arrival,
                    state is null as is_departure,
                    row_number() over (
                        partition by nth, is_arrival, is_departure, if(is_arrival, after, before)
                        order by path
                    ) as pair,
                from states
                where nth > 0 and state is distinct from earlier_state
            )

        -- A rename is a path that comes with the bytes of one that goes in the same commit.
        select
            -- What moves onto a broken file is compared with itself, not with that file.
            moves.* replace (coalesce(gone.earlier_key, moves.earlier_key) as earlier_key),
            gone.path as renamed_from,
            case
                when moves.is_departure then 'removed'
                when not moves.is_arrival then 'changed'
                when gone.path is not null then 'renamed'
                when moves.is_past then 'returned'
                else 'added'
            end as change,
        from moves
        left join (from moves where is_departure) as gone
            on moves.is_arrival
            and gone.nth = moves.nth
            and gone.before = moves.after
            and gone.pair = moves.pair
        """
    )


def record(con: Connection, run: Run) -> None:
    """Write the changes as versions, the commits, and what was broken in them."""
    differs = compare_columns((*ANALYTIC_COLUMNS, "topics"))
    con.execute(
        f"""
        insert into raw.article_versions by name
        select
            moves.path as article_id,
            coalesce(past_origins.origin_id, moves.path) as origin_id,
            past_commits.observed_at,
            $run_id as run_id,
            moves.change,
            if(
                moves.change in ('changed', 'renamed'),
                list_filter([{differs}], lambda name: name is not null),
                []
            ) as changed_fields,
            moves.renamed_from,
            {STATE.strip()}
            article.topics,
            past_commits.commit,
            past_commits.committed_at,
        from past_moves as moves
        inner join past_commits using (nth)
        -- What is removed keeps the state that it had.
        inner join past_states as article
            on article.key = if(moves.change = 'removed', moves.earlier_key, moves.key)
        left join past_states as earlier on earlier.key = moves.earlier_key
        asof left join past_origins
            on past_origins.path = moves.path and past_origins.nth <= moves.nth
        order by moves.nth, moves.change = 'renamed', moves.path
        """,
        {"run_id": run.run_id},
    )
    con.execute(
        """
        insert into raw.commits by name
        select commit, committed_at, observed_at, $run_id as run_id, count(*) as files
        from past_commits
        inner join past_changes using (nth)
        -- Somebody may have gone back to an earlier commit, and on from there again.
        where commit not in (select commit from raw.commits)
        group by all
        order by observed_at
        """,
        {"run_id": run.run_id},
    )
    con.execute(
        """
        insert into ops.past_quarantine by name
        select
            path,
            commit,
            observed_at,
            past_files.* exclude (key, status, content_hash, of_key),
            $run_id as run_id,
        from past_changes
        inner join past_files using (key)
        inner join past_commits using (nth)
        where
            status = 'quarantined'
            and (path, commit) not in (select (path, commit) from ops.past_quarantine)
        order by observed_at, path
        """,
        {"run_id": run.run_id},
    )
