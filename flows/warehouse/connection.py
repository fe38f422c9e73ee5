"""Open the published warehouse to read it, beside whoever else has it open."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from flows import MatterhouseError
from flows.warehouse.paths import WarehousePaths
from flows.warehouse.working_copy import OFFLINE, NotAWarehouse, copy, first_line


class NoWarehouse(MatterhouseError):
    """There is no warehouse at this path yet."""


@contextlib.contextmanager
def open_readonly(paths: WarehousePaths, **config: Any) -> Iterator["duckdb.DuckDBPyConnection"]:
    """Open the published warehouse read-only."""
    if not paths.warehouse.exists():
        raise NoWarehouse(
            f"there is no warehouse at {paths.warehouse}: make one with `matterhouse build FOLDER`,"
            " or name it with --warehouse"
        )
    with contextlib.ExitStack() as stack:
        config = {**OFFLINE, **config}
        published = paths.warehouse.resolve()
        try:
            con = duckdb.connect(str(published), read_only=True, config=config)
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error):
                raise _unreadable(paths, error) from error
            # Somebody has the file open for writing, which shuts all others out: read its bytes.
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            copied = Path(folder) / paths.warehouse.name
            copy(published, copied)
            con = duckdb.connect(str(copied), read_only=True, config=config)
        except duckdb.Error as error:
            raise _unreadable(paths, error) from error
        stack.enter_context(con)
        con.execute("set TimeZone = 'UTC'")
        yield con


def _unreadable(paths: WarehousePaths, error: Exception) -> NotAWarehouse:
    return NotAWarehouse(f"{paths.warehouse} cannot be opened: {first_line(error)}")
