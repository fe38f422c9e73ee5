"""The first run of a warehouse: nothing is known, so nothing is compared."""

from typing import TYPE_CHECKING

from flows.load import staging, versions
from flows.load.ledger import Outcomes, Run
from flows.warehouse.connection import Connection, row_count

if TYPE_CHECKING:
    from flows.normalize.frames import Frames


def is_first(con: Connection, run: Run) -> bool:
    """Return whether no earlier run and no replayed commit has left anything."""
    ((is_first,),) = con.execute(
        """
        select
            not exists (from ops.files where run_id is distinct from $run_id)
            and not exists (from raw.article_versions)
        """,
        {"run_id": run.run_id},
    ).fetchall()
    return bool(is_first)


def append(con: Connection, frames: "Frames", run: Run) -> None:
    """Put the frames of a batch straight into the tables."""
    types = staging.read_column_types(con)
    staging.require_columns(types, frames)
    # DuckDB finds the frames by their names.
    files, named = frames["ops.files"], {"run_id": run.run_id, "started_at": run.started_at}  # noqa: F841
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
        named,
    )


def finish(con: Connection, run: Run) -> Outcomes:
    """Give each article its first version, and count."""
    versions.write_first(con, run)
    files = row_count(con, "ops.files")
    return Outcomes(new=files, changed=0, unchanged=0, renamed=0, returned=0, gone=0)
