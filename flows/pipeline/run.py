"""The pipeline: five stages, each of which takes what the one before it gave."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from flows import explain
from flows.interrupt import find_cause
from flows.load import ledger
from flows.models.files import fingerprint
from flows.pipeline import scope as scopes
from flows.pipeline.check import ChecksFailed, check
from flows.pipeline.context import AddMessage, Request, RunContext, prepare
from flows.pipeline.load import load
from flows.pipeline.model import model
from flows.pipeline.publish import publish
from flows.pipeline.receipt import Receipt
from flows.pipeline.scan import scan
from flows.source import sources
from flows.warehouse import generations, template, working_copy
from flows.warehouse.lock import Locked, hold_lock
from flows.warehouse.paths import WarehousePaths, locate
from flows.warehouse.run_log import append_run, require_writable
from flows.workers.frames import import_early
from flows.workers.runner import Runner

Stage: TypeAlias = Callable[[RunContext, Any], Any]
STAGES: tuple[Stage, ...] = (scan, load, model, check, publish)


def run(
    request: Request,
    runner: Runner | None = None,
    on_finished: Callable[[Mapping[str, Any]], None] = lambda receipt: None,
    add_message: AddMessage = lambda con, receipt: receipt,
    wrap: Callable[[Stage], Stage] = lambda stage: stage,
) -> Receipt:
    """Bring the warehouse up to date with its source, and return the receipt.

    `on_finished` is called with the receipt, of a failed run too, but not where another run is at
    work; `add_message` puts into it what the tables show; `wrap` makes of each stage what is called
    instead. Raises a MatterhouseError when anything is wrong: the published warehouse is then as it
    was.
    """
    paths, now = locate(request.warehouse), datetime.now(UTC)
    try:
        _check_request(request, paths)
        with hold_lock(paths):
            require_writable(paths)
            with _log_failure(request, paths, now):
                receipt = _build(request, paths, now, runner or Runner(), add_message, wrap)
            receipt = _record(paths, receipt)
    except Locked:
        raise  # Nobody has to be woken: the run at work will say how it went.
    except BaseException as error:
        on_finished(_describe_failure(request, paths, now, error))
        raise
    on_finished(receipt.as_json())
    return receipt


def _build(
    request: Request,
    paths: WarehousePaths,
    now: datetime,
    runner: Runner,
    add_message: AddMessage,
    wrap: Callable[[Stage], Stage],
) -> Receipt:
    sql_hash, empty = fingerprint(), None
    if not paths.warehouse.exists():
        import_early()
        empty = template.find(sql_hash)
    with working_copy.open_working_copy(paths, empty) as con:
        context = prepare(request, paths, con, now, runner, add_message, sql_hash)
        result: Any = None
        for stage in STAGES:
            with context.clock.stage(stage.__name__):
                result = wrap(stage)(context, result)
            if isinstance(result, Receipt) and not result.published:
                break
    receipt: Receipt = result
    return replace(receipt, seconds=dict(context.clock.seconds))


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


def _check_request(request: Request, paths: WarehousePaths) -> None:
    """Stop at a mistyped path while there is nothing yet that it could leave behind."""
    if not paths.lock.exists():
        working_copy.recognise(paths)
        before = scopes.read_published(paths)
        asked = scopes.choose(
            before,
            request.source,
            named=request.config,
            forget_config=request.forget_config,
            replace_source=request.replace_source,
        )
        sources.require(asked.source)


@contextlib.contextmanager
def _log_failure(request: Request, paths: WarehousePaths, now: datetime) -> Iterator[None]:
    """Write down a failure, keep what its checks failed on, and clean up."""
    try:
        yield
    except BaseException as raised:
        error = find_cause(raised)
        # On a full disk these fail too, and must not hide the error that led here.
        with contextlib.suppress(OSError):
            if isinstance(error, ChecksFailed):
                working_copy.keep_failed(paths)
            append_run(paths, _describe_failure(request, paths, now, error))
        if error is not raised:
            raise error from raised
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
