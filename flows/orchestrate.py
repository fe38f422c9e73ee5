"""The same pipeline as Prefect flows, with tasks, artifacts and a schedule.

The only file that imports prefect.
"""

import contextlib
import logging
import os
import shlex
import tempfile
import time
import warnings
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

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

from flows import MatterhouseError, frontmatter
from flows import pipeline as pipeline
from flows.load import scope
from flows.load.receipt import Receipt
from flows.reports import export as exports
from flows.reports import markdown, notify, postgres, terminal
from flows.source.extract import Batch
from flows.warehouse.connection import open_readonly
from flows.warehouse.paths import WORKING, WarehousePaths, locate
from flows.warehouse.run_log import read_runs
from flows.workers import isolate
from flows.workers.runner import DirectRunner, named

if TYPE_CHECKING:
    from uuid import UUID

    from flows.normalize.frames import Frames

T = TypeVar("T")
# Disks and mounts can fail for a moment. The later stages work inside one transaction, which a
# second try would enter half changed.
_RETRIED = {"scan": 2}
_RETRY_SECONDS = 2
_BATCH_RETRIES = 2
_CRON_FIELDS = 5
# A server that starts together with the schedule needs up to 20 seconds on a slow machine.
_API_PATIENCE_SECONDS = 90


class NoPrefectApi(MatterhouseError):
    """No Prefect server answers, so there is nobody to run a flow for."""


class BadCron(MatterhouseError):
    """The schedule is not one that cron would understand."""

    exit_code = 2


class DaskMissing(MatterhouseError):
    """The extra that brings Dask is not installed."""

    exit_code = 2


class WorkersFailed(MatterhouseError):
    """A batch could not be read by any worker of the Dask cluster."""


class PrefectRunner:
    """Each stage a task; batches in processes of this machine, or on a Dask cluster."""

    def __init__(self, direct: DirectRunner, cluster: str | None, paths: WarehousePaths) -> None:
        self.direct = direct
        self.cluster = cluster
        self.paths = paths

    def call(self, stage: str, work: Callable[[], T]) -> T:
        """Carry out one stage as a task of its name."""

        def run_stage() -> T | State[T]:
            return _as_state(work)

        # The work holds connections and frames: as a closure it is neither hashed nor stored.
        done = Task(
            run_stage,
            name=stage,
            task_run_name=stage,
            cache_policy=NO_CACHE,
            persist_result=False,
            retries=_RETRIED.get(stage, 0),
            retry_delay_seconds=exponential_backoff(_RETRY_SECONDS),
            retry_jitter_factor=0.5,
            retry_condition_fn=_is_retryable,
        )()
        # Called directly, a task hands a state that it returned on as it is.
        return cast("T", done.result()) if isinstance(done, State) else done

    def map(
        self, stage: str, work: "Callable[[Batch], Frames]", batches: Sequence[Batch]
    ) -> "Iterator[Frames]":
        """Carry out the batches below one task that shows its progress."""
        if not batches:
            return
        total = sum(len(batch.paths) for batch in batches)

        def read_batches() -> "Iterator[Frames]":
            said = f"{total:,} files to read"
            progress = cast("UUID", create_progress_artifact(0.0, "extraction", said))
            mapped = self._on_dask if self.cluster is not None else self._here
            done = 0
            for batch, frames in zip(batches, mapped(stage, work, batches), strict=True):
                yield frames
                done += len(batch.paths)
                update_progress_artifact(progress, round(100 * done / total, 1))

        yield from Task(
            read_batches,
            name=stage,
            task_run_name=stage,
            cache_policy=NO_CACHE,
            persist_result=False,
        )()

    def report(self, receipt: Mapping[str, Any]) -> None:
        """Tell whoever asked, and leave the receipt and its tables as artifacts."""
        self.direct.report(receipt)
        for note in receipt.get("notes", ()):
            get_run_logger().warning(note)
        try:
            leave_artifacts(self.paths, receipt)
        except (httpx.HTTPError, PrefectException, MatterhouseError) as error:
            # What is published is published: a page without tables is no failed refresh.
            get_run_logger().warning("the artifacts of the run are not complete: %s", error)

    def _here(
        self, stage: str, work: "Callable[[Batch], Frames]", batches: Sequence[Batch]
    ) -> "Iterator[Frames]":
        return self.direct.map(stage, work, batches)

    def _on_dask(
        self, stage: str, work: "Callable[[Batch], Frames]", batches: Sequence[Batch]
    ) -> "Iterator[Frames]":
        """Yield what the workers left as Parquet, reading no more than a few batches ahead."""
        # The name is one that the next refresh sweeps up, should this one be killed.
        prefix = f"{WORKING}.parts-"
        with (
            tempfile.TemporaryDirectory(prefix=prefix, dir=self.paths.generations) as staging,
            _dask(self.cluster or "", self.direct.jobs) as dask,
        ):
            ahead = 2 * max(len(dask.client.nthreads()), 1)
            waiting: deque[tuple[Batch, Any]] = deque()
            for number, batch in enumerate(batches, start=1):
                given = {
                    "work": work,
                    "batch": replace(batch, source=batch.source.absolute()),
                    "staging": staging,
                    "number": number,
                }
                waiting.append((batch, dask.submit(read_batch, parameters=given)))
                if len(waiting) > ahead:
                    yield _collect(work, *waiting.popleft())
            while waiting:
                yield _collect(work, *waiting.popleft())


