"""The command line: arguments in, one call, words and an exit code out."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import MatterhouseError, arguments
from flows.reports import terminal

if TYPE_CHECKING:
    from types import ModuleType

    from flows.pipeline import Request
    from flows.warehouse.paths import WarehousePaths

QUARANTINED = 3
_QUARANTINE = """
select path, line, "column", reason_code, reason, hint, changed_at as since
from ops.files
where status = 'quarantined'
order by path
"""
_MISFITS = """
select path, misfit.line, null as "column", misfit.code as reason_code,
    misfit.message as reason, misfit.hint, changed_at as since
from (select path, changed_at, unnest(warnings) as misfit from ops.files where status = 'loaded')
order by path, misfit.line, misfit.field
"""
# An editor wants to hear of the biggest; the pages of an orchestrator list more.
SHOWN_MOVERS = 5


class NoSource(MatterhouseError):
    """There is no earlier build to take the source from."""

    exit_code = 2


class NoQuery(MatterhouseError):
    """Neither an argument nor standard input holds a query."""

    exit_code = 2


class QueryFailed(MatterhouseError):
    """DuckDB refused the query; the message is DuckDB's own."""


def main(given: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors of ours become one red line."""
    parsed = arguments.parser().parse_args(given)
    try:
        return _COMMANDS[parsed.command](parsed)
    except MatterhouseError as error:
        terminal.print_error(str(error))
        for check in getattr(error, "failed", ()):
            terminal.failed_check(check)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output (head, say) had enough: that is no error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        terminal.print_error("interrupted: the published warehouse is as it was")
        return 130
    except OSError as error:
        terminal.print_error(f"{error.strerror or error}: {error.filename or 'the system'}")
        return 1
    except MemoryError:
        terminal.print_error("out of memory: give the process more, or build with fewer --jobs")
        return 1
    except Exception as error:
        import duckdb

        if not isinstance(error, duckdb.Error):
            raise
        terminal.print_error(
            f"DuckDB gave up: {str(error).partition(chr(10))[0] or 'without a reason'}"
        )
        return 1


def _paths(parsed: argparse.Namespace) -> "WarehousePaths":
    from flows.warehouse.paths import WarehousePaths

    named = parsed.warehouse or os.environ.get("MATTERHOUSE_WAREHOUSE") or "warehouse.duckdb"
    return WarehousePaths(Path(named).absolute())


def _build(parsed: argparse.Namespace) -> int:
    from flows.pipeline import refresh
    from flows.reports import notify
    from flows.workers.runner import named

    paths = _paths(parsed)
    request = _request(parsed, paths)
    words = _on_failure(parsed)
    if parsed.prefect or parsed.runner.startswith("dask"):
        receipt = _orchestrate(quiet=parsed.quiet or parsed.json).build(
            request, runner=parsed.runner, jobs=parsed.jobs
        )
    else:
        with terminal.progress(visible=not (parsed.quiet or parsed.json)) as progress:
            runner = named(
                parsed.runner,
                parsed.jobs,
                progress,
                lambda receipt: notify.tell(words, receipt, terminal.print_error),
            )
            receipt = refresh(request, runner)
    if parsed.json:
        print(json.dumps(receipt.as_json()))
    elif not parsed.quiet:
        terminal.receipt(receipt, _movers(paths))
    return QUARANTINED if parsed.strict and receipt.quarantined else 0


def _request(parsed: argparse.Namespace, paths: "WarehousePaths") -> "Request":
    from flows.pipeline import Request
    from flows.source.patterns import DEFAULT_PATTERNS

    return Request(
        source=parsed.source or _last_source(paths),
        warehouse=paths.warehouse,
        patterns=tuple(parsed.pattern or DEFAULT_PATTERNS),
        full=getattr(parsed, "full", False),
        verify=getattr(parsed, "verify", False),
        accept_loss=getattr(parsed, "accept_loss", False),
        parser=getattr(parsed, "parser", "fast"),
    )


def _on_failure(parsed: argparse.Namespace) -> tuple[str, ...]:
    """Return the command to run; the processes of flow runs find it in the environment."""
    from flows.reports import notify

    if parsed.on_failure is not None:
        os.environ[notify.VARIABLE] = parsed.on_failure
    return notify.from_environment()


def _orchestrate(*, quiet: bool = False) -> "ModuleType":
    """Import what imports prefect, with its settings made first; quiet leaves logs to the API."""
    for name, value in {
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL" if quiet else "NOTSET",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # Otherwise a run without a server starts one of its own, for 12 seconds and a traceback.
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    }.items():
        os.environ.setdefault(name, value)
    from flows import orchestrate

    return orchestrate


def _serve(parsed: argparse.Namespace) -> int:
    _on_failure(parsed)
    request = _request(parsed, _paths(parsed))
    _orchestrate().serve(request, parsed.cron, runner=parsed.runner, jobs=parsed.jobs, say=print)
    return 0


def _last_source(paths: "WarehousePaths") -> Path:
    from flows.warehouse.run_log import read_runs

    for receipt in reversed(read_runs(paths)):
        if source := receipt.get("source"):
            return Path(source)
    raise NoSource("which folder? Say `matterhouse build FOLDER`; later builds remember it")


def _movers(paths: "WarehousePaths") -> list[tuple[Any, ...]]:
    from flows.reports.markdown import TOPIC_MOVERS
    from flows.warehouse.connection import open_readonly

    with open_readonly(paths) as con:
        return con.execute(TOPIC_MOVERS).fetchmany(SHOWN_MOVERS)


def _sql(parsed: argparse.Namespace) -> int:
    import duckdb

    from flows.reports import query

    if parsed.query is None and sys.stdin.isatty():
        raise NoQuery('which query? Say `matterhouse sql "select …"`, or pipe one in')
    text = sys.stdin.read() if parsed.query is None else parsed.query
    try:
        query.run(
            _paths(parsed),
            text,
            file_format=parsed.format,
            output=parsed.output,
            allow_external=parsed.allow_external,
        )
    except duckdb.Error as error:
        raise QueryFailed(str(error)) from error
    return 0


def _tables(parsed: argparse.Namespace) -> int:
    from flows.reports import dbt
    from flows.reports.export import NoSuchTable
    from flows.warehouse.connection import open_readonly, row_count

    with open_readonly(_paths(parsed)) as con:
        if parsed.dbt:
            print(dbt.sources(con), end="")
            return 0
        if parsed.name is None:
            listed = con.execute(
                """
                select schema_name || '.' || table_name, comment
                from duckdb_tables()
                order by list_position(['marts', 'staging', 'raw', 'ops'], schema_name), table_name
                """
            ).fetchall()
            rows = [(name, row_count(con, name), comment) for name, comment in listed]
            terminal.table(("table", "rows", "what it holds"), rows)
            return 0
        columns = con.execute(
            """
            select column_name, data_type, comment
            from duckdb_columns()
            where schema_name || '.' || table_name = $name
            order by column_index
            """,
            {"name": parsed.name},
        ).fetchall()
    if not columns:
        raise NoSuchTable(f"there is no table {parsed.name}: `matterhouse tables` lists them all")
    terminal.table(("column", "type", "meaning"), columns)
    return 0


def _export(parsed: argparse.Namespace) -> int:
    from flows.reports.export import export
    from flows.warehouse.connection import open_readonly

    patterns = [p for given in parsed.tables or ["marts.*"] for p in given.split(",")]
    with open_readonly(_paths(parsed)) as con:
        manifest = export(con, parsed.folder, file_format=parsed.format, patterns=patterns)
    files = [(table["file"], table["rows"]) for table in manifest["tables"]]
    terminal.table(("file", "rows"), files)
    print(f"Wrote {len(files)} tables of run {manifest['run_id']} to {parsed.folder}")
    return 0


def _quarantine(parsed: argparse.Namespace) -> int:
    from flows.warehouse.connection import open_readonly

    with open_readonly(_paths(parsed)) as con:
        found = con.execute(_MISFITS if parsed.values else _QUARANTINE)
        names = [name for name, *_ in found.description or ()]
        rows = found.fetchall()
    if parsed.json:
        print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str))
    elif rows:
        terminal.quarantine(rows)
    else:
        print("Every value fits." if parsed.values else "No file is quarantined.")
    return 0


def _profile(parsed: argparse.Namespace) -> int:
    from dataclasses import asdict

    from flows.reports.profile import profile
    from flows.source.patterns import DEFAULT_PATTERNS

    source = parsed.source or _last_source(_paths(parsed))
    keys, files = profile(source, tuple(parsed.pattern or DEFAULT_PATTERNS))
    if parsed.json:
        print(json.dumps([asdict(key) for key in keys], default=str))
    else:
        terminal.profile(keys, files)
    return 0


def _runs(parsed: argparse.Namespace) -> int:
    from flows.warehouse.generations import roll_back
    from flows.warehouse.lock import locked
    from flows.warehouse.paths import current, generation_ids
    from flows.warehouse.run_log import read_runs

    paths = _paths(parsed)
    if parsed.rollback:
        with locked(paths):
            roll_back(paths, parsed.rollback)
        print(f"{paths.warehouse} is run {parsed.rollback} again")
        return 0
    found = read_runs(paths)
    if parsed.json:
        print(json.dumps(found))
    else:
        terminal.runs(found, generation_ids(paths), current(paths))
    return 0


def _diff(parsed: argparse.Namespace) -> int:
    from flows.reports.diff import diff
    from flows.warehouse.connection import open_readonly

    paths = _paths(parsed)
    with open_readonly(paths) as con:
        found = diff(con, paths, parsed.runs)
    if parsed.json:
        articles = [dict(zip(found.columns, row, strict=True)) for row in found.articles]
        print(
            json.dumps(
                {
                    "earlier": found.earlier,
                    "later": found.later,
                    "articles": articles,
                    "marts": found.marts,
                }
            )
        )
    else:
        terminal.diff(found)
    return 0


_COMMANDS = {
    "build": _build,
    "serve": _serve,
    "sql": _sql,
    "tables": _tables,
    "export": _export,
    "quarantine": _quarantine,
    "profile": _profile,
    "runs": _runs,
    "diff": _diff,
}

if __name__ == "__main__":
    raise SystemExit(main())
