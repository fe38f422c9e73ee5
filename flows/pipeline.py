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
from flows.load import ledger, merge
from flows.load import receipt as receipts
from flows.load import scope as scopes
from flows.load.receipt import Receipt, Stopwatch
from flows.models import build, checks
from flows.models.files import fingerprint
from flows.reports import profile
from flows.source import extract, folder
from flows.warehouse import generations, working_copy
from flows.warehouse.connection import build_memory, limit_memory
from flows.warehouse.lock import locked
from flows.warehouse.paths import WarehousePaths
from flows.warehouse.run_log import append_run
from flows.workers.runner import DirectRunner, Runner

if TYPE_CHECKING:
    from flows.normalize.frames import Frames

# Large enough to spread the cost of the statements that load a batch, small enough for memory.
BATCH_FILES = 2500


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
    parser: frontmatter.Parser = "fast"


def refresh(request: Request, runner: Runner | None = None) -> Receipt:
    """Bring the warehouse up to date with its source and return the receipt.

    Raises a MatterhouseError and leaves the published warehouse as it was when anything is wrong.
    """
    paths = WarehousePaths(request.warehouse.absolute())
    started_at = datetime.now(UTC)
    run = ledger.Run(f"{started_at:%Y%m%dT%H%M%S%fZ}", started_at)
    runner = runner or DirectRunner()
    try:
        receipt = _locked_refresh(request, paths, run, runner)
    except Exception as error:
        runner.report(_failure(request, paths, run, error))
        raise
    runner.report(receipt.as_json())
    return receipt


def _locked_refresh(
    request: Request, paths: WarehousePaths, run: ledger.Run, runner: Runner
) -> Receipt:
    with locked(paths):
        try:
            receipt = _refresh(request, paths, run, runner)
        except BaseException as error:
            if isinstance(error, ChecksFailed):
                working_copy.keep_failed(paths, run.run_id)
            # On a full disk this fails too, and must not hide the error that led here.
            with contextlib.suppress(OSError):
                append_run(paths, _failure(request, paths, run, error))
            raise
        finally:
            working_copy.discard(paths, run.run_id)
        append_run(paths, receipt.as_json())
    return receipt


def _refresh(request: Request, paths: WarehousePaths, run: ledger.Run, runner: Runner) -> Receipt:
    clock = Stopwatch()
    with working_copy.open_working_copy(paths, run.run_id) as con:
        build.create_tables(con)
        before = scopes.remembered(con)
        scope = scopes.choose(
            before,
            request.source,
            request.patterns,
            request.exclude,
            replace_source=request.replace_source,
        )

        with clock.stage("scan"):
            listing = runner.call(
                "scan", partial(folder.walk, scope.source, scope.patterns, scope.exclude)
            )
            compare = partial(
                folder.compare,
                con,
                scope.source,
                parser_version=frontmatter.PARSER_VERSION,
                reread=request.full,
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
        batches = extract.batches(scope.source, plan, listing.faults, BATCH_FILES, request.parser)
        work = partial(frames_of, observed_at=run.started_at)
        for frames in clock.waiting("extract", runner.map("extract", work, batches)):
            with clock.stage("load"):
                merge.load(con, frames, run)
        outcomes = merge.finish(con, plan.unchanged, run)

        sql_hash = fingerprint()
        receipt = partial(
            receipts.make,
            con,
            run,
            outcomes,
            scope=scope,
            warehouse=paths.warehouse,
            sql_hash=sql_hash,
            ignored=listing.ignored,
        )
        is_same = scope == before and not ledger.is_outdated(con, sql_hash)
        if is_same and not (request.full or outcomes.any):
            con.execute("rollback")
            return receipt(published=False, seconds=clock.seconds)
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
        )
        ledger.record(con, final.as_row())
        con.execute("checkpoint")

    with clock.stage("publish"):
        sha256 = runner.call("publish", partial(generations.publish, paths, run.run_id))
    return replace(final, seconds=clock.seconds, sha256=sha256)


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
    request: Request, paths: WarehousePaths, run: ledger.Run, error: BaseException
) -> dict[str, Any]:
    failed = error.failed if isinstance(error, ChecksFailed) else ()
    return {
        "run_id": run.run_id,
        "started_at": run.started_at.isoformat(),
        "finished_at": datetime.now(UTC).isoformat(),
        "source": str(request.source or ""),
        "warehouse": str(paths.warehouse),
        "published": False,
        "error": str(error) or type(error).__name__,
        "failed_checks": [str(check) for check in failed],
    }
