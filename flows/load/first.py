"""The first run of a warehouse: nothing is known, so nothing is compared."""

from typing import TYPE_CHECKING

from flows.load import staging
from flows.load.ledger import Run
from flows.warehouse.connection import Connection

if TYPE_CHECKING:
    import pandas as pd

    from flows.normalize.frames import Frames


def is_first(con: Connection, run: Run) -> bool:
    """Return whether no earlier run has left a file."""
    ((is_first,),) = con.execute(
        "select not exists (from ops.files where run_id is distinct from $run_id)",
        {"run_id": run.run_id},
    ).fetchall()
    return bool(is_first)


def append(con: Connection, frames: "Frames", run: Run) -> None:
    """Put the frames of a batch straight into the tables."""
    types = staging.read_column_types(con)
    staging.require_columns(types, frames)
    _append(con, frames, frames["ops.files"], types, run)


def _append(
    con: Connection, frames: "Frames", files: "pd.DataFrame", types: staging.Types, run: Run
) -> None:
    # DuckDB finds frames by the names of parameters and variables.
    batch = """(
        select
            * replace (if(status = 'missed', 'quarantined', status) as status),
            $started_at as first_seen_at,
            'new' as outcome,
            null as known_changed_at,
        from files
        -- Temporary files of other programs come and go.
        where status <> 'missed' or reason_code <> 'vanished'
    ) as batch"""
    for table, key in staging.STATE_TABLES.items():
        frame = frames[table]
        if frame.empty:
            continue
        is_of_run = table in staging.RUN_COLUMNS
        con.execute(
            f"""
            insert into {table} by name
            select {staging.select_list(table, types[table])}
            from frame as incoming
            {f"inner join {batch} on batch.path = incoming.{key}" if is_of_run else ""}
            """,
            {"started_at": run.started_at} if is_of_run else {},
        )
    con.execute(
        f"""
        insert into ops.files by name
        select {staging.select_list("ops.files", types["ops.files"], "batch")}
        from {batch}
        """,
        {"run_id": run.run_id, "started_at": run.started_at},
    )
