"""Run the checks: queries that must return no rows."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from flows.models.build import execute, how_many_at_once
from flows.models.files import SqlFile, UnusableSqlFile, files
from flows.warehouse.connection import Connection
from flows.warehouse.sessions import sessions

SHOWN_CHARACTERS = 80
SHOWN_ROWS = 20  # a failed check shows enough rows to see the pattern, not thousands


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check that returned rows: what is wrong, how bad it is, and the first rows."""

    name: str
    message: str
    severity: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    count: int

    def __str__(self) -> str:
        """Say it in one line, with the first row: it may be all that somebody needs."""
        found = f"{self.count} row{'s' * (self.count != 1)}"
        first = ", ".join(
            f"{column} {str(value)[:SHOWN_CHARACTERS]}"
            for column, value in zip(self.columns, self.rows[0], strict=True)
            if value is not None
        )
        return f"{self.name}: {self.message} ({self.severity}, {found}, first: {first})"


def run(con: Connection, *, waived: Collection[str] = ()) -> list[FailedCheck]:
    """Run every check that is not waived, and return those that found something."""
    wanted = [file for file in files("checks") if file.stem not in waived]
    with sessions(con, how_many_at_once(con)) as submit:
        found = [submit(partial(_run, file=file)) for file in wanted]
        return [failed for run in found if (failed := run.result()) is not None]


def _run(con: Connection, file: SqlFile) -> FailedCheck | None:
    message, severity = (*file.header, "", "")[:2]
    if severity not in ("severity: error", "severity: warn"):
        raise UnusableSqlFile(
            f"{file.place}: the second line must be `-- severity: error` or `-- severity: warn`."
        )
    rows = tuple(execute(con, file, file.sql, SHOWN_ROWS))
    columns = tuple(column[0] for column in con.description or [])
    if not rows:
        return None
    ((count,),) = execute(con, file, f"select count(*) from (\n{file.sql}\n)")
    return FailedCheck(
        file.stem, message, severity.removeprefix("severity: "), columns, rows, count
    )
