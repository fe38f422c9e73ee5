"""The history of a repository → versions, in one comparison over (path, order of commit)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from flows.load import lives, moves, origins
from flows.load.commits import COLUMNS
from flows.load.ledger import Run
from flows.load.plan import Plan
from flows.load.states import STATE
from flows.warehouse.connection import Connection, row_count


def write(con: Connection, run: Run, until: datetime | None = None) -> int:
    """Compare each state of a path with the one before it; record and count what changed.

    Before the first of these commits, a path held what is loaded from it now. With `until`, the
    start of the first run, it held nothing, and what runs recorded after that stays.
    """
    known = "select null" if until else "select path from past_changes"
    moves.find(con, known)
    lives.follow(con, known)
    moves.record(con, run)
    if until:
        _join(con, run, until)
    else:
        _remember(con)
    return row_count(con, "past_moves")


def reread(con: Connection, plan: Plan, listed: Sequence[str]) -> Plan:
    """Have files that commits changed read again: the work tree may hold another state.

    Those that it lacks may have moved, though no run has seen them.
    """
    replayed = con.execute("select article_id from replayed").fetchall()
    if not replayed:
        return plan
    paths = {path for (path,) in replayed}.intersection(listed)
    con.execute(
        """
        update replayed
        set is_missing = true
        where
            is_loaded
            and article_id not in (select unnest($listed::varchar[]))
            and article_id not in (select path from ops.files where status <> 'gone')
        """,
        {"listed": sorted(paths)},
    )
    to_read = sorted(paths.union(plan.to_read))
    known = {path: known for path, known in plan.known.items() if path not in paths}
    return replace(plan, to_read=to_read, known=known, unchanged=plan.seen - len(to_read))


def _remember(con: Connection) -> None:
    """Keep the last commit's state of each path, to compare with the work tree."""
    con.execute(
        f"""
        create or replace temp table replayed as
        with files as (
            select path, last(content_hash order by nth) as content_hash
            from past_changes
            left join past_files using (key)
            group by path
        )

        select
            moves.path as article_id,
            not moves.is_departure as is_loaded,
            false as is_missing,
            files.content_hash,
            {COLUMNS},
            topics,
        from past_moves as moves
        left join past_states using (key)
        left join files on files.path = moves.path
        qualify row_number() over (partition by moves.path order by moves.nth desc) = 1
        """
    )


def _join(con: Connection, run: Run, first_run_at: datetime) -> None:
    """Join the history to what the first run saw."""
    con.execute(
        f"""
        insert into raw.article_versions by name
        -- The first run did not find what the last commit before it held.
        select
            moves.path as article_id,
            moves.path as origin_id,
            $first_run_at as observed_at,
            $run_id as run_id,
            'removed' as change,
            [] as changed_fields,
            {STATE.strip()}
            article.topics,
        from (
            from past_moves
            qualify row_number() over (partition by path order by nth desc) = 1
        ) as moves
        inner join past_states as article using (key)
        where not exists (
            from raw.article_versions as seen
            where seen.article_id = moves.path and seen.observed_at = $first_run_at
        )
        order by moves.path
        """,
        {"first_run_at": first_run_at, "run_id": run.run_id},
    )
    origins.follow(con)
