"""The pipeline: scan → load → model → check → publish, as stages of one run.

Files are extracted and normalized while they are loaded, batch by batch.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from flows import explain
from flows.load import ledger, mapping, merge
from flows.load import receipt as receipts
from flows.load import scope as scopes
from flows.load.new_keys import find_keys_without_column
from flows.load.receipt import Receipt
from flows.pipeline.stages import ChecksFailed, Loaded, Scanned, check, load, model, publish, scan
from flows.pipeline.work import Request, Work, prepare
from flows.source import sources
from flows.warehouse import generations, working_copy
from flows.warehouse.connection import Connection
from flows.warehouse.lock import hold_lock
from flows.warehouse.paths import WarehousePaths, current, locate
from flows.warehouse.run_log import append_run
from flows.workers.frames import import_early
from flows.workers.runner import DirectRunner, Runner

Describe: TypeAlias = Callable[[Connection, Receipt], Receipt]


def run(
    request: Request,
    runner: Runner | None = None,
    report: Callable[[Mapping[str, Any]], None] = lambda receipt: None,
    describe: Describe = lambda con, receipt: receipt,
) -> Receipt:
    """Bring the warehouse up to date with its source, report and return the receipt.

    `describe` adds a message to the receipt, from the tables that the run has made.
    Raises a MatterhouseError and leaves the published warehouse as it was when anything is wrong.
    """
    paths, now = locate(request.warehouse), datetime.now(UTC)
    try:
        _look_first(request, paths)
        with hold_lock(paths):
            with _log_failure(request, paths, now):
                receipt = _build(request, paths, now, runner or DirectRunner(), describe)
            receipt = _record(paths, receipt)
    except Exception as error:
        report(_describe_failure(request, paths, now, error))
        raise
    report(receipt.as_json())
    return receipt


def _build(
    request: Request, paths: WarehousePaths, now: datetime, runner: Runner, describe: Describe
) -> Receipt:
    if not paths.warehouse.exists():
        import_early()
    with working_copy.open_working_copy(paths) as con:
        work = prepare(request, paths, con, now, runner)
        scanned = work.carry_out(scan)
        loaded = work.carry_out(load, scanned)
        receipt = _count(work, scanned, loaded)
        if not receipt.published:
            con.execute("rollback")
            return describe(con, receipts.complete(con, receipt, seconds=work.clock.seconds))
        ledger.record(con, receipt.as_row())
        mapping.record(con, work.run, work.scope.mapping)
        merge.commit(con, work.run)
        built = work.carry_out(model)
        failed = work.carry_out(check)
        receipt = receipts.complete(
            con,
            receipt,
            seconds=work.clock.seconds,
            dropped_tables=built.dropped,
            failed_checks=[str(found) for found in failed],
            new_keys=[
                key
                for key in find_keys_without_column(con, work.scope.mapping)
                if key not in work.known_keys
            ],
        )
        receipt = describe(con, receipt)
        ledger.record(con, receipt.as_row())
        con.execute("checkpoint")
    return _publish(work, receipt)


def _count(work: Work, scanned: Scanned, loaded: Loaded) -> Receipt:
    """Count what the run met; it publishes when files, globs, mapping or SQL are other ones."""
    is_same = work.scope == work.before and not (work.is_outdated or scanned.past.is_switched)
    is_changed = work.request.full or loaded.outcomes.any or loaded.replayed > 0
    return receipts.count_files(
        work.con,
        work.run,
        loaded.outcomes,
        scope=work.scope,
        history=scanned.past,
        warehouse=work.paths.warehouse,
        sql_hash=work.sql_hash,
        ignored=scanned.listing.ignored,
        published=is_changed or not is_same,
        notes=[*work.notes, *filter(None, [scanned.past.note])],
    )


def _publish(work: Work, receipt: Receipt) -> Receipt:
    sha256 = generations.hash_file(work.paths.working)
    notes = list(receipt.notes)
    try:
        work.carry_out(publish, receipt.run_id)
    except BaseException as error:
        # What readers see cannot be taken back: from the flip on an error is only worth a note.
        if current(work.paths) != receipt.run_id:
            raise
        notes.append(f"the warehouse is published, although: {explain(error)}")
    return replace(receipt, seconds=dict(work.clock.seconds), sha256=sha256, notes=notes)


def _record(paths: WarehousePaths, receipt: Receipt) -> Receipt:
    """Write the receipt and remove old generations; whatever fails here, the run is published."""
    notes = list(receipt.notes)
    try:
        append_run(paths, receipt.as_json())
    except OSError as error:
        notes.append(f"the receipt could not be written to {paths.receipts}: {explain(error)}")
    try:
        if receipt.published:
            generations.prune(paths)
    except OSError as error:
        notes.append(f"an old generation could not be removed: {explain(error)}")
    return replace(receipt, notes=notes)


def _look_first(request: Request, paths: WarehousePaths) -> None:
    """Stop at a mistyped path while there is nothing yet that it could leave behind."""
    if not paths.lock.exists():
        working_copy.recognise(paths)
        before = scopes.read_published(paths)
        asked = scopes.choose(
            before, request.source, named=request.config, replace_source=request.replace_source
        )
        sources.require(asked.source)


@contextlib.contextmanager
def _log_failure(request: Request, paths: WarehousePaths, now: datetime) -> Iterator[None]:
    """Write down a failure, keep what its checks failed on, and clean up."""
    try:
        yield
    except BaseException as error:
        # On a full disk these fail too, and must not hide the error that led here.
        with contextlib.suppress(OSError):
            if isinstance(error, ChecksFailed):
                working_copy.keep_failed(paths)
            append_run(paths, _describe_failure(request, paths, now, error))
        raise
    finally:
        with contextlib.suppress(OSError):
            working_copy.remove_leftovers(paths)


def _describe_failure(
    request: Request, paths: WarehousePaths, now: datetime, error: BaseException
) -> dict[str, Any]:
    failed = error.failed if isinstance(error, ChecksFailed) else ()
    return {
        "run_id": ledger.Run.at(now).run_id,
        "started_at": now.isoformat(),
        "finished_at": datetime.now(UTC).isoformat(),
        "source": str(request.source or ""),
        "warehouse": str(paths.warehouse),
        "published": False,
        "error": explain(error),
        "failed_checks": [str(found) for found in failed],
        "message": f"The run failed: {explain(error)}",
        "details": [],
    }
