"""The ledger of files (ops.files) and of runs (ops.runs)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flows.history.renames import query_renames
from flows.load import staging
from flows.warehouse.connection import Connection, sql_identifier, table_names


@dataclass(frozen=True, slots=True)
class Run:
    """The run that is loading: its id and its start, which is when it observes."""

    run_id: str
    started_at: datetime

    @classmethod
    def at(cls, started_at: datetime) -> "Run":
        """Return the run of a start, which its id spells out."""
        return cls(f"{started_at:%Y%m%dT%H%M%S%fZ}", started_at)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many files of each kind a run met."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    renamed: int = 0
    returned: int = 0
    gone: int = 0

    @property
    def any(self) -> bool:
        """Whether the source differs from what is loaded."""
        return bool(self.new or self.changed or self.renamed or self.gone)


def begin_run(con: Connection, now: datetime, taken: Collection[str] = ()) -> Run:
    """Return a run that starts now, or right after the newest one if the clock was put back.

    Times of runs are the order of the history. `taken` are ids that rejected runs have.
    """
    ((newest,),) = con.execute("select epoch_us(max(started_at)) from ops.runs").fetchall()
    tick = timedelta(microseconds=1)
    if newest is not None:
        now = max(now, datetime.fromtimestamp(0, UTC) + (newest + 1) * tick)
    while Run.at(now).run_id in taken:
        now += tick
    return Run.at(now)


# What came in beside what was known of it, and the known files that the scan missed.
_FOUND = f"""
    -- The batch is small: a subquery avoids scanning the whole ledger.
    known as (
        from ops.files where path in (select path from {staging.incoming("ops.files")})
    ),

    found as (
        select
            known.status as known_status,
            known.first_seen_at as known_first_seen_at,
            known.changed_at as known_changed_at,
            known.path is null or known.status = 'gone' as is_new,
            -- What could not be read just now stays as it was.
            incoming.status <> 'same' and (is_new or incoming.status <> 'missed') as is_read,
            not is_read or (
                not is_new
                and incoming.status = known.status
                and incoming.content_hash is not distinct from known.content_hash
                and incoming.reason_code is not distinct from known.reason_code
            ) as is_same,
            incoming.* replace (
                if(is_new and incoming.status = 'missed', 'quarantined', incoming.status) as status
            ),
        from {staging.incoming("ops.files")} as incoming
        left join known using (path)
        -- Temporary files of other programs come and go.
        where not is_new or incoming.status <> 'missed' or incoming.reason_code <> 'vanished'
    ),

    vanished as (
        from {staging.replaced("ops.files")}
        where path in (select path from ({staging.VANISHED}))
    )
"""
_COME_AND_GONE = """
    select 0 as nth, path, content_hash as content, true as comes
    from found
    where is_new
    union all
    select 0, path, content_hash, false
    from vanished
    where path not in (select renamed_from from touched where renamed_from is not null)
"""


def classify(con: Connection, run: Run) -> None:
    """Tell new, changed, renamed, returned and unchanged apart, one row per file of the batch."""
    con.execute(
        f"""
        create or replace temp table batch as
        with {_FOUND}, renames as ({query_renames(_COME_AND_GONE)})

        select
            found.*,
            renames.renamed_from,
            case
                when is_same then 'unchanged'
                when not is_new then 'changed'
                when renames.path is not null then 'renamed'
                when known_status is not null then 'returned'
                else 'new'
            end as outcome,
            coalesce(
                vanished.first_seen_at, known_first_seen_at, $started_at
            ) as first_seen_at,
        from found
        left join renames using (path)
        left join vanished on vanished.path = renames.renamed_from
        """,
        {"started_at": run.started_at},
    )


def write(con: Connection, columns: str, run: Run) -> None:
    """Bring the ledger's rows of the batch up to date; `columns` is their select list."""
    con.execute(
        """
        update ops.files
        set size_bytes = coalesce(batch.size_bytes, files.size_bytes), mark = batch.mark
        from batch
        where batch.path = files.path and not batch.is_read
        """
    )
    con.execute("delete from ops.files where path in (select path from batch where is_read)")
    con.execute(
        f"""
        insert into ops.files by name
        select {columns}
        from batch
        where is_read
        """,
        {"started_at": run.started_at, "run_id": run.run_id},
    )


def mark_gone(con: Connection, run: Run) -> None:
    """Note the vanished files as gone; their rows stay."""
    con.execute(
        f"""
        update ops.files
        set status = 'gone', gone_at = $started_at, changed_at = $started_at, run_id = $run_id
        where path in (select path from ({staging.VANISHED}))
        """,
        {"started_at": run.started_at, "run_id": run.run_id},
    )


def is_outdated(con: Connection, sql_hash: str) -> bool:
    """Return whether other SQL files built the tables than the ones at hand."""
    last = con.execute("select arg_max(sql_hash, started_at) from ops.runs").fetchall()
    return last != [(sql_hash,)]


def is_article_due(con: Connection, run: Run) -> bool:
    """Return whether an article has come in, or expired, since the models were built."""
    if "staging.clock" not in table_names(con):
        return False
    due = con.execute(
        "from staging.clock where next_date <= cast(timezone(time_zone, $now) as date)",
        {"now": run.started_at},
    )
    return bool(due.fetchall())


def has_versions(con: Connection, run: Run, *, of_the_past: bool = False) -> bool:
    """Return whether the run has written a version, or one of a time before an earlier run."""
    found = con.execute(
        """
        select exists (
            from raw.article_versions
            where
                run_id = $run_id
                and (not $of_the_past or observed_at < (
                    select max(started_at) from ops.runs where run_id <> $run_id
                ))
        )
        """,
        {"run_id": run.run_id, "of_the_past": of_the_past},
    ).fetchall()
    return found == [(True,)]


def record(con: Connection, receipt: Mapping[str, Any]) -> None:
    """Write the run's row in ops.runs, in the place of one that knew less."""
    types = staging.read_column_types(con)["ops.runs"]
    values = (f"${name}::{kind} as {sql_identifier(name)}" for name, kind in types.items())
    con.execute("delete from ops.runs where run_id = $run_id", {"run_id": receipt["run_id"]})
    con.execute(
        f"insert into ops.runs by name select {', '.join(values)}",
        {name: receipt[name] for name in types},
    )
