"""An error → what a user reads of it, and the exit code."""

import os
import sys
from typing import TYPE_CHECKING

from flows import MatterhouseError, explain
from flows.reports.console.terminal import print_error
from flows.words import escape_control

if TYPE_CHECKING:
    from flows.models.checks import FailedCheck
    from flows.warehouse.paths import WarehousePaths


def report(error: BaseException) -> int:
    """Print an error in one line and return the exit code; raise what no user can fix."""
    if isinstance(error, BrokenPipeError):
        # The reader of our output (head, say) had enough: that is no error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if (line := _explain(error)) is None:
        raise error
    print_error(line)
    for check in getattr(error, "failed", ()):
        _print_check(check)
    if isinstance(error, KeyboardInterrupt):
        return getattr(error, "exit_code", 130)
    return error.exit_code if isinstance(error, MatterhouseError) else 1


def blame_age(error: Exception, paths: "WarehousePaths | None") -> MatterhouseError | None:
    """Return an error that says to build, if a warehouse lacks what a report reads; else None."""
    import duckdb

    if paths is None or not isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        return None
    from flows.load.ledger import is_outdated
    from flows.models.files import fingerprint
    from flows.warehouse.connection import first_line, open_readonly

    with open_readonly(paths) as con:
        if not is_outdated(con, fingerprint()):
            return None
    return MatterhouseError(
        f"{paths.warehouse} was made by an earlier version of matterhouse or of its SQL files:"
        f" build once, with `matterhouse build` ({first_line(error)})"
    )


def _explain(error: BaseException) -> str | None:
    match error:
        case MatterhouseError():
            return str(error)
        case KeyboardInterrupt():
            said = str(error) or "interrupted"
            return f"{said}: runs are published whole or not at all, see `matterhouse runs`"
        case OSError():
            return explain(error)
        case MemoryError():
            return "out of memory: give the process more, or build with fewer --jobs"
        case _:
            import duckdb

            said = str(error).partition("\n")[0] or "without a reason"
            return f"DuckDB gave up: {said}" if isinstance(error, duckdb.Error) else None


def _print_check(check: "FailedCheck") -> None:
    print(f"  {check}", file=sys.stderr)
    for row in check.rows[:5]:
        said = ", ".join(
            f"{n} {escape_control(v)}" for n, v in zip(check.columns, row, strict=True)
        )
        print(f"    {said}", file=sys.stderr)
