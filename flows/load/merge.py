"""Frames → DuckDB raw tables, together with the ledger and the score history."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.load import first, ledger, staging, versions
from flows.load.ledger import Outcomes, Run
from flows.models.changes import Delta
from flows.warehouse.connection import (
    Connection,
    fingerprint,
    row_count,
    sql_literal,
    table_names,
)
from flows.warehouse.generations import WarehouseDamaged

if TYPE_CHECKING:
    from flows.normalize.frames import Frames

# Files that wait together in memory (2 kB each) for one comparison with the tables.
MERGE_FILES = 30_000

# What the last commit holds may be missing from the work tree, as what was there may have vanished.
_MISSING = """
    select path from vanished
    union
    select article_id from replayed
    where article_id not in (select path from ops.files where status <> 'gone')
"""


def begin(con: Connection, vanished: Sequence[str]) -> None:
    """Open the transaction; `vanished` are the paths that the scan missed."""
    con.execute("begin")
    staging.create(con, vanished)
    versions.begin(con)


def load(con: Connection, frames: "Frames", run: Run) -> None:
    """Take one batch in, and merge what has come in once it is worth comparing with the tables."""
    if first.is_first(con, run):
        first.append(con, frames, run)
        if row_count(con, "ops.files") % MERGE_FILES < len(frames["ops.files"]):
            _commit_part(con)
        return
    staging.stage(con, frames)
    # Each merge reads the whole tables: one per batch would make the cost grow with the square.
    if row_count(con, staging.incoming("ops.files")) >= MERGE_FILES:
        _merge(con, run)
        _commit_part(con)


def _commit_part(con: Connection) -> None:
    # What is not committed stays in memory, and the working copy counts only once it is whole.
    con.execute("commit")
    con.execute("begin")


def _merge(con: Connection, run: Run) -> None:
    """Write versions first, while the earlier state is still there to compare with."""
    types = staging.read_column_types(con)
    ledger.classify(con, run)
    versions.write(con, run)
    staging.touch(con, "select path, is_read from batch")
    for table, key in staging.STATE_TABLES.items():
        _replace(con, table, key, staging.select_list(table, types[table]), run)
    ledger.write(con, staging.select_list("ops.files", types["ops.files"], "batch"), run)
    staging.clear(con)


def _replace(con: Connection, table: str, key: str, columns: str, run: Run) -> None:
    """Put the rows that came in into the place of the earlier rows of the same files."""
    needs_batch = table in staging.RUN_COLUMNS
    earlier = f"from {table} where {key} in (select path from batch where is_read)"
    coming = f"""
        select {columns}
        from {staging.incoming(table)} as incoming
        {f"inner join batch on batch.path = incoming.{key}" if needs_batch else ""}
    """
    # Most edits touch one value of an article, and none of its lists.
    if not needs_batch and fingerprint(con, f"({earlier})") == fingerprint(con, f"({coming})"):
        return
    con.execute(f"delete {earlier}")
    started_at = {"started_at": run.started_at} if needs_batch else {}
    con.execute(f"insert into {table} by name {coming}", started_at)


def finish(con: Connection, plan_unchanged: int, run: Run) -> Outcomes:
    """Merge the rest, take the vanished files out and count; the transaction stays open.

    `plan_unchanged` is the number of files that the scan already knew to be unchanged.
    """
    if first.is_first(con, run):
        return first.finish(con, run)
    if row_count(con, staging.incoming("ops.files")):
        _merge(con, run)
    if (vanished := row_count(con, "vanished")) or row_count(con, "replayed"):
        versions.write_removed(con, run, _MISSING)
    if vanished:
        _take_out(con, run)
    ((moved,),) = con.execute(
        "select count(*) from outcomes where renamed_from in (select path from vanished)"
    ).fetchall()
    counted = dict(
        con.execute("select outcome, count(*) from outcomes group by outcome").fetchall()
    )
    return Outcomes(
        new=counted.get("new", 0) + counted.get("returned", 0),
        changed=counted.get("changed", 0),
        unchanged=plan_unchanged + counted.get("unchanged", 0),
        renamed=counted.get("renamed", 0),
        returned=counted.get("returned", 0),
        gone=vanished - moved,
    )


def _take_out(con: Connection, run: Run) -> None:
    """Remove the articles of vanished files and mark the files as gone."""
    staging.touch(con, "select path, true as is_read from vanished")
    for table, key in staging.STATE_TABLES.items():
        con.execute(f"delete from {table} where {key} in (select path from vanished)")
    ledger.mark_gone(con, run)


def list_changes(con: Connection, run: Run) -> dict[str, Delta | None]:
    """Return what the run changed in the raw and ops tables; None stands for any rows."""
    changes: dict[str, Delta | None] = {
        table: None for table in table_names(con) if table.startswith("ops.")
    }
    for table, key in staging.FILE_TABLES.items():
        is_read = "" if table == "ops.files" else "where is_read"
        touched = f"from {table} where {key} in (select path from touched {is_read})"
        changes[table] = Delta(f"from {staging.replaced(table)}", touched)
    for table in ("raw.article_versions", "raw.commits"):
        came = f"from {table} where run_id = {sql_literal(run.run_id)}"
        changes[table] = Delta(f"from {table} limit 0", came)
    return changes


def commit(con: Connection, run: Run) -> None:
    """End the transaction and read the run's row back: a commit can fail without an error."""
    con.execute("commit")
    found = con.execute(
        "select count(*) from ops.runs where run_id = $run_id", {"run_id": run.run_id}
    ).fetchall()
    if found != [(1,)]:
        raise WarehouseDamaged(f"run {run.run_id} did not reach the file: run the build again")
