"""The ledger of files (ops.files) and of runs (ops.runs)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flows.load import staging
from flows.warehouse.connection import sql_identifier

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Run:
    """The refresh that is loading: its id and its start, which is when it observes."""

    run_id: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many files of each kind a refresh met."""

    new: int
    changed: int
    unchanged: int
    renamed: int
    returned: int
    gone: int

    @property
    def any(self) -> bool:
        """Whether the source differs from what is loaded."""
        return bool(self.new or self.changed or self.renamed or self.gone)


def classify(con: "duckdb.DuckDBPyConnection", run: Run) -> None:
    """Tell new, changed, renamed, returned and unchanged apart, one row per file of the batch.

    A rename is a new path with the bytes of a vanished one; equal bytes pair off in order of path.
    """
    con.execute(
        f"""
        create or replace temp table batch as
        with
            -- Few of many: a join would take in the whole ledger.
            known as (
                from ops.files where path in (select path from {staging.name_of("ops.files")})
            ),

            read_files as (
                select
                    incoming.*,
                    known.status as known_status,
                    known.first_seen_at as known_first_seen_at,
                    known.changed_at as known_changed_at,
                    known.path is null or known.status = 'gone' as is_new,
                    incoming.status is null or (
                        not is_new
                        and incoming.status = known.status
                        and incoming.content_hash is not distinct from known.content_hash
                        and incoming.reason_code is not distinct from known.reason_code
                    ) as is_same,
                    row_number() over (
                        partition by is_new, incoming.content_hash order by incoming.path
                    ) as nth,
                from {staging.name_of("ops.files")} as incoming
                left join known using (path)
            ),

            available as (
                select
                    *,
                    row_number() over (partition by content_hash order by path) as nth,
                from vanished
                where path not in (select renamed_from from outcomes where renamed_from is not null)
            )

        select
            read_files.*,
            available.path as renamed_from,
            case
                when is_same then 'unchanged'
                when not is_new then 'changed'
                when available.path is not null then 'renamed'
                when known_status is not null then 'returned'
                else 'new'
            end as outcome,
            coalesce(
                available.first_seen_at, known_first_seen_at, $started_at
            ) as first_seen_at,
        from read_files
        left join available
            on is_new
            and read_files.content_hash = available.content_hash
            and read_files.nth = available.nth
        """,
        {"started_at": run.started_at},
    )
    con.execute("insert into outcomes select path, outcome, renamed_from from batch")


def write(con: "duckdb.DuckDBPyConnection", run: Run) -> None:
    """Bring the ledger's rows of the batch up to date."""
    con.execute(
        """
        update ops.files
        set
            size_bytes = batch.size_bytes,
            mtime_ns = batch.mtime_ns,
            ctime_ns = batch.ctime_ns,
            inode = batch.inode,
        from batch
        where batch.path = files.path and batch.status is null
        """
    )
    con.execute(
        "delete from ops.files where path in (select path from batch where status is not null)"
    )
    warnings = staging.from_frame("warnings", staging.column_types(con, "ops.files")["warnings"])
    con.execute(
        f"""
        insert into ops.files by name
        select
            incoming.* replace ({warnings} as warnings),
            batch.first_seen_at,
            case
                when outcome = 'unchanged' then known_changed_at else $started_at
            end as changed_at,
            null as gone_at,
            $run_id as run_id,
        from {staging.name_of("ops.files")} as incoming
        inner join batch using (path)
        where incoming.status is not null
        """,
        {"started_at": run.started_at, "run_id": run.run_id},
    )


def mark_gone(con: "duckdb.DuckDBPyConnection", run: Run) -> None:
    """Note the vanished files as gone; their rows stay."""
    con.execute(
        """
        update ops.files
        set status = 'gone', gone_at = $started_at, changed_at = $started_at, run_id = $run_id
        where path in (select path from vanished)
        """,
        {"started_at": run.started_at, "run_id": run.run_id},
    )


def is_outdated(con: "duckdb.DuckDBPyConnection", sql_hash: str) -> bool:
    """Return whether other SQL files built the tables than the ones at hand."""
    last = con.execute("select sql_hash from ops.runs order by run_id desc limit 1").fetchall()
    return last != [(sql_hash,)]


def record(con: "duckdb.DuckDBPyConnection", receipt: Mapping[str, Any]) -> None:
    """Write the run's row in ops.runs, replacing an earlier state of the same run."""
    types = staging.column_types(con, "ops.runs")
    values = (f"${name}::{kind} as {sql_identifier(name)}" for name, kind in types.items())
    con.execute("delete from ops.runs where run_id = $run_id", {"run_id": receipt["run_id"]})
    con.execute(
        f"insert into ops.runs by name select {', '.join(values)}",
        {name: receipt[name] for name in types},
    )
