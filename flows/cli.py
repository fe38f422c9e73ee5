"""The command line: options in, one call, words and an exit code out."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter, Token

from flows import MatterhouseError, UsageError, __version__
from flows.reports import results, terminal
from flows.warehouse.paths import WarehousePaths, locate

if TYPE_CHECKING:
    from types import ModuleType


TO_MEND = 3
# An editor wants to hear of the biggest; the pages of an orchestrator list more.
SHOWN_MOVERS = 5

# The panels of `--help`: what is typed every day, and the rest.
EVERYDAY, MORE = "Everyday", "More"
app = App(
    name="matterhouse",
    help="Front matter in, analytics warehouse out.",
    help_epilogue="""\
Everyday:
  matterhouse build content         # then: matterhouse build
  matterhouse sql "from marts.topics order by articles desc"
  matterhouse quarantine            # which files to mend, and how

More:
  matterhouse tables marts.topics   # what each column means
  matterhouse export reports --format csv
  matterhouse publish postgresql://matterhouse@db.example.org/reports
  matterhouse diff                  # what the last build changed
  matterhouse build --help          # options of a command, and examples""",
    version=f"matterhouse {__version__}",
    group_commands=MORE,
    # Markdown takes longer to import than the rest of the command line.
    help_format="plaintext",
    default_parameter=Parameter(negative=(), show_default=False),
)
# An interrupted command has something to say, in `main`.
app.meta.suppress_keyboard_interrupt = False


