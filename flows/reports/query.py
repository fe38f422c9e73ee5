"""One read-only query → rows on the terminal or in a file."""

import contextlib
import csv
import json
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from flows import MatterhouseError
from flows.reports.export import FORMULA
from flows.reports.terminal import escape_control
from flows.warehouse.connection import open_readonly, sql_literal
from flows.warehouse.paths import WarehousePaths

_SHOWN_ROWS = 200
_FETCHED_ROWS = 10_000


class NothingToRun(MatterhouseError):
    """The query is empty."""

    exit_code = 2


class OutputNeeded(MatterhouseError):
    """Parquet cannot be printed."""

    exit_code = 2


def run(
    paths: WarehousePaths,
    text: str,
    *,
    file_format: str = "table",
    output: Path | None = None,
    allow_external: bool = False,
) -> None:
    """Run the statements of `text` and give out the rows of the last one.

    The query cannot write, and cannot reach files or the network unless `allow_external` is set.
    Raises duckdb.Error for what DuckDB refuses.
    """
    if file_format == "parquet" and output is None:
        raise OutputNeeded("Parquet is not for the screen: name a file with -o FILE")
    partial = output.with_name(f".{output.name}.partial") if output else None
    with open_readonly(paths) as con:
        if not allow_external:
            _close_off(con, partial if file_format == "parquet" else None)
        statements = con.extract_statements(text)
        if not statements:
            raise NothingToRun("the query is empty")
        for statement in statements[:-1]:
            con.execute(statement)
        try:
            _give_out(con, statements[-1], file_format, partial)
            if partial and output:
                partial.replace(output)
        finally:
            if partial:
                partial.unlink(missing_ok=True)


def _close_off(con: duckdb.DuckDBPyConnection, writable: Path | None) -> None:
    if writable:
        con.execute(f"set allowed_paths = [{sql_literal(writable.absolute())}]")
    con.execute("set python_enable_replacements = false")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")


def _give_out(
    con: duckdb.DuckDBPyConnection,
    statement: duckdb.Statement,
    file_format: str,
    partial: Path | None,
) -> None:
    if file_format == "parquet":
        if (relation := _relation(con, statement)) is not None:
            relation.write_parquet(str(partial), compression="zstd")
        return
    with contextlib.ExitStack() as stack:
        if partial:
            file = stack.enter_context(partial.open("w", encoding="utf-8", newline=""))
            stack.enter_context(contextlib.redirect_stdout(file))
        if file_format == "table":
            if (relation := _relation(con, statement)) is not None:
                width = shutil.get_terminal_size((160, 24)).columns
                relation.show(max_rows=_SHOWN_ROWS, max_width=width)
            return
        found = con.execute(statement)
        names = [name for name, *_ in found.description or ()]
        write = _write_csv if file_format == "csv" else _write_json
        write(names, iter(lambda: found.fetchmany(_FETCHED_ROWS), []))


def _relation(
    con: duckdb.DuckDBPyConnection, statement: duckdb.Statement
) -> duckdb.DuckDBPyRelation | None:
    try:
        return con.sql(statement.query)
    except duckdb.Error:
        con.execute(statement)  # Its error points at the place in the query, sql()'s does not.
        raise


def _write_csv(names: list[str], chunks: Iterable[list[tuple[Any, ...]]]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(map(_guarded, names))
    for rows in chunks:
        writer.writerows(map(_guarded, row) for row in rows)


def _guarded(value: Any) -> Any:
    """Keep a spreadsheet from running a text as a formula, and a terminal from obeying it."""
    if not isinstance(value, str):
        return value
    guarded = f"'{value}" if re.match(FORMULA, value) else value
    return escape_control(guarded) if sys.stdout.isatty() else guarded


def _write_json(names: list[str], chunks: Iterable[list[tuple[Any, ...]]]) -> None:
    separator = "["
    for rows in chunks:
        for row in rows:
            record = json.dumps(dict(zip(names, row, strict=True)), default=_said)
            print(separator, record, sep="\n", end="")
            separator = ","
    print("[]" if separator == "[" else "\n]")


def _said(value: Any) -> Any:
    """Say as JSON text what JSON has no type for."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
