"""The commands and their options."""

import argparse
import os
from pathlib import Path

from flows import __version__


def parser() -> argparse.ArgumentParser:
    """Describe every command with its options; `command` is the name of the one that was given."""
    top = argparse.ArgumentParser(
        prog="matterhouse", description="Front matter in, analytics warehouse out."
    )
    top.add_argument("--version", action="version", version=f"matterhouse {__version__}")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--warehouse",
        type=Path,
        metavar="PATH",
        default=argparse.SUPPRESS,
        help="the warehouse file (default: $MATTERHOUSE_WAREHOUSE, else warehouse.duckdb)",
    )
    top.add_argument("--warehouse", type=Path, metavar="PATH", help=argparse.SUPPRESS)
    commands = top.add_subparsers(
        title="commands", dest="command", required=True, metavar="COMMAND"
    )
    for name, add_options, words in _COMMANDS:
        add_options(commands.add_parser(name, parents=[shared], help=words))
    return top


def _build(parser: argparse.ArgumentParser) -> None:
    _source(parser)
    _runner_options(parser)
    parser.add_argument(
        "--prefect",
        action="store_true",
        default=bool(os.environ.get("PREFECT_API_URL")),
        help="run as a Prefect flow (the default when PREFECT_API_URL is set)",
    )
    parser.add_argument("--full", action="store_true", help="parse every file again")
    parser.add_argument(
        "--parser",
        choices=("fast", "pyyaml"),
        default="fast",
        help="of YAML: pyyaml reads the same, several times slower (default: fast)",
    )
    parser.add_argument("--verify", action="store_true", help="compare the bytes of every file")
    parser.add_argument(
        "--strict", action="store_true", help="exit with 3 if files are quarantined"
    )
    parser.add_argument(
        "--accept-loss", action="store_true", help="allow more than half of the articles to vanish"
    )
    parser.add_argument("--json", action="store_true", help="print the receipt as one JSON object")
    parser.add_argument("--quiet", action="store_true", help="print errors only")


def _serve(parser: argparse.ArgumentParser) -> None:
    _source(parser)
    parser.add_argument(
        "--cron", required=True, metavar="WHEN", help='as in "0 6 * * *", every day at six (UTC)'
    )
    _runner_options(parser)


def _sql(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", nargs="?", metavar="QUERY", help="SQL (default: standard input)")
    parser.add_argument(
        "--format", choices=("table", "csv", "json", "parquet"), default="table", help="of the rows"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the rows here")
    parser.add_argument(
        "--allow-external", action="store_true", help="let the query read files and the network"
    )


def _tables(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="a table, as marts.topics")
    parser.add_argument(
        "--dbt", action="store_true", help="print all tables as a sources.yml for dbt"
    )


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", default=Path("exports"))
    parser.add_argument("--format", choices=("parquet", "csv", "json"), default="parquet")
    parser.add_argument(
        "--tables", action="append", metavar="GLOB", help="tables to write (default: marts.*)"
    )


def _quarantine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--values", action="store_true", help="list the values that did not fit their column"
    )
    parser.add_argument("--json", action="store_true")


def _profile(parser: argparse.ArgumentParser) -> None:
    _source(parser)
    parser.add_argument("--json", action="store_true")


def _runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rollback", metavar="RUN", help="publish the file of an earlier run again"
    )
    parser.add_argument("--json", action="store_true")


def _diff(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="*", metavar="RUN", help="two runs (default: the last two)")
    parser.add_argument("--json", action="store_true")


def _source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", type=Path, metavar="SOURCE", help="the content folder")
    parser.add_argument(
        "--pattern", action="append", metavar="GLOB", help="files to read (repeatable)"
    )


def _positive(given: str) -> int:
    if not given.isdecimal() or int(given) < 1:
        raise argparse.ArgumentTypeError(f"{given!r} is not a whole number above 0")
    return int(given)


def _runner_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=_positive, metavar="N", help="worker processes")
    parser.add_argument(
        "--runner",
        type=_runner,
        default="auto",
        metavar="HOW",
        help="local, process, dask or dask=tcp://HOST:PORT (default: process if files are many)",
    )
    parser.add_argument(
        "--on-failure",
        metavar="COMMAND",
        help="run this, with the receipt on standard input, when a refresh or a check fails or"
        " files are newly quarantined",
    )


def _runner(given: str) -> str:
    if given in ("auto", "local", "process", "dask") or given.startswith("dask=tcp://"):
        return given
    raise argparse.ArgumentTypeError(
        f"{given!r} is not a runner: say local, process, dask or dask=tcp://HOST:PORT"
    )


_COMMANDS = (
    ("build", _build, "read a folder and bring the warehouse up to date"),
    ("serve", _serve, "refresh on a schedule, as a Prefect flow"),
    ("sql", _sql, "run a read-only query"),
    ("tables", _tables, "list tables, or one's columns"),
    ("export", _export, "write the reports to files"),
    ("quarantine", _quarantine, "files that could not be loaded, and how to mend them"),
    ("profile", _profile, "which keys the front matter of a folder has, and its types"),
    ("runs", _runs, "the refreshes, failed ones too"),
    ("diff", _diff, "what differs between two runs"),
)