def main(given: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors of ours become one red line."""
    terminal.prepare_streams()
    typed = sys.argv[1:] if given is None else given
    # A query that begins with a comment looks like an option.
    tokens = [f"\n{token}" if token.startswith("-- ") else token for token in typed]
    try:
        result = app.meta(
            tokens, exit_on_error=False, print_error=False, result_action="return_value"
        )
        # A reader that is gone, or a full disk, shows here and not while Python shuts down.
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except CycloptsError as error:
        terminal.print_error(f"{error}\nSee `matterhouse --help`, or --help of the command.")
        return UsageError.exit_code
    except MatterhouseError as error:
        terminal.print_error(str(error))
        for check in getattr(error, "failed", ()):
            results.failed_check(check)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output (head, say) had enough: that is no error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        terminal.print_error("interrupted: readers see a whole warehouse, `matterhouse runs` which")
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


def _to_path(_: object, given: Sequence[Token]) -> Path:
    """Refuse the empty text of an unset variable: as a path it would be the current folder."""
    text = given[0].value
    if not text:
        raise ValueError("an empty path names nothing: is a variable not set?")
    if "://" in text:
        raise ValueError(f"{text} is not a path on this machine")
    try:
        # The shell leaves the `~` of `--option=~/file` alone.
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{text} names the home folder of nobody here") from error


def _to_source(kind: object, given: Sequence[Token]) -> Path | str:
    """Tell addresses from paths."""
    from flows.source import sources

    text = given[0].value
    return sources.parse(text) if "://" in text else _to_path(kind, given)


def _at_least_one(_: object, value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError("Say a whole number above 0.")


def _is_runner(_: object, value: str) -> None:
    if value not in ("auto", "local", "process", "dask") and not value.startswith("dask=tcp://"):
        raise ValueError("Say local, process, dask or dask=tcp://HOST:PORT")


# What several commands take. A command's own options are described where it is defined.
AnyPath = Annotated[Path, Parameter(converter=_to_path)]
# Made by `run` from --warehouse, which may stand before the command's name or after it.
Warehouse = Annotated[WarehousePaths, Parameter(parse=False)]
Source = Annotated[
    Path | str | None,
    Parameter(
        converter=_to_source,
        metavar="SOURCE",
        help="The content: a folder, an archive (.zip, .tar, .tar.gz, .tar.zst), or the address of"
        " one or of a bucket, as s3://bucket/folder (default: that of the last build).",
    ),
]
Patterns = Annotated[
    list[str] | None,
    Parameter(
        name="--pattern",
        metavar="GLOB",
        help="Files to read, as in a shell (repeatable; default: those of the last build).",
    ),
]
Exclude = Annotated[
    list[str] | None,
    Parameter(
        metavar="GLOB",
        negative="--no-exclude",
        help="Files or folders to leave out (repeatable; default: those of the last build).",
    ),
]
ConfigFile = Annotated[
    AnyPath | None,
    Parameter(
        metavar="FILE",
        help="What the keys mean (default: matterhouse.yaml beside the content, if it is there).",
    ),
]
AsJson = Annotated[bool, Parameter(name="--json", help="Print JSON.")]
RunnerName = Annotated[
    str,
    Parameter(
        name="--runner",
        metavar="WHERE",
        validator=_is_runner,
        help="Where files are read: local (in this process), process (in workers of this machine),"
        " dask or dask=tcp://HOST:PORT (default: process if files are many).",
    ),
]
Jobs = Annotated[
    int | None,
    Parameter(metavar="N", validator=_at_least_one, help="Workers (default: one a processor)."),
]
OnFailure = Annotated[
    str | None,
    Parameter(
        metavar="COMMAND",
        help="Run this, with the receipt on standard input, when a run or a check fails or"
        " files are newly quarantined.",
    ),
]

PageFile = Annotated[
    AnyPath | None,
    Parameter(name="--page", metavar="FILE", help="Write the page with pictures here, as HTML."),
]


NotifyUrls = Annotated[
    list[str] | None,
    Parameter(
        name="--notify",
        metavar="URL",
        help="Send a message when something is newly wrong and when all is well again, to a service"
        " that apprise knows (repeatable; better kept in $MATTERHOUSE_NOTIFY: it holds secrets).",
    ),
]
NotifyAlways = Annotated[
    bool, Parameter(help="Send a message after each run, with the page of --page.")
]
PublishTo = Annotated[
    str | None,
    Parameter(
        name="--publish",
        metavar="URL",
        help="Then publish to postgresql://USER@HOST/DATABASE (default: $MATTERHOUSE_PUBLISH).",
    ),
]


def _examples(*lines: str) -> str:
    return "\n".join(("Examples:", *(f"  {line}" for line in lines)))


@app.meta.default
def run(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    warehouse: Annotated[
        AnyPath | None,
        Parameter(
            help="The warehouse file (default: $MATTERHOUSE_WAREHOUSE, else warehouse.duckdb)."
        ),
    ] = None,
) -> Any:
    """Front matter in, analytics warehouse out."""
    command, bound, injected = app.parse_args(tokens, exit_on_error=False, print_error=False)
    if "warehouse" in injected:
        named = warehouse or os.environ.get("MATTERHOUSE_WAREHOUSE") or "warehouse.duckdb"
        bound.arguments["warehouse"] = locate(named)
    return command(*bound.args, **bound.kwargs)


@app.command(
    group=EVERYDAY,
    help_epilogue=_examples(
        "matterhouse build content",
        "matterhouse build content --pattern '*.md' --pattern '_data/*.yaml'",
        "matterhouse build . --exclude node_modules/ --exclude '_archive/**'",
        "matterhouse build --quiet --strict     # from cron: the folder is remembered",
        "matterhouse build --json",
    ),
)
def build(
    source: Source = None,
    /,
    *,
    warehouse: Warehouse,
    pattern: Patterns = None,
    exclude: Exclude = None,
    config: ConfigFile = None,
    replace_source: Annotated[
        bool, Parameter(help="Let another folder take the place of the one that was read so far.")
    ] = False,
    full: Annotated[
        bool, Parameter(help="Read every file again, as if none had been read before.")
    ] = False,
    accept_loss: Annotated[
        bool, Parameter(help="Allow more than half of the articles to vanish.")
    ] = False,
    history: Annotated[
        bool | None,
        Parameter(
            negative="--no-history",
            help="Replay the commits of the source's git repository (default: in the first build,"
            " then as in the last).",
        ),
    ] = None,
    strict: Annotated[
        bool, Parameter(help="Exit with 3 if files are quarantined or no article is loaded.")
    ] = False,
    quiet: Annotated[
        bool, Parameter(help="Print errors only, failed checks and what was newly left out.")
    ] = False,
    as_json: AsJson = False,
    runner: RunnerName = "auto",
    jobs: Jobs = None,
    prefect: Annotated[
        bool, Parameter(help="Run as a Prefect flow (the default when PREFECT_API_URL is set).")
    ] = False,
    on_failure: OnFailure = None,
    urls: NotifyUrls = None,
    notify_always: NotifyAlways = False,
    publish_to: PublishTo = None,
    page_file: PageFile = None,
) -> int:
    """Read a folder and bring the warehouse up to date."""
    from flows import pipeline
    from flows.reports import notify
    from flows.reports.finish import Finished, finish
    from flows.reports.headline import describe
    from flows.reports.news import news
    from flows.workers.runner import named

    request = pipeline.Request(
        source,
        warehouse.warehouse,
        patterns=_globs(pattern),
        exclude=_globs(exclude),
        config=config,
        replace_source=replace_source,
        full=full,
        accept_loss=accept_loss,
        history=history,
    )
    notify.hand_on(on_failure, urls, always=notify_always)
    _publish_to(publish_to)
    _agree(runner, jobs)
    finished = Finished({})
    if prefect or os.environ.get("PREFECT_API_URL"):
        receipt = _orchestrate(quiet=quiet or as_json).build_once(
            request, runner=runner, jobs=jobs, page=page_file
        )
    else:

        def report(receipt: Mapping[str, Any]) -> None:
            nonlocal finished
            finished = finish(receipt, warehouse, page_file, terminal.print_error)

        with terminal.progress(visible=not (quiet or as_json)) as progress:
            receipt = pipeline.run(
                request,
                named(
                    runner,
                    warehouse.generations,
                    jobs,
                    progress,
                    say=terminal.aside if not (quiet or as_json) else lambda text: None,
                ),
                report,
                describe,
            )
    for note in receipt.notes:
        terminal.print_error(note)
    found = news(receipt.as_json())
    if as_json:
        print(json.dumps(receipt.as_json()))
    elif not quiet:
        results.receipt(receipt, found, _movers(warehouse))
        if finished.publication:
            print(f"\n{finished.publication}")
        if page_file and not finished.failure:
            print(f"\nWrote {page_file}")
    if quiet:
        results.news(found)
    if finished.failure:
        raise finished.failure
    to_mend = receipt.quarantined or found.newly_excluded or not receipt.loaded
    if strict and to_mend:
        return TO_MEND
    return 0 if receipt.loaded else 1


@app.command(
    group=EVERYDAY,
    help_epilogue=_examples(
        'matterhouse sql "from marts.topics order by articles desc"',
        'matterhouse sql "from marts.providers" --format csv -o providers.csv',
        "matterhouse sql < query.sql",
    ),
)
def sql(
    query: Annotated[str | None, Parameter(help="SQL (default: standard input).")] = None,
    /,
    *,
    warehouse: Warehouse,
    file_format: Annotated[
        Literal["table", "csv", "json", "parquet"] | None,
        Parameter(name="--format", help="Of the rows (default: as FILE ends, else a table)."),
    ] = None,
    output: Annotated[
        AnyPath | None, Parameter(alias="-o", metavar="FILE", help="Write the rows here.")
    ] = None,
    timezone: Annotated[
        str, Parameter(metavar="ZONE", help="Of the times shown, as Europe/Berlin (default: UTC).")
    ] = "UTC",
    allow_external: Annotated[
        bool, Parameter(help="Let the query read files and the network.")
    ] = False,
) -> None:
    """Run a read-only query."""
    import duckdb

    from flows.reports.query import read_query
    from flows.reports.query import run as run_query

    if query is None and sys.stdin.isatty():
        raise UsageError('which query? Say `matterhouse sql "select …"`, or pipe one in')
    try:
        run_query(
            warehouse,
            read_query(query),
            file_format=file_format,
            output=output,
            timezone=timezone,
            allow_external=allow_external,
        )
    except duckdb.Error as error:
        raise MatterhouseError(str(error)) from error


@app.command(
    group=EVERYDAY,
    help_epilogue=_examples(
        "matterhouse page news.html",
        "matterhouse page news.html --open",
        "matterhouse build --page news.html",
    ),
)
def page(
    file: Annotated[AnyPath, Parameter(name="FILE", help="Where to, as news.html.")],
    /,
    *,
    warehouse: Warehouse,
    show: Annotated[bool, Parameter(name="--open", help="Open it in the browser.")] = False,
) -> None:
    """Write one page with pictures: what moves, who publishes, how good it is, what to mend."""
    from flows.reports.page.render import write_page

    write_page(warehouse, file)
    if file.is_file():
        print(f"Wrote {file}")
    if show:
        import webbrowser

        if not webbrowser.open(file.absolute().as_uri()):
            print("There is no browser here to open it in.")


@app.command(
    group=EVERYDAY,
    help_epilogue=_examples(
        "matterhouse quarantine",
        "matterhouse quarantine --values --json",
        "matterhouse quarantine --excluded     # why a file is not an article",
    ),
)
def quarantine(
    *,
    warehouse: Warehouse,
    values: Annotated[
        bool, Parameter(help="List the values that did not fit their column.")
    ] = False,
    excluded: Annotated[
        bool, Parameter(help="List the files that are not taken for articles.")
    ] = False,
    history: Annotated[
        bool, Parameter(help="List the files that were broken in commits of the past.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say which files could not be loaded, and how to mend them."""
    from flows.reports import quarantine as quarantined

    if values + excluded + history > 1:
        raise UsageError("say --values, --excluded or --history: they list different things")
    kind: quarantined.Kind = (
        "values" if values else "excluded" if excluded else "history" if history else "files"
    )
    found = quarantined.read(warehouse, kind)
    if as_json:
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        print(json.dumps(rows, default=str))
        return
    if found.is_of_failure:
        print("No build was published yet; this is what the one that failed its checks found.\n")
    results.quarantine(found.rows, kind)


@app.command(
    group=MORE,
    help_epilogue=_examples(
        "matterhouse tables",
        "matterhouse tables marts.topic_trends",
        "matterhouse tables --dbt > models/sources.yml",
    ),
)
def tables(
    name: Annotated[str | None, Parameter(help="A table, as marts.topics.")] = None,
    /,
    *,
    warehouse: Warehouse,
    dbt: Annotated[bool, Parameter(help="Print all tables as a sources.yml for dbt.")] = False,
) -> None:
    """List the tables, or the columns of one."""
    from flows.reports import dbt as dbt_sources
    from flows.warehouse.connection import open_readonly, row_count

    with open_readonly(warehouse) as con:
        if dbt:
            print(dbt_sources.sources(con), end="")
            return
        if name is None:
            listed = con.execute(
                """
                select schema_name || '.' || table_name, comment
                from duckdb_tables()
                order by list_position(['marts', 'staging', 'raw', 'ops'], schema_name), table_name
                """
            ).fetchall()
            rows = [(table, row_count(con, table), comment) for table, comment in listed]
            terminal.table(("table", "rows", "what it holds"), rows)
            return
        columns = con.execute(
            """
            select column_name, data_type, comment
            from duckdb_columns()
            where schema_name || '.' || table_name = $name
            order by column_index
            """,
            {"name": name},
        ).fetchall()
    if not columns:
        raise MatterhouseError(f"there is no table {name}: `matterhouse tables` lists them all")
    terminal.table(("column", "type", "meaning"), columns)


@app.command(
    group=MORE,
    help_epilogue=_examples(
        "matterhouse export",
        "matterhouse export reports --format csv --tables 'marts.topic*,ops.runs'",
        "matterhouse export s3://bucket/reports     # latest.json there names the newest",
    ),
)
def export(
    folder: Annotated[
        Path | str,
        Parameter(
            name="DIR",
            converter=_to_source,
            help="Where to: a folder (default: exports), or the address of one in a bucket.",
        ),
    ] = Path("exports"),
    /,
    *,
    warehouse: Warehouse,
    file_format: Annotated[
        Literal["parquet", "csv", "json"], Parameter(name="--format", show_default=True)
    ] = "parquet",
    tables: Annotated[
        list[str] | None, Parameter(metavar="GLOB", help="Tables to write (default: marts.*).")
    ] = None,
) -> None:
    """Write the reports to files."""
    import tempfile

    from flows.reports.export import export as export_tables
    from flows.warehouse.connection import open_readonly

    patterns = _table_globs(tables, "marts.*")
    with open_readonly(warehouse) as con, tempfile.TemporaryDirectory() as name:
        target = folder if isinstance(folder, Path) else Path(name, "export")
        done = export_tables(con, target, file_format=file_format, patterns=patterns)
        if isinstance(folder, str):
            from flows.reports.export_bucket import upload

            folder = upload(target, folder)
    files = [(table["file"], table["rows"]) for table in done.manifest["tables"]]
    terminal.table(("file", "rows"), files)
    print(f"Wrote {len(files)} tables of run {done.manifest['run_id']} to {folder}")
    if not done.is_whole:
        print(
            f"{folder} cannot be exchanged as a whole: its files were replaced one by one,"
            " manifest.json last"
        )


@app.command(
    group=MORE,
    help_epilogue=_examples(
        "matterhouse publish postgresql://matterhouse@db.example.org/reports",
        "matterhouse publish --tables 'marts.*'     # to $MATTERHOUSE_PUBLISH",
        "matterhouse build --publish postgresql://matterhouse@db.example.org/reports",
    ),
)
def publish(
    url: Annotated[
        str | None,
        Parameter(
            help="postgresql://USER@HOST:PORT/DATABASE (default: $MATTERHOUSE_PUBLISH); the"
            " password is better kept in PGPASSWORD or ~/.pgpass."
        ),
    ] = None,
    /,
    *,
    warehouse: Warehouse,
    tables: Annotated[
        list[str] | None, Parameter(metavar="GLOB", help="Tables to publish (default: all).")
    ] = None,
) -> None:
    """Copy the warehouse to a PostgreSQL database that a team shares."""
    from flows.reports import postgres

    address = url or os.environ.get(postgres.VARIABLE)
    if not address:
        raise UsageError("where to? Say `matterhouse publish postgresql://USER@HOST/DATABASE`")
    print(postgres.publish(warehouse, address, _table_globs(tables, "*")))


@app.command(group=MORE, help_epilogue=_examples("matterhouse profile content"))
def profile(
    source: Source = None,
    /,
    *,
    warehouse: Warehouse,
    pattern: Patterns = None,
    exclude: Exclude = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Say which keys the front matter of a folder has, and their types."""
    from dataclasses import asdict

    from flows.load import scope
    from flows.reports.profile import profile as profile_folder

    remembered = None if source else scope.of_published(warehouse)
    chosen = scope.choose(remembered, source, pattern, exclude, named=config)
    keys, files = profile_folder(chosen)
    if as_json:
        print(json.dumps([asdict(key) for key in keys], default=str))
    else:
        results.profile(keys, files)


@app.command(group=MORE, help_epilogue=_examples("matterhouse init content"))
def init(
    source: Source = None,
    /,
    *,
    warehouse: Warehouse,
    pattern: Patterns = None,
    exclude: Exclude = None,
    config: ConfigFile = None,
) -> None:
    """Write a first matterhouse.yaml: what feeds which column, and what is left."""
    from flows.load import scope
    from flows.reports.profile import profile as profile_folder
    from flows.reports.starter import write

    remembered = None if source else scope.of_published(warehouse)
    # What is to be written is not there yet.
    chosen = scope.choose(remembered, source, pattern, exclude)
    path = write(chosen, config, *profile_folder(chosen))
    print(f"Wrote {path}: look through it, then build")


@app.command(
    group=MORE,
    help_epilogue=_examples(
        "matterhouse runs",
        "matterhouse runs 20250401T060000123456Z     # what it read, and by which keys",
        "matterhouse runs --rollback 20250401T060000123456Z",
    ),
)
def runs(
    run_id: Annotated[str | None, Parameter(name="RUN", help="Show this one.")] = None,
    /,
    *,
    warehouse: Warehouse,
    rollback: Annotated[
        str | None,
        Parameter(metavar="RUN", help="Publish the file of an earlier run again."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the runs, failed ones too, or show one."""
    from flows.reports import mapping
    from flows.warehouse.generations import generation_ids, roll_back
    from flows.warehouse.paths import current
    from flows.warehouse.run_log import find_run, read_runs

    if rollback:
        run_id = roll_back(warehouse, rollback)
        print(f"{warehouse.warehouse} is run {run_id} again")
        print("The next build, a scheduled one too, goes on from it and reads the source again.")
        return
    found = read_runs(warehouse)
    kept, shown = generation_ids(warehouse), current(warehouse)
    if run_id:
        entry = find_run(found, run_id)
        columns = mapping.of_run(warehouse, entry["run_id"])
        if as_json:
            print(json.dumps(entry | {"columns": columns}))
        else:
            results.run(entry, kept, shown, columns)
    elif as_json:
        print(json.dumps(found))
    else:
        results.runs(found, kept, shown)


@app.command(
    group=MORE,
    help_epilogue=_examples(
        "matterhouse diff",
        "matterhouse diff 20250401 20250501 --json     # two runs",
        "matterhouse diff 2025-01-01 2025-07-01        # two dates",
        "matterhouse diff v1.0 HEAD                    # two commits",
    ),
)
def diff(
    *moments: Annotated[
        str, Parameter(help="Two runs, commits, tags or dates (default: the last two runs).")
    ],
    warehouse: Warehouse,
    as_json: AsJson = False,
) -> None:
    """Say what differs between two runs, commits or dates."""
    from flows.reports.diff import diff as compare
    from flows.warehouse.connection import open_readonly

    with open_readonly(warehouse) as con:
        found = compare(con, warehouse, moments)
    if as_json:
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
        results.diff(found)


@app.command(group=MORE, help_epilogue=_examples('matterhouse serve --cron "0 6 * * *" content'))
def serve(
    source: Source = None,
    /,
    *,
    cron: Annotated[
        str, Parameter(metavar="WHEN", help='As in "0 6 * * *", every day at six (UTC).')
    ],
    warehouse: Warehouse,
    pattern: Patterns = None,
    exclude: Exclude = None,
    config: ConfigFile = None,
    runner: RunnerName = "auto",
    jobs: Jobs = None,
    on_failure: OnFailure = None,
    urls: NotifyUrls = None,
    notify_always: NotifyAlways = False,
    publish_to: PublishTo = None,
    page_file: PageFile = None,
) -> None:
    """Build on a schedule, as a Prefect flow."""
    from flows.pipeline import Request
    from flows.reports import notify

    notify.hand_on(on_failure, urls, always=notify_always)
    _publish_to(publish_to)
    _agree(runner, jobs)
    request = Request(
        source,
        warehouse.warehouse,
        patterns=_globs(pattern),
        exclude=_globs(exclude),
        config=config,
    )
    _orchestrate().serve(request, cron, runner=runner, jobs=jobs, page=page_file, say=print)


@app.command(name="--install-completion", group=MORE)
def install_completion() -> None:
    """Let the Tab key complete commands and options in this shell."""
    print(f"Completion is installed: {app.install_completion()}; open a new shell to use it.")


def _globs(given: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(given)


def _table_globs(given: Sequence[str] | None, default: str) -> list[str]:
    return [glob for globs in given or [default] for glob in globs.split(",")]


def _agree(runner: str, jobs: int | None) -> None:
    """Refuse a number of workers where there are none of ours to count."""
    if jobs is not None and (runner == "local" or "=" in runner):
        raise UsageError(f"--jobs counts workers that --runner {runner} does not start")


def _publish_to(given: str | None) -> None:
    """Put the address, which may hold a password, where the processes of flow runs find it."""
    from flows.reports import postgres

    if given is not None:
        os.environ[postgres.VARIABLE] = given


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
    try:
        Path.home()
    except RuntimeError as error:
        raise MatterhouseError(
            "Prefect keeps files in a home folder, and this account has none: set HOME to a folder"
            " that it may write to"
        ) from error
    from flows import orchestrate

    return orchestrate


def _movers(paths: WarehousePaths) -> list[tuple[Any, ...]]:
    from flows.reports.markdown import TOPIC_MOVERS
    from flows.warehouse.connection import open_readonly

    with open_readonly(paths) as con:
        return con.execute(TOPIC_MOVERS).fetchmany(SHOWN_MOVERS)


if __name__ == "__main__":
    raise SystemExit(main())
