"""The pipeline: scan → extract → normalize → load → model → check → publish."""

import contextlib
import gc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import MatterhouseError, frontmatter
from flows.load import catch_up, ledger, merge, replay, upgrade
from flows.load import plan as plans
from flows.load import receipt as receipts
from flows.load import scope as scopes
from flows.load.catch_up import CatchUp
from flows.load.receipt import Receipt, Stopwatch
from flows.models import build, checks
from flows.models.files import fingerprint
from flows.reports import profile
from flows.source import extract, folder
from flows.source.history import batches as history_batches
from flows.source.patterns import PathFilter
from flows.warehouse import generations, working_copy
from flows.warehouse.connection import build_memory, limit_memory
from flows.warehouse.lock import locked
from flows.warehouse.paths import WarehousePaths, current, locate
from flows.warehouse.run_log import append_run, last_look, read_runs
from flows.workers.runner import DirectRunner, Runner

if TYPE_CHECKING:
    import duckdb

    from flows.normalize.frames import Frames

# Large enough to spread the cost of the statements that load a batch, small enough for memory.
BATCH_FILES = 2500
_CLOCK_BEHIND = (
    "the clock says {now:%Y-%m-%d %H:%M:%S} UTC, which is before the start of the last run: this"
    " one counts as started right after it, at {run.started_at:%Y-%m-%d %H:%M:%S}"
)
_UPGRADED = (
    "the warehouse was made by an earlier version: {tables} were carried over, and every file is"
    " read again. What that version did not keep of past states stays empty in them"
)


class ChecksFailed(MatterhouseError):
    """A check of severity error returned rows; the published warehouse stays as it was."""

    exit_code = 4

    def __init__(self, message: str, failed: Sequence[checks.FailedCheck]) -> None:
        super().__init__(message)
        self.failed = failed


@dataclass(frozen=True, slots=True)
class Request:
    """What to refresh and how; None stands for what the last published run did."""

    source: Path | None
    warehouse: Path
    patterns: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    replace_source: bool = False
    full: bool = False
    verify: bool = False
    accept_loss: bool = False
    history: bool | None = None
    parser: frontmatter.Parser = "fast"


def refresh(request: Request, runner: Runner | None = None) -> Receipt:
    """Bring the warehouse up to date with its source and return the receipt.

    Raises a MatterhouseError and leaves the published warehouse as it was when anything is wrong.
    """
    paths = locate(request.warehouse)
    now = datetime.now(UTC)
    runner = runner or DirectRunner()
    try:
        receipt = _locked_refresh(request, paths, now, runner)
    except Exception as error:
        runner.report(_failure(request, paths, now, error))
        raise
    runner.report(receipt.as_json())
    return receipt


def _locked_refresh(
    request: Request, paths: WarehousePaths, now: datetime, runner: Runner
) -> Receipt:
    if not paths.lock.exists():
        # A mistyped path must leave nothing behind: look before anything is made.
        working_copy.recognise(paths)
        before = scopes.of_published(paths)
        asked = scopes.choose(before, request.source, replace_source=request.replace_source)
        folder.require_folder(asked.source)
    with locked(paths):
        try:
            receipt = _refresh(request, paths, now, runner)
            if receipt.published:
                receipt = _publish(paths, receipt, runner)
        except BaseException as error:
            # On a full disk these fail too, and must not hide the error that led here.
            with contextlib.suppress(OSError):
                if isinstance(error, ChecksFailed):
                    working_copy.keep_failed(paths)
                append_run(paths, _failure(request, paths, now, error))
            raise
        finally:
            with contextlib.suppress(OSError):
                working_copy.remove_leftovers(paths)
        return _record(paths, receipt)


def _publish(paths: WarehousePaths, receipt: Receipt, runner: Runner) -> Receipt:
    clock = Stopwatch()
    notes = list(receipt.notes)
    with clock.stage("publish"):
        sha256 = generations.digest(paths.working)
        try:
            runner.call("publish", partial(generations.publish, paths, receipt.run_id))
        except BaseException as error:
            # What readers see cannot be taken back: from the flip on an error is only worth a note.
            if current(paths) != receipt.run_id:
                raise
            notes.append(f"the warehouse is published, although: {_reason(error)}")
    return replace(receipt, seconds=receipt.seconds | clock.seconds, sha256=sha256, notes=notes)


