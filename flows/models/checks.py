"""Run the checks: queries that must return no rows."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from flows.frontmatter import SECRET_KEYS
from flows.models.build import SCHEMAS, execute, how_many_at_once
from flows.models.files import SqlFile, UnusableSqlFile, files
from flows.models.table_checks import make_rows_unique, make_secured_kept_out
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


def run(
    con: Connection,
    *,
    written: Collection[str] | None = None,
    secret: Collection[str] = SECRET_KEYS,
    waived: Collection[str] = (),
) -> list[FailedCheck]:
    """Run every check that is not waived, and return those that found something.

    Keys and texts are checked in the tables that the run has `written`, None for all of them.
    """
    wanted = [partial(_run, file=file) for file in files("checks") if file.stem not in waived]
    keyed = [
        file
        for schema in SCHEMAS
        for file in files(schema)
        if file.key and (written is None or file.name in written)
    ]
    made = (
        partial(make_rows_unique, keyed=keyed),
        partial(make_secured_kept_out, written=written, secret=secret),
    )
    with sessions(con, how_many_at_once(con)) as submit:
        found = [submit(check) for check in (*(partial(_run_made, make=m) for m in made), *wanted)]
        return sorted(filter(None, (each.result() for each in found)), key=lambda each: each.name)


def _run_made(con: Connection, make: Callable[[Connection], SqlFile | None]) -> FailedCheck | None:
    file = make(con)
    return _run(con, file) if file else None


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
