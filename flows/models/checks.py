"""Run the checks: queries that must return no rows."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flows.models.build import SCHEMAS, execute, how_many_at_once
from flows.models.files import SqlFile, UnusableSqlFile, files
from flows.warehouse.connection import Connection, sql_identifier
from flows.warehouse.sessions import sessions

# The select is made of the headers of the tables in which hashes meet.
_ROWS_UNIQUE = """\
-- A table has two rows where its grain allows one: everything joined to it counts twice.
-- severity: error
"""
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
    con: Connection, *, written: Collection[str] | None = None, waived: Collection[str] = ()
) -> list[FailedCheck]:
    """Run every check that is not waived, and return those that found something.

    Of the tables, those that the run has `written` are unique, or all of them.
    """
    wanted = [partial(_run, file=file) for file in files("checks") if file.stem not in waived]
    keyed = [
        file
        for schema in SCHEMAS
        for file in files(schema)
        if file.key and (written is None or file.name in written)
    ]
    with sessions(con, how_many_at_once(con)) as submit:
        found = [submit(check) for check in (partial(_find_doubled, keyed=keyed), *wanted)]
        return sorted(filter(None, (each.result() for each in found)), key=lambda each: each.name)


def _find_doubled(con: Connection, keyed: list[SqlFile]) -> FailedCheck | None:
    """Hold tables against the keys of their headers: by hashes, and by values where two meet."""
    keys = {file.name: ", ".join(map(sql_identifier, file.key)) for file in keyed}
    hashes = [
        f"select '{table}', count(*) - count(distinct hash({key})) from {table}"
        for table, key in keys.items()
    ]
    check = SqlFile("checks", "rows_unique", " union all ".join(hashes))
    meeting = {table for table, rows in execute(con, check, check.sql, len(keyed)) if rows}
    if not meeting:
        return None
    doubled = [
        f"select '{table}' as table_name, concat_ws(' · ', {key}) as key, count(*) as rows"
        f" from {table} group by {key} having count(*) > 1"
        for table, key in keys.items()
        if table in meeting
    ]
    query = f"{_ROWS_UNIQUE}{' union all '.join(doubled)} order by table_name, key"
    return _run(con, replace(check, sql=query))


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
