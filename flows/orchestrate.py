"""The same pipeline as Prefect flows, with tasks, artifacts and a schedule.

The only file that imports prefect.
"""

import contextlib
import logging
import os
import shlex
import time
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import httpx
from prefect import Task, flow, get_client, get_run_logger, runtime, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import (
    ConcurrencyLimitConfig,
    ConcurrencyLimitStrategy,
    FlowRun,
    State,
)
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.schedules import Cron, Schedule
from prefect.settings import PREFECT_API_URL
from prefect.states import Completed, Failed
from prefect.tasks import exponential_backoff
from prefect.types.entrypoint import EntrypointType
from prefect.utilities.annotations import quote

from flows import MatterhouseError, UsageError, pipeline
from flows.load import scope
from flows.load.catch_up import CatchUp
from flows.load.ledger import Outcomes
from flows.load.plan import Plan
from flows.load.receipt import Receipt
from flows.models.build import Built
from flows.reports import markdown, notify, postgres, terminal
from flows.reports.finish import finish
from flows.reports.headline import describe
from flows.source import sources
from flows.source.extract import Batch
from flows.source.folder import Listing
from flows.source.sources import Location
from flows.warehouse.paths import WarehousePaths, locate
from flows.warehouse.run_log import read_runs
from flows.workers.runner import DirectRunner, named

if TYPE_CHECKING:
    from uuid import UUID

    from flows.normalize.frames import Frames
    from flows.reports.postgres.publication import Publication

P = ParamSpec("P")
T = TypeVar("T")
# Disks and mounts can fail for a moment. The later stages work inside one transaction, which a
# second try would enter half changed.
_SCAN_RETRIES = 2
_RETRY_SECONDS = 2
_CRON_FIELDS = 5
# A server that starts together with the schedule needs up to 20 seconds on a slow machine.
_API_PATIENCE_SECONDS = 90


def as_state(work: Callable[[], T]) -> "T | State[T]":
    """Return an error of ours as a state with its one sentence: raised, it logs a traceback."""
    try:
        return work()
    except MatterhouseError as error:
        # The frames of a traceback would keep connections open beyond the end of the process.
        bare = error.with_traceback(None)
        bare.__cause__ = bare.__context__ = None
        return Failed(name=type(error).__name__, message=str(error), data=bare)


def is_retryable(_task: object, _run: object, state: State[Any]) -> bool:
    """Retry what the operating system refused; an error of ours says what to mend instead."""
    return isinstance(state.result(raise_on_failure=False), OSError)


def as_task(
    stage: Callable[..., Any], *, run_name: str | None = None, retries: int = 0
) -> Task[..., Any]:
    """Make a task that carries out a stage of the pipeline, named and described like it.

    The stage comes with its arguments as one call: what Prefect keeps of a task's function and
    parameters would outlive the connection in them.
    """

    def run_stage(work: Callable[[], Any]) -> Any:
        done = as_state(work)
        if line := in_words(done):
            get_run_logger().info(line)
        return done

    return task(
        name=stage.__name__,
        description=stage.__doc__,
        task_run_name=run_name or stage.__name__,
        # Stages hold connections and frames, which can be neither hashed nor stored.
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=retries,
        retry_delay_seconds=exponential_backoff(_RETRY_SECONDS),
        retry_jitter_factor=0.5,
        retry_condition_fn=is_retryable,
    )(run_stage)


def in_words(result: object) -> str:
    """Say what a stage has done, with its counts."""
    match result:
        case (CatchUp(), Listing(), Plan(to_read=to_read, vanished=vanished, seen=seen)):
            return f"{seen:,} files, {len(to_read):,} to read, {len(vanished):,} missing"
        case (Outcomes() as outcomes, int()):
            return ", ".join(f"{count:,} {kind}" for kind, count in asdict(outcomes).items())
        case Built(tables=made, dropped=dropped):
            return f"{len(made):,} tables made, {len(dropped):,} dropped"
        case list(failed):
            return f"{len(failed):,} checks found something"
        case _:
            return ""


