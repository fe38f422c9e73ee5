"""The stages of the pipeline as Prefect tasks."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

from prefect import Task, get_run_logger, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Failed
from prefect.tasks import exponential_backoff
from prefect.utilities.annotations import quote

from flows import MatterhouseError
from flows.load.ledger import Outcomes
from flows.models.build import Built
from flows.pipeline.model import Modelled
from flows.pipeline.receipt import Receipt
from flows.pipeline.run import STAGES
from flows.pipeline.scan import Scanned
from flows.reports import postgres
from flows.words import spell

P = ParamSpec("P")
T = TypeVar("T")
_SCAN_RETRIES = 2
_RETRY_SECONDS = 2


def as_state(work: Callable[[], T]) -> "T | State[T]":
    """Return an error of ours as a failed state: raised, Prefect would log a traceback."""
    try:
        return work()
    except MatterhouseError as error:
        # The frames of a traceback would keep connections open beyond the end of the process.
        bare = error.with_traceback(None)
        bare.__cause__ = bare.__context__ = None
        return Failed(name=type(error).__name__, message=str(error), data=bare)


def is_retryable(_task: object, _run: object, state: State[Any]) -> bool:
    """Retry errors of the operating system; errors of ours say what to fix instead."""
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
        if line := describe_result(stage.__name__, done):
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


def describe_result(stage: str, result: object) -> str:
    """Say what a stage has done, with its counts."""
    match stage, result:
        case "scan", Scanned(plan=plan):
            read, missing = len(plan.to_read), len(plan.vanished)
            return f"{spell(plan.seen, 'file')}, {read:,} to read, {missing:,} missing"
        case "load", Receipt() as receipt:
            kinds = [field.name for field in fields(Outcomes)]
            return ", ".join(f"{getattr(receipt, kind):,} {kind}" for kind in kinds)
        case "model", Modelled(built=Built(tables=made, dropped=dropped)):
            return f"{spell(len(made), 'table')} made, {len(dropped):,} dropped"
        case "check", Receipt(failed_checks=failed):
            return f"{spell(len(failed), 'check')} found something" if failed else "all is well"
        case _:
            return ""


# Disks and mounts can fail for a moment. The stages after the scan work inside one transaction,
# which a second try would enter half changed.
TASKS = {
    stage.__name__: as_task(stage, retries=_SCAN_RETRIES if stage.__name__ == "scan" else 0)
    for stage in STAGES
} | {
    "publish_as_asked": as_task(postgres.publish_as_asked, run_name="publish to PostgreSQL"),
}


def wrap(stage: Callable[P, T]) -> Callable[P, T]:
    """Return a function that carries out a stage as the task of its name."""

    def carry_out(*args: P.args, **options: P.kwargs) -> T:
        results: list[T] = []

        def keep_result() -> T:
            results.append(stage(*args, **options))
            return results[0]

        try:
            # Unquoted, Prefect would look for results of other tasks in every path of a plan.
            done = TASKS[stage.__name__](quote(keep_result))
        except Exception as error:
            if not results:
                raise
            # A warehouse that readers see already is no failure of its run.
            get_run_logger().warning("%s is done, but not noted: %s", stage.__name__, error)
            return results[0]
        # Called directly, a task returns a state unchanged.
        return cast("T", done.result() if isinstance(done, State) else done)

    return carry_out


class ProgressArtifact:
    """Shows beside the flow run how far reading is, once for the commits and once for the files."""

    def __init__(self) -> None:
        self._artifacts: dict[str, UUID] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Bring the artifact of a stage up to date."""
        if stage not in self._artifacts:
            what = "commits" if stage == "history" else "files"
            artifact = create_progress_artifact(0.0, "extraction", f"{total:,} {what} to read")
            self._artifacts[stage] = cast("UUID", artifact)
        update_progress_artifact(self._artifacts[stage], round(100 * done / total, 1))