def _record(paths: WarehousePaths, receipt: Receipt) -> Receipt:
    """Write the receipt and remove old generations; whatever fails here, the run is published."""
    notes = list(receipt.notes)
    try:
        append_run(paths, receipt.as_json())
    except OSError as error:
        notes.append(f"the receipt could not be written to {paths.receipts}: {_reason(error)}")
    try:
        if receipt.published:
            generations.prune(paths)
    except OSError as error:
        notes.append(f"an old generation could not be removed: {_reason(error)}")
    return replace(receipt, notes=notes)


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _refresh(request: Request, paths: WarehousePaths, now: datetime, runner: Runner) -> Receipt:
    clock = Stopwatch()
    with working_copy.open_working_copy(paths) as con:
        sql_hash = fingerprint()
        upgraded = upgrade.upgrade(con, sql_hash)
        build.create_tables(con)
        run = ledger.next_run(con, now, {str(r.get("run_id")) for r in read_runs(paths)})
        notes = [_CLOCK_BEHIND.format(now=now, run=run)] if run.started_at > now else []
        notes += [_UPGRADED.format(tables=", ".join(upgraded))] if upgraded else []
        before = scopes.remembered(con)
        scope = scopes.choose(
            before,
            request.source,
            request.patterns,
            request.exclude,
            replace_source=request.replace_source,
        )

        with clock.stage("history"):
            history = catch_up.plan(
                con,
                scope.source,
                PathFilter(scope.patterns, scope.exclude).accepts,
                run,
                wanted=request.history,
                looked_at=last_look(paths),
            )
            notes += [history.note] if history.note else []
        with clock.stage("scan"):
            listing = runner.call(
                "scan", partial(folder.walk, scope.source, scope.patterns, scope.exclude)
            )
            compare = partial(
                plans.compare,
                con,
                scope.source,
                parser_version=frontmatter.PARSER_VERSION,
                reread=request.full or bool(upgraded),
                verify=request.verify,
            )
            plan = compare(listing)
            if plan.vanished:
                listing = folder.look_again(
                    scope.source, listing, plan.vanished, scope.patterns, scope.exclude
                )
                plan = compare(listing)

        limit_memory(con, build_memory(plan.seen))
        earlier_keys = set(profile.keys_without_column(con))
        merge.begin(con, plan.vanished)
        moves = _replay(con, history, run, runner, clock)
        plan = replay.reread(con, plan, listing.paths)
        batches = plans.batches(scope.source, plan, listing.faults, BATCH_FILES, request.parser)
        work = partial(frames_of, observed_at=run.started_at)
        for frames in clock.waiting("extract", runner.map("extract", work, batches)):
            with clock.stage("load"):
                merge.load(con, frames, run)
        outcomes = merge.finish(con, plan.unchanged, run)

        receipt = partial(
            receipts.make,
            con,
            run,
            outcomes,
            scope=scope,
            history=history,
            warehouse=paths.warehouse,
            sql_hash=sql_hash,
            ignored=listing.ignored,
        )
        is_same = scope == before and not ledger.is_outdated(con, sql_hash)
        if is_same and not (request.full or outcomes.any or moves):
            con.execute("rollback")
            return receipt(published=False, seconds=clock.seconds, notes=notes)
        with clock.stage("load"):
            ledger.record(con, receipt(published=True, seconds=clock.seconds).as_row())
            merge.commit(con, run)

        with clock.stage("model"):
            built = runner.call("model", partial(build.build, con))
        with clock.stage("check"):
            # The articles of another folder are not a loss.
            is_meant = request.accept_loss or not (before and before.is_of_folder(scope.source))
            waived = ("articles_shrank",) if is_meant else ()
            failed = runner.call("check", partial(checks.run, con, waived=waived))
            _stop_on_errors(paths, failed)
        final = receipt(
            published=True,
            seconds=clock.seconds,
            failed_checks=[str(check) for check in failed],
            dropped_tables=built.dropped,
            new_keys=[key for key in profile.keys_without_column(con) if key not in earlier_keys],
            notes=notes,
        )
        ledger.record(con, final.as_row())
        con.execute("checkpoint")
    return final


def _replay(
    con: "duckdb.DuckDBPyConnection",
    history: CatchUp,
    run: ledger.Run,
    runner: Runner,
    clock: Stopwatch,
) -> int:
    """Record what the commits changed; return how many changes that were."""
    work = partial(frames_of, observed_at=run.started_at)
    moves = 0
    for part in history.parts:
        replay.begin(con, part)
        batches = history_batches(part, BATCH_FILES)
        for frames in clock.waiting("history", runner.map("history", work, batches)):
            replay.stage(con, frames)
        with clock.stage("history"):
            moves += replay.write(con, run, part.until)
    return moves


def frames_of(batch: extract.Batch, observed_at: datetime | None = None) -> "Frames":
    """Read and normalize one batch: the work of a worker process."""
    # pandas takes longer to import than a refresh without changes takes to run.
    from flows.normalize.rows import normalize

    # A batch makes a million objects and hardly a cycle: the collector would only count them.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return normalize(extract.extract(batch), observed_at)
    finally:
        if collecting:
            gc.enable()


def _stop_on_errors(paths: WarehousePaths, failed: Sequence[checks.FailedCheck]) -> None:
    errors = [check for check in failed if check.severity == "error"]
    if errors:
        names = ", ".join(check.name for check in errors)
        raise ChecksFailed(
            f"{len(errors)} of the checks failed ({names}); {paths.warehouse} stays as it was, and"
            f" what was built is in {paths.failed}",
            failed,
        )


def _failure(
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
        "error": _reason(error),
        "failed_checks": [str(check) for check in failed],
    }
