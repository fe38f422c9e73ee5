"""The commands: options in, one call, words and an exit code out."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flows import MatterhouseError, UsageError, launch, options
from flows.app import EVERYDAY, MORE, app, command, main
from flows.reports.console import terminal, views
from flows.warehouse.paths import WarehousePaths

# What tests and `python -m flows` take from here.
__all__ = ["app", "main"]
# The exit code of --strict.
_TO_FIX = 3


@command(
    EVERYDAY,
    "matterhouse build content",
    "matterhouse build content --pattern '*.md' --pattern '_data/*.yaml'",
    "matterhouse build . --exclude node_modules/ --exclude '_archive/**'",
    "matterhouse build --quiet --strict     # from cron: the folder is remembered",
    "matterhouse build --json",
)
def build(
    source: options.Source = None,
    /,
    *,
    warehouse: options.Warehouse,
    selection: options.Selection = options.EVERY_FILE,
    replace_source: bool = False,
    full: bool = False,
    accept_loss: bool = False,
    history: Annotated[bool | None, Parameter(negative="--no-history")] = None,
    strict: bool = False,
    quiet: bool = False,
    as_json: options.AsJson = False,
    workers: options.Workers = options.ANY_WORKERS,
    prefect: bool = False,
    follow_up: options.FollowUp = options.NOTHING_MORE,
) -> int:
    """Read a folder and bring the warehouse up to date.

    Args:
        replace_source: Let another folder take the place of the one that was read so far.
        full: Read every file again, as if none had been read before.
        accept_loss: Allow more than half of the articles to vanish.
        history: Replay the source's git commits (default: in the first build, then as in the last).
        strict: Exit with 3 if files are quarantined or newly excluded, or no article is loaded.
        quiet: Print only errors, failed checks and what was newly left out.
        prefect: Run as a Prefect flow (the default when PREFECT_API_URL is set).
    """
    from flows.reports.console.build_output import print_outcome

    request = selection.make_request(
        source,
        warehouse,
        replace_source=replace_source,
        full=full,
        accept_loss=accept_loss,
        history=history,
    )
    follow_up.to_environment()
    follow_up.validate(warehouse)
    workers.check()
    start = launch.build_as_flow if prefect or os.environ.get("PREFECT_API_URL") else launch.build
    receipt, finished = start(
        request, **asdict(workers), page=follow_up.page, quiet=quiet or as_json
    )
    found = print_outcome(receipt, finished, follow_up.page, quiet=quiet, as_json=as_json)
    if finished.failure:
        raise finished.failure
    is_to_fix = receipt.quarantined or found.newly_excluded or not receipt.loaded
    return _TO_FIX if strict and is_to_fix else int(not receipt.loaded)


@command(
    EVERYDAY,
    'matterhouse sql "from marts.topics order by articles desc"',
    'matterhouse sql "from marts.providers" --format csv -o providers.csv',
    "matterhouse sql < query.sql",
)
def sql(
    query: str | None = None,
    /,
    *,
    warehouse: options.Warehouse,
    file_format: Annotated[
        Literal["table", "csv", "excel", "json", "parquet"] | None, Parameter(name="--format")
    ] = None,
    output: Annotated[options.File, Parameter(alias="-o")] = None,
    timezone: Annotated[str, Parameter(metavar="ZONE")] = "UTC",
    allow_external: bool = False,
) -> None:
    """Run a read-only query.

    Args:
        query: SQL (default: standard input).
        file_format: How the rows are written (default: by the ending of FILE, else a table); excel
            is CSV in which no text is run as a formula.
        output: Write the rows here.
        timezone: The time zone of the times shown, such as Europe/Berlin (default: UTC).
        allow_external: Let the query read files and the network.
    """
    import duckdb

    from flows.reports import query as queries

    if query is None and sys.stdin.isatty():
        raise UsageError('which query? Say `matterhouse sql "select …"`, or pipe one in')
    try:
        queries.run(
            warehouse,
            queries.read_query(query),
            file_format=file_format,
            output=output,
            timezone=timezone,
            allow_external=allow_external,
        )
    except duckdb.Error as error:
        raise MatterhouseError(str(error)) from error


@command(
    EVERYDAY,
    "matterhouse page news.html",
    "matterhouse page news.html --open",
    "matterhouse build --page news.html",
)
def page(
    file: Annotated[options.AnyPath, Parameter(name="FILE")],
    /,
    *,
    warehouse: options.Warehouse,
    show: Annotated[bool, Parameter(name="--open")] = False,
) -> None:
    """Write one page with pictures: what moves, who publishes, how good it is, what to fix.

    Args:
        file: The file to write, such as news.html.
        show: Open it in the browser.
    """
    from flows.reports.page.render import write_page

    write_page(warehouse, file)
    if file.is_file():
        print(f"Wrote {file}")
    if show:
        import webbrowser

        if not webbrowser.open(file.absolute().as_uri()):
            print("There is no browser here to open it in.")


@command(
    EVERYDAY,
    "matterhouse quarantine",
    "matterhouse quarantine --values --json",
    "matterhouse quarantine --excluded     # why a file is not an article",
)
def quarantine(
    *,
    warehouse: options.Warehouse,
    values: bool = False,
    excluded: bool = False,
    history: bool = False,
    as_json: options.AsJson = False,
) -> None:
    """Say which files could not be loaded, and how to fix them.

    Args:
        values: List the values that did not fit their column.
        excluded: List the files that are not taken for articles.
        history: List the files that were broken in commits of the past.
    """
    from flows.reports.quarantine import Kind, read_quarantine

    if values + excluded + history > 1:
        raise UsageError("say --values, --excluded or --history: they list different things")
    kind: Kind = (
        "values" if values else "excluded" if excluded else "history" if history else "files"
    )
    found = read_quarantine(warehouse, kind)
    if as_json:
        print(json.dumps(found.rows, default=str))
    else:
        views.print_quarantine(found, kind)


@command(
    MORE,
    "matterhouse tables",
    "matterhouse tables marts.topic_trends",
    "matterhouse tables --dbt > models/sources.yml",
)
def tables(name: str | None = None, /, *, warehouse: options.Warehouse, dbt: bool = False) -> None:
    """List the tables, or the columns of one.

    Args:
        name: A table, such as marts.topics.
        dbt: Print all tables as a sources.yml for dbt.
    """
    from flows.reports import tables as listings
    from flows.reports.export import dbt as dbt_sources
    from flows.warehouse.connection import open_readonly

    with open_readonly(warehouse) as con:
        if dbt:
            print(dbt_sources.write_sources(con), end="")
        elif name is None:
            terminal.print_table(*listings.list_tables(con))
        else:
            terminal.print_table(*listings.list_columns(con, name))


@command(
    MORE,
    "matterhouse export",
    "matterhouse export reports --format csv --tables 'marts.topic*,ops.runs'",
    "matterhouse export s3://bucket/reports     # latest.json there names the newest",
)
def export(
    folder: options.Target = Path("exports"),
    /,
    *,
    warehouse: options.Warehouse,
    file_format: Annotated[
        Literal["parquet", "csv", "json"], Parameter(name="--format", show_default=True)
    ] = "parquet",
    tables: options.Globs = ("marts.*",),
) -> None:
    """Write the reports to files.

    Args:
        folder: Where to: a folder (default: exports), or the address of one in a bucket.
        tables: Tables to write (default: marts.*).
    """
    from flows.reports.export.bucket import export_to_bucket
    from flows.reports.export.export import export as export_tables
    from flows.warehouse.connection import open_readonly

    chosen = _split_globs(tables)
    with open_readonly(warehouse) as con:
        if isinstance(folder, Path):
            done = export_tables(con, folder, file_format=file_format, patterns=chosen)
        else:
            done, folder = export_to_bucket(con, folder, file_format=file_format, patterns=chosen)
    views.print_export(done, folder)


@command(
    MORE,
    "matterhouse publish postgresql://matterhouse@db.example.org/reports",
    "matterhouse publish --tables 'marts.*'     # to $MATTERHOUSE_PUBLISH",
    "matterhouse build --publish postgresql://matterhouse@db.example.org/reports",
)
def publish(
    url: str | None = None,
    /,
    *,
    warehouse: options.Warehouse,
    tables: options.Globs = ("*",),
    replace: bool = False,
) -> None:
    """Copy the warehouse to a PostgreSQL database that a team shares.

    The password is better kept in PGPASSWORD or ~/.pgpass than in the URL.

    Args:
        url: postgresql://USER@HOST:PORT/DATABASE (default: $MATTERHOUSE_PUBLISH).
        tables: Tables to publish (default: all).
        replace: Take the place of another warehouse's tables.
    """
    from flows.reports import postgres

    address = url or os.environ.get(postgres.ADDRESS_VARIABLE)
    if not address:
        raise UsageError("where to? Say `matterhouse publish postgresql://USER@HOST/DATABASE`")
    print(postgres.publish(warehouse, address, _split_globs(tables), replace=replace))


@command(MORE, "matterhouse profile content")
def profile(
    source: options.Source = None,
    /,
    *,
    warehouse: options.Warehouse,
    selection: options.Selection = options.EVERY_FILE,
    as_json: options.AsJson = False,
) -> None:
    """Say which keys the front matter of a folder has, and their types."""
    from flows.inspect.profile import profile as profile_folder

    keys, files = profile_folder(selection.choose_scope(source, warehouse))
    if as_json:
        print(json.dumps([asdict(key) for key in keys], default=str))
    else:
        views.print_profile(keys, files)


@command(MORE, "matterhouse init content")
def init(
    source: options.Source = None,
    /,
    *,
    warehouse: options.Warehouse,
    selection: options.Selection = options.EVERY_FILE,
) -> None:
    """Write a first matterhouse.yaml: what feeds which column, and what is left."""
    from flows.inspect.profile import profile as profile_folder
    from flows.inspect.starter import write

    # What is to be written is not there yet.
    scope = replace(selection, config=None).choose_scope(source, warehouse)
    path = write(scope, selection.config, *profile_folder(scope))
    print(f"Wrote {path}: look through it, then build")


@command(
    MORE,
    "matterhouse runs",
    "matterhouse runs 20250401T060000123456Z     # what it read, and by which keys",
    "matterhouse runs --rollback 20250401T060000123456Z",
)
def runs(
    run_id: Annotated[str | None, Parameter(name="RUN")] = None,
    /,
    *,
    warehouse: options.Warehouse,
    rollback: Annotated[str | None, Parameter(metavar="RUN")] = None,
    as_json: options.AsJson = False,
) -> None:
    """List the runs, failed ones too, or show one.

    Args:
        run_id: Show this one.
        rollback: Publish the file of an earlier run again.
    """
    from flows.reports import mapping
    from flows.warehouse.generations import generation_ids
    from flows.warehouse.paths import current
    from flows.warehouse.run_log import find_run, read_runs

    if rollback:
        return _roll_back(warehouse, rollback)
    if not (receipts := read_runs(warehouse)):
        raise MatterhouseError(
            f"there is no run of {warehouse.warehouse}: make one with `matterhouse build FOLDER`,"
            " or name another --warehouse"
        )
    one = find_run(receipts, run_id) if run_id else None
    if one:
        one["columns"] = mapping.read_mapping(warehouse, one["run_id"])
    if as_json:
        print(json.dumps(one or receipts))
        return None
    kept = generation_ids(warehouse), current(warehouse)
    return views.print_run(one, *kept) if one else views.print_runs(receipts, *kept)


def _roll_back(warehouse: WarehousePaths, run_id: str) -> None:
    from flows.warehouse.generations import roll_back

    print(f"{warehouse.warehouse} is run {roll_back(warehouse, run_id)} again")
    print("The next build, a scheduled one too, goes on from it and reads the source again.")


@command(
    MORE,
    "matterhouse diff",
    "matterhouse diff 20250401 20250501 --json     # two runs",
    "matterhouse diff 2025-01-01 2025-07-01        # two dates",
    "matterhouse diff v1.0 HEAD                    # two commits",
)
def diff(*moments: str, warehouse: options.Warehouse, as_json: options.AsJson = False) -> None:
    """Say what differs between two runs, commits or dates.

    Args:
        moments: Two runs, commits, tags or dates (default: the last two runs).
    """
    from flows.reports.diff import diff as compare
    from flows.warehouse.connection import open_readonly

    with open_readonly(warehouse) as con:
        found = compare(con, warehouse, moments)
    if as_json:
        print(json.dumps(found.as_json()))
    else:
        views.print_diff(found)


@command(MORE, 'matterhouse serve --cron "0 6 * * *" content')
def serve(
    source: options.Source = None,
    /,
    *,
    cron: Annotated[str, Parameter(metavar="WHEN")],
    warehouse: options.Warehouse,
    selection: options.Selection = options.EVERY_FILE,
    workers: options.Workers = options.ANY_WORKERS,
    follow_up: options.FollowUp = options.NOTHING_MORE,
) -> None:
    """Build on a schedule, as a Prefect flow.

    Args:
        cron: When: "0 6 * * *" is every day at six (UTC).
    """
    follow_up.to_environment()
    follow_up.validate(warehouse)
    workers.check()
    request = selection.make_request(source, warehouse)
    launch.serve(request, cron, **asdict(workers), page=follow_up.page)


@app.command(name="--install-completion", group=MORE)
def install_completion() -> None:
    """Let the Tab key complete commands and options in this shell."""
    print(f"Completion is installed: {app.install_completion()}; open a new shell to use it.")


def _split_globs(given: Sequence[str] | None) -> list[str]:
    return [glob for globs in given or () for glob in globs.split(",")]


if __name__ == "__main__":
    raise SystemExit(main())
