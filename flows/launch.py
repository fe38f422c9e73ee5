"""Start the pipeline: in this process, or as a flow run of Prefect, now or on a schedule."""

import atexit
import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import MatterhouseError, interrupt
from flows.reports.console import terminal
from flows.warehouse.paths import WarehousePaths

if TYPE_CHECKING:
    from flows.pipeline.context import Request
    from flows.pipeline.receipt import Receipt
    from flows.reports.messages.after_run import Finished


def build(
    request: "Request", *, runner: str, jobs: int | None, page: Path | None, quiet: bool
) -> "tuple[Receipt, Finished]":
    """Build in this process, with progress on the terminal."""
    from flows.pipeline.run import run
    from flows.reports.messages.after_run import Finished, finish
    from flows.reports.messages.receipt_message import describe
    from flows.workers.runner import choose_runner

    paths = WarehousePaths(request.warehouse)
    finished = Finished({})

    def report(receipt: Mapping[str, Any]) -> None:
        nonlocal finished
        finished = finish(receipt, paths, page, terminal.print_error)

    say = (lambda text: None) if quiet else terminal.print_aside
    with terminal.show_progress(visible=not quiet) as progress:
        workers = choose_runner(runner, paths.generations, jobs, progress, say=say)
        receipt = run(request, workers, report, describe)
    return receipt, finished


def build_as_flow(
    request: "Request", *, runner: str, jobs: int | None, page: Path | None, quiet: bool
) -> "tuple[Receipt, Finished]":
    """Build as a flow run, which finishes by itself; quiet leaves its logs to the API."""
    _prepare_prefect(quiet=quiet)
    from flows.orchestrate import flow
    from flows.reports.messages.after_run import Finished

    return flow.build_once(request, runner=runner, jobs=jobs, page=page), Finished({})


def serve(
    request: "Request", cron: str, *, runner: str, jobs: int | None, page: Path | None
) -> None:
    """Build on a schedule until the process is ended."""
    _prepare_prefect(quiet=False)
    from flows.orchestrate import schedule

    schedule.serve(request, cron, runner=runner, jobs=jobs, page=page, say=print)


def _prepare_prefect(*, quiet: bool) -> None:
    """Make settings that Prefect reads while it is imported, and leave signals to it."""
    interrupt.leave_signals()
    for name, value in {
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL" if quiet else "NOTSET",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # Otherwise a run without a server starts one of its own, for 12 seconds and a traceback.
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    }.items():
        os.environ.setdefault(name, value)
    try:
        Path.home()
    except RuntimeError as error:
        raise MatterhouseError(
            "Prefect keeps files in a home folder, and this account has none: set HOME to a folder"
            " that it may write to"
        ) from error


def leave(code: int) -> None:
    """End the process, but leave taking down the interpreter to the system.

    Python spends a tenth of a small build on that. Threads and event loops of Prefect and Dask may
    need it.
    """
    if sys.modules.keys().isdisjoint(("prefect", "distributed")):
        atexit._run_exitfuncs()
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
