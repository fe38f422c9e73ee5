"""The same pipeline as a Prefect flow, with artifacts: `build`."""

import atexit
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
from prefect import flow, get_client, get_run_logger, runtime
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_API_URL
from prefect.states import Completed

from flows import MatterhouseError
from flows.orchestrate.tasks import ProgressArtifact, as_state, wrap
from flows.pipeline.context import Request
from flows.pipeline.receipt import Receipt
from flows.pipeline.run import run
from flows.reports import postgres
from flows.reports.messages import markdown, notify
from flows.reports.messages.after_run import finish
from flows.reports.messages.receipt_message import describe
from flows.source import sources
from flows.warehouse.paths import WarehousePaths, locate
from flows.warehouse.run_log import read_runs
from flows.workers.runner import choose_runner

if TYPE_CHECKING:
    from flows.reports.postgres.publication import Publication


def _end_quietly() -> None:
    """Let nothing be printed after the last line of ours.

    Prefect's threads outlive Python's end and hold on to objects of DuckDB, whose binding then
    lists them: forty lines after each scheduled run.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


# Set in the process of a run that Prefect started.
if os.environ.get("PREFECT__FLOW_RUN_ID"):
    atexit.register(_end_quietly)


def report(paths: WarehousePaths, page: Path | None, receipt: Mapping[str, Any]) -> None:
    """Finish the run, and leave its receipt and its tables as artifacts."""
    log = get_run_logger()

    def share(paths: WarehousePaths) -> "Publication | None":
        asked = os.environ.get(postgres.ADDRESS_VARIABLE)
        return wrap(postgres.publish_as_asked)(paths) if asked else None

    finished = finish(receipt, paths, page, log.warning, share)
    receipt = finished.receipt
    if finished.publication:
        log.info("%s", finished.publication)
    for note in receipt.get("notes", ()):
        log.warning(note)
    try:
        create_markdown_artifact(markdown.to_markdown(receipt), key="receipt")
        for table in markdown.read_tables(paths, receipt):
            create_table_artifact(table.rows, key=table.key, description=table.description)
    except (httpx.HTTPError, PrefectException, MatterhouseError) as error:
        # What is published is published: a page without tables is no failed run.
        log.warning("the artifacts of the run are not complete: %s", error)
    if finished.failure:
        raise finished.failure


def _run_name() -> str:
    """Name a flow run by what it reads and when it was due."""
    given = runtime.flow_run.parameters
    due = runtime.flow_run.scheduled_start_time or datetime.now(UTC)
    return f"{given.get('source') or given.get('warehouse')} {due:%Y-%m-%d %H:%M}"


@flow(name="build", flow_run_name=_run_name, persist_result=False)
def build(
    source: str | None = None,
    warehouse: str = "warehouse.duckdb",
    patterns: list[str] | None = None,
    exclude: list[str] | None = None,
    config: str | None = None,
    replace_source: bool = False,
    full: bool = False,
    accept_loss: bool = False,
    history: bool | None = None,
    runner: str = "auto",
    jobs: int | None = None,
    page: str | None = None,
) -> Receipt | State[Receipt]:
    """Bring a warehouse up to date with its source.

    What is not given is as in the last published run. `runner` is local, process, dask or
    dask=tcp://HOST:PORT; auto lets the number of files decide.
    """
    paths = locate(warehouse)
    if overtaken := _find_overtaking_run(paths):
        return Completed(
            name="Skipped",
            message=f"missed, and run {overtaken} has since read what it would have read",
        )
    request = Request(
        sources.parse(source) if source else None,
        paths.warehouse,
        patterns=None if patterns is None else tuple(patterns),
        exclude=None if exclude is None else tuple(exclude),
        config=Path(config) if config else None,
        replace_source=replace_source,
        full=full,
        accept_loss=accept_loss,
        history=history,
    )
    workers = choose_runner(
        runner, paths.generations, jobs, ProgressArtifact(), say=get_run_logger().info
    )
    on_finished = partial(report, paths, Path(page) if page else None)

    def run_pipeline() -> Receipt:
        # A mistake in the environment should end the run before it begins.
        notify.require_recipients()
        return run(request, workers, on_finished, describe, wrap)

    done = as_state(run_pipeline)
    # Lists of runs and notifications show the message of a state, not its result.
    return done if isinstance(done, State) else Completed(message=done.message, data=done)


def build_once(
    request: Request, *, runner: str, jobs: int | None, page: Path | None = None
) -> Receipt:
    """Build as a flow run of this process."""
    require_api()
    done = build(
        **to_parameters(request, runner=runner, jobs=jobs, page=page),
        replace_source=request.replace_source,
        full=request.full,
        accept_loss=request.accept_loss,
        history=request.history,
    )
    return cast("Receipt", done.result() if isinstance(done, State) else done)


def to_parameters(
    request: Request, *, runner: str, jobs: int | None, page: Path | None
) -> dict[str, Any]:
    """Return a request as parameters of the flow; null means as in the last published run."""
    return {
        "source": str(sources.absolute(request.source)) if request.source else None,
        "warehouse": str(request.warehouse.absolute()),
        "patterns": None if request.patterns is None else list(request.patterns),
        "exclude": None if request.exclude is None else list(request.exclude),
        "config": str(request.config.absolute()) if request.config else None,
        "runner": runner,
        "jobs": jobs,
        "page": str(page.absolute()) if page else None,
    }


def _find_overtaking_run(paths: WarehousePaths) -> str | None:
    """Return the run that began after this scheduled one was due, if it went well.

    After a night's sleep several runs are due at once: the first reads all that the others would.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None or not run.auto_scheduled or run.expected_start_time is None:
        return None
    for receipt in reversed(read_runs(paths)):
        began = receipt.get("started_at")
        if began and "error" not in receipt:
            late = datetime.fromisoformat(began) > run.expected_start_time
            return str(receipt["run_id"]) if late else None
    return None


def require_api(patience_seconds: float = 0) -> None:
    """Refuse, with the direct way, when no Prefect server answers within the given time."""
    address = PREFECT_API_URL.value()
    start = time.monotonic()
    while address:
        with get_client(sync_client=True) as client:
            if client.api_healthcheck() is None:
                return
        if time.monotonic() - start >= patience_seconds:
            break
        time.sleep(1)
    found = f"no Prefect server answers at {address}" if address else "no Prefect server is named"
    raise MatterhouseError(
        f"{found}: start one with `prefect server start --host 127.0.0.1` and set"
        " PREFECT_API_URL=http://127.0.0.1:4200/api; without that variable and without --prefect,"
        " `matterhouse build SOURCE` needs no server"
    )
