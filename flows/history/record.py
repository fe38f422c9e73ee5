"""Changes of paths → versions of articles: what differs from the state before, and renames."""

from typing import TYPE_CHECKING

from flows.history import identities
from flows.history.changes import read_columns
from flows.history.renames import query_renames
from flows.warehouse.connection import Connection, row_count

if TYPE_CHECKING:
    import pandas as pd


def record(con: Connection, run_id: str) -> None:
    """Write the versions that the changes make, and the commits among them."""
    if not row_count(con, "changes"):
        return
    _write_commits(con, run_id)
    columns = [*read_columns(con), "topics"]
    compared = [column for column in columns if column != "title_text"]
    _compare(con, compared)
    kept = [column for column in columns if column not in ("title", "excerpt")]
    _write_versions(con, run_id, identities.assign(con), compared, kept)


def _write_commits(con: Connection, run_id: str) -> None:
    con.execute(
        """
        insert into raw.commits by name
        select commit, committed_at, observed_at, $run_id as run_id, count(*) as files
        from changes
        -- Somebody may have gone back to an earlier commit, and on from there again.
        where commit is not null and commit not in (select commit from raw.commits)
        group by all
        order by observed_at
        """,
        {"run_id": run_id},
    )


# Each path's states in order, each with the one before; what the run found loaded comes first.
_ORDERED = """
    known as (
        select distinct article_id as path
        from raw.article_versions
        where
            article_id in (select path from changes)
            and observed_at < (select min(observed_at) from changes)
    ),

    events as (
        select changes.* replace (coalesce(states.same_as, states.key) as key)
        from changes
        left join states using (key)
        union all by name
        select 0 as nth, substr(key, length('earlier/') + 1) as path, key
        from states
        where starts_with(key, 'earlier/')
    ),

    -- States are compared by their hashes, which do not depend on how a frame typed them.
    said as (
        select key, hash({compared}) as state
        from states
        where same_as is null
    ),

    ordered as (
        select
            events.*,
            said.state,
            lag(said.state) over by_time as earlier_state,
            lag(events.key) over by_time as earlier_key,
            known.path is not null
            or count(said.state) over (
                by_time rows between unbounded preceding and 1 preceding
            ) > 0 as is_past,
        from events
        left join said using (key)
        left join known on known.path = events.path
        window by_time as (partition by events.path order by events.nth)
    )
"""
_COME_AND_GONE = """
    select nth, path, earlier_state is null as comes, if(comes, after, before) as content
    from differing
    where earlier_state is null or state is null
"""


def _compare(con: Connection, compared: list[str]) -> None:
    """Leave the changes that made another state of an article, each with what it was before."""
    con.execute(
        f"""
        create or replace temp table changes as
        with
            {_ORDERED.format(compared=", ".join(compared))},

            differing as (
                from ordered
                where nth > 0 and state is distinct from earlier_state
            ),

            renames as ({query_renames(_COME_AND_GONE)})

        select
            differing.* replace (
                -- What moves onto a broken file is compared with itself, not with that file.
                coalesce(moved.earlier_key, differing.earlier_key) as earlier_key
            ),
            renames.renamed_from,
            case
                when differing.state is null then 'removed'
                when differing.earlier_state is not null then 'changed'
                when renames.path is not null then 'renamed'
                when differing.is_past then 'returned'
                else 'added'
            end as change,
        from differing
        left join renames using (nth, path)
        left join differing as moved
            on moved.nth = renames.nth and moved.path = renames.renamed_from
        """
    )


def _write_versions(
    con: Connection,
    run_id: str,
    origins: "pd.DataFrame",
    compared: list[str],
    kept: list[str],
) -> None:
    differences = ", ".join(
        f"if(article.{name} is distinct from earlier.{name}, '{name}', null)" for name in compared
    )
    # DuckDB finds `origins` by the name of the parameter.
    con.execute(
        f"""
        insert into raw.article_versions by name
        select
            changes.path as article_id,
            coalesce(origins.origin_id, changes.path) as origin_id,
            observed_at,
            $run_id as run_id,
            change,
            if(
                change in ('changed', 'renamed'),
                list_filter([{differences}], lambda name: name is not null),
                []
            ) as changed_fields,
            renamed_from,
            {", ".join(f"article.{name}" for name in kept)},
            commit,
            committed_at,
        from changes
        -- What is removed keeps the state that it had.
        inner join states as article
            on article.key = if(change = 'removed', changes.earlier_key, changes.key)
        left join states as earlier on earlier.key = changes.earlier_key
        left join origins on origins.nth = changes.nth and origins.path = changes.path
        order by changes.nth, change = 'renamed', changes.path
        """,
        {"run_id": run_id},
    )
