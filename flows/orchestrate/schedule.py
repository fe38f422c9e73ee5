"""The flow on a schedule: `matterhouse serve`."""

import contextlib
import logging
import os
import shlex
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
from prefect import get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Cron, Schedule
from prefect.types.entrypoint import EntrypointType

from flows import UsageError
from flows.orchestrate.flow import build, require_api, to_parameters
from flows.pipeline import scope
from flows.pipeline.context import Request
from flows.source.sources import Location
from flows.warehouse.paths import WarehousePaths
from flows.words import escape_control

_CRON_FIELDS = 5
# A server that starts together with the schedule needs up to 20 seconds on a slow machine.
_API_PATIENCE_SECONDS = 90


def serve(
    request: Request,
    cron: str,
    *,
    runner: str,
    jobs: int | None,
    page: Path | None = None,
    say: Callable[[str], None],
) -> None:
    """Build on a schedule until the process is ended; one run of a warehouse at a time."""
    schedule = _parse_cron(cron)
    require_api(_API_PATIENCE_SECONDS)
    source, warehouse = _find_source(request), request.warehouse.absolute()
    name = _name(source, warehouse)
    reads = escape_control(source)
    say(f"Building from {reads} at {cron!r} (UTC) until this process ends.")
    say(f"To start a run at once: prefect deployment run {shlex.quote(f'build/{name}')}")
    _silence_shutdown()
    try:
        build.serve(
            name=name,
            paused=False,
            schedule=schedule,
            # The second of two runs is cancelled rather than queued: it would find nothing to do.
            global_limit=ConcurrencyLimitConfig(
                limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
            ),
            parameters=to_parameters(request, runner=runner, jobs=jobs, page=page),
            description="Front matter in, analytics warehouse out.",
            entrypoint_type=EntrypointType.MODULE_PATH,
            print_starting_message=False,
        )
    finally:
        # Prefect pauses it too, but not while it waits for a run to end. Unless it is paused, runs
        # that nobody carries out keep being scheduled.
        _pause(f"build/{name}")


def _name(source: Location, warehouse: Path) -> str:
    """Name a schedule by its folder; folder names can repeat, the two paths together cannot."""
    last_part = str(source).rpartition("/")[2]
    return f"{last_part}-{zlib.crc32(os.fsencode(f'{source}:{warehouse}')):08x}"


def _silence_shutdown() -> None:
    """Hide two complaints after SIGTERM: the current run is finished, and all ends well.

    Prefect's handler forgets to await a call, and asyncio complains of the connection that is cut.
    """
    warnings.filterwarnings("ignore", message="coroutine 'Runner.astop' was never awaited")
    logging.getLogger("asyncio").addFilter(
        lambda record: "StreamReaderProtocol.connection_made" not in record.getMessage()
    )


def _parse_cron(cron: str) -> Schedule:
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


def _find_source(request: Request) -> Location:
    """Return the folder that a schedule reads: the one asked for, or the remembered one."""
    paths = WarehousePaths(request.warehouse.absolute())
    return scope.choose(scope.read_published(paths), request.source).source
