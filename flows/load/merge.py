"""Frames → DuckDB raw tables, together with the ledger and the score history."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.history import changes
from flows.history.record import record
from flows.load import first, ledger, staging
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

# What the run did to each path: (path, before, after).
_TOUCHED = f"""
    select path, earlier.content_hash as before, if(is_gone, null, files.content_hash) as after
    from (select path, outcome = 'gone' as is_gone from touched where is_read)
    inner join ops.files as files using (path)
    left join {staging.replaced("ops.files")} as earlier using (path)
"""
_ALL_NEW = "select path, null as before, content_hash as after from ops.files"


def begin(con: Connection, vanished: Sequence[str]) -> None:
    """Open the transaction; `vanished` are the paths that the scan missed."""
    con.execute("begin")
    staging.create(con, vanished)
    changes.create(con)


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
    """Put what came in into the place of what was there, which the history keeps to compare."""
    types = staging.read_column_types(con)
    ledger.classify(con, run)
    staging.touch(con)
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
        changes.add_run(con, _ALL_NEW, run.started_at)
        record(con, run.run_id)
        return Outcomes(
            new=row_count(con, "ops.files"), changed=0, unchanged=0, renamed=0, returned=0, gone=0
        )
    if row_count(con, staging.incoming("ops.files")):
        _merge(con, run)
    counted = Counter(
        dict(con.execute("select outcome, count(*) from touched group by outcome").fetchall())
    )
    if counted["gone"]:
        _take_out(con, run)
    changes.keep(con, "earlier/", *map(staging.replaced, ("raw.articles", "raw.article_topics")))
    changes.add_run(con, _TOUCHED, run.started_at)
    record(con, run.run_id)
    ((moved,),) = con.execute(
        f"""
        select count(*) from touched
        where renamed_from in (select path from ({staging.VANISHED}))
        """
    ).fetchall()
    return Outcomes(
        new=counted["new"] + counted["returned"],
        changed=counted["changed"],
        unchanged=plan_unchanged + counted["unchanged"],
        renamed=counted["renamed"],
        returned=counted["returned"],
        gone=counted["gone"] - moved,
    )


def _take_out(con: Connection, run: Run) -> None:
    """Remove the articles of vanished files and mark the files as gone."""
    for table, key in staging.STATE_TABLES.items():
        con.execute(f"delete from {table} where {key} in (select path from ({staging.VANISHED}))")
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
    if ledger.has_versions(con, run, of_the_past=True):
        changes["raw.article_versions"] = None  # Their origins may now be those of later ones.
    return changes


def commit(con: Connection, run: Run) -> None:
    """End the transaction and read the run's row back: a commit can fail without an error."""
    con.execute("commit")
    found = con.execute(
        "select count(*) from ops.runs where run_id = $run_id", {"run_id": run.run_id}
    ).fetchall()
    if found != [(1,)]:
        raise WarehouseDamaged(f"run {run.run_id} did not reach the file: run the build again")
