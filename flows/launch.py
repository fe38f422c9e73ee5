"""Start the pipeline: in this process, or as a flow run of Prefect."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import MatterhouseError
from flows.reports import terminal
from flows.warehouse.paths import WarehousePaths

if TYPE_CHECKING:
    from types import ModuleType

    from flows.load.receipt import Receipt
    from flows.pipeline import Request
    from flows.reports.finish import Finished


def build(
    request: "Request", *, runner: str, jobs: int | None, page: Path | None, quiet: bool
) -> "tuple[Receipt, Finished]":
    """Build in this process, with progress on the terminal."""
    from flows import pipeline
    from flows.reports.finish import Finished, finish
    from flows.reports.headline import describe
    from flows.workers.runner import named

    paths = WarehousePaths(request.warehouse)
    finished = Finished({})

    def report(receipt: Mapping[str, Any]) -> None:
        nonlocal finished
        finished = finish(receipt, paths, page, terminal.print_error)

    say = (lambda text: None) if quiet else terminal.aside
    with terminal.progress(visible=not quiet) as progress:
        workers = named(runner, paths.generations, jobs, progress, say=say)
        receipt = pipeline.run(request, workers, report, describe)
    return receipt, finished


def orchestrate(*, quiet: bool = False) -> "ModuleType":
    """Import what imports prefect, with its settings made first; quiet leaves logs to the API."""
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
    from flows import orchestrate as flow_runs

    return flow_runs
