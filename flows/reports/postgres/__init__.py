"""The published warehouse in a PostgreSQL database that a team shares."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows import UsageError
from flows.warehouse.connection import BASE_MEMORY_BYTES, limit_memory, open_readonly
from flows.warehouse.paths import WarehousePaths

if TYPE_CHECKING:
    from flows.reports.postgres.publication import Publication

# The address may hold a password: flow runs take it from the environment, never as a parameter.
ADDRESS_VARIABLE = "MATTERHOUSE_PUBLISH"
SCHEMES = ("postgresql://", "postgres://")
NO_ADDRESS = (
    "the address is not one of PostgreSQL: say postgresql://USER@HOST:PORT/DATABASE, with %XX for"
    " what is no letter or digit, and the password in PGPASSWORD or ~/.pgpass"
)


def publish(
    paths: WarehousePaths,
    url: str,
    patterns: Sequence[str] = ("*",),
    *,
    unless_there: bool = False,
    replace: bool = False,
) -> "Publication":
    """Publish the warehouse's tables that match to the database at `url`."""
    require_address(url)
    from flows.reports.postgres import publication

    with open_readonly(paths) as con:
        # Rows are passed on as they come: more threads hold back those whose turn it is not, and
        # more memory is but a copy of the file.
        con.execute("set threads = 1")
        limit_memory(con, BASE_MEMORY_BYTES)
        return publication.publish(con, url, patterns, unless_there=unless_there, replace=replace)


def require_address(url: str | None) -> None:
    """Stop at an address of anything but PostgreSQL, and without what reaches one."""
    if not url:
        return
    if not url.startswith(SCHEMES):
        raise UsageError(NO_ADDRESS)
    try:
        import psycopg  # noqa: F401 - it may be there without its library
    except ImportError as error:
        raise UsageError(
            "publishing to PostgreSQL is an extra: pip install 'matterhouse[postgres]'"
        ) from error


def publish_as_asked(paths: WarehousePaths) -> "Publication | None":
    """Publish to the database that the environment names, if any, unless this run is there."""
    url = os.environ.get(ADDRESS_VARIABLE)
    return publish(paths, url, unless_there=True) if url else None
