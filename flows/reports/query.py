"""One read-only query → rows on the terminal, in a file, in a pipe."""

import contextlib
import io
import shutil
import sys
from pathlib import Path

import duckdb

from flows import UsageError
from flows.reports.export import rows
from flows.reports.output import open_output
from flows.warehouse.connection import Connection, open_readonly, sql_literal
from flows.warehouse.paths import WarehousePaths
from flows.words import escape_control

_SHOWN_ROWS = 200
_FETCHED_ROWS = 10_000
_NO_ROWS = "the last statement gives no rows: end with a select"
_FORMATS = {".csv": "csv", ".json": "json", ".parquet": "parquet"}


def read_query(argument: str | None) -> str:
    """Return the query that was given, or the one on standard input."""
    if argument is None:
        data = sys.stdin.buffer.read()
    else:
        data = argument.encode(errors="surrogateescape")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"the query is not UTF-8 (line {line}): save it as UTF-8") from error


def run(
    paths: WarehousePaths,
    text: str,
    *,
    file_format: str | None = None,
    output: Path | None = None,
    timezone: str = "UTC",
    allow_external: bool = False,
) -> None:
    """Run the statements of `text` and write the rows of the last one.

    The query cannot write, and cannot reach files or the network unless `allow_external` is set.
    Raises duckdb.Error for what DuckDB refuses.
    """
    file_format = file_format or _choose_format(output)
    if file_format == "parquet" and output is None:
        raise UsageError("Parquet is not for the screen: name a file with -o FILE")
    with open_readonly(paths) as con, open_output(output) as file:
        con.execute(f"set TimeZone = {sql_literal(timezone)}")
        if not allow_external:
            _close_off(con, file)
        relation = _run_last(con, text)
        if file_format != "table":
            _write(relation, file, file_format)
            return
        with contextlib.redirect_stdout(io.StringIO()) as drawn:
            width = shutil.get_terminal_size((160, 24)).columns
            relation.show(max_rows=_SHOWN_ROWS, max_width=width)
        # DuckDB spells out some of the signs that a terminal obeys, not all.
        table = "".join(f"{escape_control(line)}\n" for line in drawn.getvalue().split("\n")[:-1])
        if output:
            file.write_text(table, encoding="utf-8")
        else:
            sys.stdout.write(table)


def _choose_format(output: Path | None) -> str:
    if output is None:
        return "table"
    if (found := _FORMATS.get(output.suffix.lower())) is None:
        raise UsageError(
            f"which format? {output} does not end in .csv, .json or .parquet: say --format"
        )
    return found


def _close_off(con: Connection, writable: Path) -> None:
    con.execute(f"set allowed_paths = [{sql_literal(writable)}]")
    con.execute("set python_enable_replacements = false")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")


def _run_last(con: Connection, text: str) -> duckdb.DuckDBPyRelation:
    statements = con.extract_statements(_cut_end(text))
    if not statements:
        raise UsageError("the query is empty")
    for statement in statements[:-1]:
        found = con.execute(statement)
        # What is not fetched would be in the way of the next statement.
        while found.fetchmany(_FETCHED_ROWS):
            pass
    try:
        relation = con.sql(statements[-1])
    except duckdb.Error:
        # Its error points at the place in the query, that of sql() does not.
        con.execute(statements[-1])
        raise
    except ValueError as error:
        # DuckDB's Python has no name for every kind of statement.
        raise UsageError(_NO_ROWS) from error
    if duckdb.ExpectedResultType.QUERY_RESULT not in statements[-1].expected_result_type:
        raise UsageError(_NO_ROWS)
    return relation


def _write(relation: duckdb.DuckDBPyRelation, file: Path, file_format: str) -> None:
    try:
        rows.write(relation, file, file_format)
    except duckdb.Error as error:
        # The place that it points at is one in the statement around the query.
        raise type(error)(str(error).partition("\n\nLINE ")[0]) from error


def _cut_end(text: str) -> str:
    """Cut the last semicolon off, and comments after it: a relation is put between brackets."""
    data = text.encode()
    tokens = duckdb.tokenize(text)
    starts = [start for start, kind in tokens if kind != duckdb.token_type.comment]
    while starts and data[starts[-1] : starts[-1] + 1] == b";":
        data = data[: starts.pop()]
    return data.decode()