def _is_retryable(_task: object, _run: object, state: State[Any]) -> bool:
    """Retry what the operating system refused; an error of ours says what to mend instead."""
    return isinstance(state.result(raise_on_failure=False), OSError)


def _as_state(work: Callable[[], T]) -> "T | State[T]":
    """Return an error of ours as a state with its one sentence: raised, it logs a traceback."""
    try:
        return work()
    except MatterhouseError as error:
        # The frames of a traceback would keep connections open beyond the end of the process.
        bare = error.with_traceback(None)
        bare.__cause__ = bare.__context__ = None
        return Failed(name=type(error).__name__, message=str(error), data=bare)


@task(
    name="extract batch",
    task_run_name="extract batch {number}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=_BATCH_RETRIES,
    retry_delay_seconds=exponential_backoff(_RETRY_SECONDS),
    retry_jitter_factor=0.5,
    retry_condition_fn=_is_retryable,
)
def read_batch(
    work: "Callable[[Batch], Frames]", batch: Batch, staging: str, number: int
) -> str | State[str]:
    """Read one batch on a worker of the cluster and return the folder of its Parquet parts."""
    from flows.workers import parts

    return _as_state(lambda: parts.write(work, batch, Path(staging), f"{number:06}"))


def _collect(work: "Callable[[Batch], Frames]", batch: Batch, future: Any) -> "Frames":
    """Return what a worker read; a batch that kills workers is read here, file by file."""
    from distributed.scheduler import KilledWorker

    from flows.workers import parts

    try:
        return parts.take(Path(future.result()))
    except MatterhouseError:
        raise
    except KilledWorker:
        return isolate.retry_in_new_process(work, batch)
    except Exception as error:
        raise WorkersFailed(
            f"the Dask workers could not read the batch that begins with"
            f" {terminal.escape_control(batch.paths[0])} ({type(error).__name__}); nothing was"
            " published. See the workers' logs, or read it on this machine with --runner process"
        ) from error


def _dask(address: str, jobs: int) -> Any:
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError as error:
        raise DaskMissing("the Dask runner is an extra: pip install 'matterhouse[dask]'") from error
    # It reports each connection of each worker otherwise.
    logging.getLogger("distributed").setLevel(logging.WARNING)
    if address:
        return DaskTaskRunner(address=address)
    here = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    return DaskTaskRunner(cluster_kwargs=here)


def leave_artifacts(paths: WarehousePaths, receipt: Mapping[str, Any]) -> None:
    """Put the receipt, the movers, the quarantine and the failed checks beside the flow run."""
    create_markdown_artifact(markdown.markdown(receipt), key="receipt")
    for table in markdown.tables(paths, receipt):
        create_table_artifact(table.rows, key=table.key, description=table.description)


def _run_name() -> str:
    """Name a flow run by what it reads and when it was due."""
    given = runtime.flow_run.parameters
    due = runtime.flow_run.scheduled_start_time or datetime.now(UTC)
    return f"{given.get('source') or given.get('warehouse')} {due:%Y-%m-%d %H:%M}"


@flow(name="refresh", flow_run_name=_run_name, persist_result=False)
def refresh(
    source: str | None = None,
    warehouse: str = "warehouse.duckdb",
    patterns: list[str] | None = None,
    exclude: list[str] | None = None,
    replace_source: bool = False,
    full: bool = False,
    verify: bool = False,
    accept_loss: bool = False,
    parser: frontmatter.Parser = "fast",
    runner: str = "auto",
    jobs: int | None = None,
) -> Receipt | State[Receipt]:
    """Bring a warehouse up to date with its source.

    `runner` is local, process, dask or dask=tcp://HOST:PORT; auto lets the number of files decide.
    """
    paths = locate(warehouse)
    if overtaken := _overtaken_by(paths):
        return Completed(
            name="Skipped",
            message=f"missed, and run {overtaken} has since read what it would have read",
        )
    request = pipeline.Request(
        Path(source) if source else None,
        paths.warehouse,
        patterns=None if patterns is None else tuple(patterns),
        exclude=None if exclude is None else tuple(exclude),
        replace_source=replace_source,
        full=full,
        verify=verify,
        accept_loss=accept_loss,
        parser=parser,
    )
    log = get_run_logger()
    words = notify.from_environment()
    direct = named(runner, jobs, reported=lambda receipt: notify.tell(words, receipt, log.warning))
    name, _, address = runner.partition("=")
    carried_out_by = PrefectRunner(direct, address if name == "dask" else None, paths)

    def refreshed() -> Receipt:
        receipt = pipeline.refresh(request, carried_out_by)
        if os.environ.get(postgres.VARIABLE):
            published = partial(postgres.publish_as_asked, paths)
            log.info("%s", carried_out_by.call("publish to PostgreSQL", published))
        return receipt

    return _as_state(refreshed)