scan = as_task(pipeline.scan, retries=_SCAN_RETRIES)
load = as_task(pipeline.load)
model = as_task(pipeline.model)
check = as_task(pipeline.check)
publish = as_task(pipeline.publish)
share = as_task(postgres.publish_as_asked, run_name="publish to PostgreSQL")
STAGES = {stage.name: stage for stage in (scan, load, model, check, publish, share)}


class PrefectRunner:
    """Each stage a task; batches are read where `workers` reads them."""

    def __init__(self, workers: DirectRunner) -> None:
        self.workers = workers

    def call(self, stage: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Carry out one stage as the task of its name."""
        # Unquoted, Prefect would look for results of other tasks in every path of a plan.
        done = STAGES[stage.__name__](quote(partial(stage, *args, **options)))
        # Called directly, a task hands a state that it returned on as it is.
        return cast("T", done.result() if isinstance(done, State) else done)

    def say(self, text: str) -> None:
        """Log the text."""
        get_run_logger().info(text)

    def map(
        self, stage: str, work: "Callable[[Batch], Frames]", batches: Sequence[Batch]
    ) -> "Iterator[Frames]":
        """Read the batches where the workers do, and show the progress beside the flow run."""
        if batches:
            what = "commits" if stage == "history" else "files"
            steps = sum(batch.steps for batch in batches)
            artifact = create_progress_artifact(0.0, "extraction", f"{steps:,} {what} to read")
            self.workers.progress = partial(show_progress, cast("UUID", artifact))
        return self.workers.map(stage, work, batches)


def show_progress(artifact: "UUID", stage: str, done: int, total: int) -> None:
    """Bring a progress artifact up to date."""
    update_progress_artifact(artifact, round(100 * done / total, 1))


def report(
    paths: WarehousePaths, page: Path | None, runner: PrefectRunner, receipt: Mapping[str, Any]
) -> None:
    """Finish the run, and leave its receipt and its tables as artifacts."""
    log = get_run_logger()

    def share(paths: WarehousePaths) -> "Publication | None":
        asked = os.environ.get(postgres.VARIABLE)
        return runner.call(postgres.publish_as_asked, paths) if asked else None

    finished = finish(receipt, paths, page, log.warning, share)
    receipt = finished.receipt
    if finished.publication:
        log.info("%s", finished.publication)
    for note in receipt.get("notes", ()):
        log.warning(note)
    try:
        create_markdown_artifact(markdown.markdown(receipt), key="receipt")
        for table in markdown.tables(paths, receipt):
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
    if overtaken := _overtaken_by(paths):
        return Completed(
            name="Skipped",
            message=f"missed, and run {overtaken} has since read what it would have read",
        )
    request = pipeline.Request(
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
    carried_out_by = PrefectRunner(named(runner, paths.generations, jobs))
    told = partial(report, paths, Path(page) if page else None, carried_out_by)

    def built() -> Receipt:
        notify.hand_on(None, None)  # A mistake in the environment is better known before the run.
        return pipeline.run(request, carried_out_by, told, describe)

    done = as_state(built)
    # Lists of runs and notifications show the message of a state, not its result.
    return done if isinstance(done, State) else Completed(message=done.message, data=done)


def build_once(
    request: pipeline.Request, *, runner: str, jobs: int | None, page: Path | None = None
) -> Receipt:
    """Build as a flow run of this process."""
    require_api()
    done = build(
        **_parameters(request),
        replace_source=request.replace_source,
        full=request.full,
        accept_loss=request.accept_loss,
        history=request.history,
        runner=runner,
        jobs=jobs,
        page=str(page.absolute()) if page else None,
    )
    return cast("Receipt", done.result() if isinstance(done, State) else done)


def _parameters(request: pipeline.Request) -> dict[str, Any]:
    """Return what a flow is told of a request; null is what the last published run did."""
    return {
        "source": str(sources.absolute(request.source)) if request.source else None,
        "warehouse": str(request.warehouse.absolute()),
        "patterns": None if request.patterns is None else list(request.patterns),
        "exclude": None if request.exclude is None else list(request.exclude),
        "config": str(request.config.absolute()) if request.config else None,
    }


def _source(request: pipeline.Request) -> Location:
    """Return the folder that a schedule reads: the one asked for, or the remembered one."""
    paths = WarehousePaths(request.warehouse.absolute())
    return scope.choose(scope.of_published(paths), request.source).source


def _overtaken_by(paths: WarehousePaths) -> str | None:
    """Return the run that began after this scheduled one was due, if it went well.

    After a night's sleep several runs are due at once: the first reads all that the others would.
    """
    run = _this_run()
    if run is None or not run.auto_scheduled or run.expected_start_time is None:
        return None
    for receipt in reversed(read_runs(paths)):
        began = receipt.get("started_at")
        if began and "error" not in receipt:
            late = datetime.fromisoformat(began) > run.expected_start_time
            return str(receipt["run_id"]) if late else None
    return None


def _this_run() -> FlowRun | None:
    from prefect.context import FlowRunContext

    context = FlowRunContext.get()
    return context.flow_run if context else None


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
    found = f"no Prefect server answers at {address}" if address else "PREFECT_API_URL is not set"
    raise MatterhouseError(
        f"{found}: start one with `prefect server start --host 127.0.0.1` and set"
        " PREFECT_API_URL=http://127.0.0.1:4200/api, or build without Prefect: unset it and"
        " run `matterhouse build SOURCE`"
    )


def serve(
    request: pipeline.Request,
    cron: str,
    *,
    runner: str,
    jobs: int | None,
    page: Path | None = None,
    say: Callable[[str], None],
) -> None:
    """Build on a schedule until the process is ended; one run of a warehouse at a time."""
    schedule = _schedule(cron)
    require_api(_API_PATIENCE_SECONDS)
    source, warehouse = _source(request), request.warehouse.absolute()
    # Unlike their folders' names, the two paths tell all schedules of a machine apart.
    last_part = str(source).rpartition("/")[2]
    name = f"{last_part}-{zlib.crc32(os.fsencode(f'{source}:{warehouse}')):08x}"
    reads = terminal.escape_control(source)
    say(f"Building from {reads} at {cron!r} (UTC) until this process ends.")
    say(f"At once: prefect deployment run {shlex.quote(f'build/{name}')}")
    # Prefect's handler of SIGTERM forgets to await a call, and leaves it to asyncio to complain of
    # the connection to a flow run that is then cut; the run is finished and all ends well.
    warnings.filterwarnings("ignore", message="coroutine 'Runner.astop' was never awaited")
    logging.getLogger("asyncio").addFilter(
        lambda record: "StreamReaderProtocol.connection_made" not in record.getMessage()
    )
    try:
        build.serve(
            name=name,
            paused=False,
            schedule=schedule,
            # The second of two runs is cancelled rather than queued: it would find nothing to do.
            global_limit=ConcurrencyLimitConfig(
                limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
            ),
            parameters={
                **_parameters(request),
                "runner": runner,
                "jobs": jobs,
                "page": str(page.absolute()) if page else None,
            },
            description="Front matter in, analytics warehouse out.",
            entrypoint_type=EntrypointType.MODULE_PATH,
            print_starting_message=False,
        )
    finally:
        # Prefect pauses it too, but not while it waits for a run to end. Unless it is paused, runs
        # that nobody carries out go on being scheduled.
        _pause(f"build/{name}")


def _schedule(cron: str) -> Schedule:
    """Read a schedule; a sixth field would be seconds to some programs and a year to others."""
    try:
        if len(cron.split()) != _CRON_FIELDS and not cron.startswith("@"):
            raise ValueError("not five fields")
        return Cron(cron, timezone="UTC")
    except ValueError as error:
        raise UsageError(
            f"{cron!r} is not a cron schedule: say minute, hour, day of month, month and day of"
            " week, as in '0 6 * * *' for every day at six (UTC)"
        ) from error


def _pause(deployment: str) -> None:
    unreachable = contextlib.suppress(httpx.HTTPError, ObjectNotFound)
    with unreachable, get_client(sync_client=True) as client:
        client.pause_deployment(client.read_deployment_by_name(deployment).id)