def build(request: pipeline.Request, *, runner: str, jobs: int | None) -> Receipt:
    """Refresh once, as a flow run of this process."""
    require_api()
    receipt = refresh(
        **_parameters(request),
        replace_source=request.replace_source,
        full=request.full,
        verify=request.verify,
        accept_loss=request.accept_loss,
        parser=request.parser,
        runner=runner,
        jobs=jobs,
    )
    return cast("Receipt", receipt)


def _parameters(request: pipeline.Request) -> dict[str, Any]:
    """Return what a flow is told of a request; null is what the last published run did."""
    return {
        "source": str(request.source.absolute()) if request.source else None,
        "warehouse": str(request.warehouse.absolute()),
        "patterns": None if request.patterns is None else list(request.patterns),
        "exclude": None if request.exclude is None else list(request.exclude),
    }


def _source(request: pipeline.Request) -> Path:
    """Return the folder that a schedule reads: the one asked for, or the remembered one."""
    paths = WarehousePaths(request.warehouse.absolute())
    return scope.choose(scope.of_published(paths), request.source).source


def _overtaken_by(paths: WarehousePaths) -> str | None:
    """Return the refresh that began after this scheduled one was due, if it went well.

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


@flow(name="export", flow_run_name=_run_name, persist_result=False)
def export(
    folder: str,
    warehouse: str = "warehouse.duckdb",
    file_format: str = "parquet",
    tables: list[str] | None = None,
) -> dict[str, Any] | State[dict[str, Any]]:
    """Write the reports of a warehouse to files."""
    paths = locate(warehouse)

    def write() -> dict[str, Any]:
        with open_readonly(paths) as con:
            return exports.export(
                con, Path(folder), file_format=file_format, patterns=tables or ["marts.*"]
            ).manifest

    def written() -> dict[str, Any]:
        manifest = PrefectRunner(DirectRunner(), None, paths).call("export", write)
        files = [{"file": t["file"], "rows": t["rows"]} for t in manifest["tables"]]
        create_table_artifact(files, key="exported", description=f"Run {manifest['run_id']}")
        return manifest

    return _as_state(written)


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
    raise NoPrefectApi(
        f"{found}: start one with `prefect server start --host 127.0.0.1` and set"
        " PREFECT_API_URL=http://127.0.0.1:4200/api, or refresh without Prefect: unset it and"
        " run `matterhouse build SOURCE`"
    )


def serve(
    request: pipeline.Request,
    cron: str,
    *,
    runner: str,
    jobs: int | None,
    say: Callable[[str], None],
) -> None:
    """Refresh on a schedule until the process is ended; one refresh of a warehouse at a time."""
    schedule = _schedule(cron)
    require_api(_API_PATIENCE_SECONDS)
    source, warehouse = _source(request), request.warehouse.absolute()
    # Unlike their folders' names, the two paths tell all schedules of a machine apart.
    name = f"{source.name}-{zlib.crc32(os.fsencode(f'{source}:{warehouse}')):08x}"
    say(f"Refreshing {terminal.escape_control(source)} at {cron!r} (UTC) until this process ends.")
    say(f"At once: prefect deployment run {shlex.quote(f'refresh/{name}')}")
    # Prefect's handler of SIGTERM forgets to await a call, and leaves it to asyncio to complain of
    # the connection to a flow run that is then cut; the run is finished and all ends well.
    warnings.filterwarnings("ignore", message="coroutine 'Runner.astop' was never awaited")
    logging.getLogger("asyncio").addFilter(
        lambda record: "StreamReaderProtocol.connection_made" not in record.getMessage()
    )
    try:
        refresh.serve(
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
            },
            description="Front matter in, analytics warehouse out.",
            entrypoint_type=EntrypointType.MODULE_PATH,
            print_starting_message=False,
        )
    finally:
        # Prefect pauses it too, but not while it waits for a run to end. Unless it is paused, runs
        # that nobody carries out go on being scheduled.
        _pause(f"refresh/{name}")


def _schedule(cron: str) -> Schedule:
    """Read a schedule; a sixth field would be seconds to some programs and a year to others."""
    try:
        if len(cron.split()) != _CRON_FIELDS and not cron.startswith("@"):
            raise ValueError("not five fields")
        return Cron(cron, timezone="UTC")
    except ValueError as error:
        raise BadCron(
            f"{cron!r} is not a cron schedule: say minute, hour, day of month, month and day of"
            " week, as in '0 6 * * *' for every day at six (UTC)"
        ) from error


def _pause(deployment: str) -> None:
    unreachable = contextlib.suppress(httpx.HTTPError, ObjectNotFound)
    with unreachable, get_client(sync_client=True) as client:
        client.pause_deployment(client.read_deployment_by_name(deployment).id)
