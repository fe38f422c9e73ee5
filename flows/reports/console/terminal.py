"""Text, tables and progress on a terminal, with nothing in them that it would obey."""

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from flows.words import escape_control

if TYPE_CHECKING:
    from rich.console import Console

_PIPED_WIDTH = 160
_ASCII = str.maketrans("─━│┃┌┐└┘├┤┬┴┼╭╮╰╯▲▼·…", "--||" + "+" * 13 + "^v..")


def shorten(path: str) -> str:
    """Return a path relative to the current folder, if it is below it."""
    return path.removeprefix(f"{Path.cwd()}/")


def prepare_streams() -> None:
    """Let nothing that is printed fail: closed streams lead nowhere, odd signs are spelled out."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # It takes the number of the closed stream, so that no file we open later gets it.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    codecs.register_error("drawn in ASCII", _draw_in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="drawn in ASCII")


def _draw_in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Replace lines and arrows that an encoding lacks by what resembles them, escape the rest."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    drawn = error.object[error.start : error.end].translate(_ASCII)
    return drawn.encode("ascii", "backslashreplace").decode(), error.end


def print_error(message: str) -> None:
    """Print an error: its first line in red, the lines that DuckDB adds as they are."""
    lines = [escape_control(line) for line in message.splitlines()] or [""]
    red, plain = ("\033[31m", "\033[0m") if _obeys_codes(sys.stderr) else ("", "")
    print(f"{red}matterhouse: {lines[0]}{plain}", *lines[1:], sep="\n", file=sys.stderr)


def _obeys_codes(stream: TextIO) -> bool:
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and stream.isatty()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under column names; numbers to the right, long text wrapped."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    found = [list(row) for row in rows]
    printed = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for at, column in enumerate(columns):
        is_number = all(isinstance(row[at], int | float | None) for row in found)
        # Names are looked up and pasted: they stay whole, the prose beside them wraps.
        printed.add_column(
            column, justify="right" if is_number else "left", overflow="fold", no_wrap=at == 0
        )
    for row in found:
        printed.add_row(*(Text("" if v is None else _cell(v)) for v in row))
    _make_console().print(printed)


def _cell(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "\n".join(escape_control(line) for line in str(value).splitlines())


def _make_console() -> "Console":
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # Not an exit code of rich's own: `main` knows what that means.

    return Piped(width=None if sys.stdout.isatty() else _PIPED_WIDTH, highlight=False)


@contextlib.contextmanager
def show_progress(*, visible: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that shows how much of how much is read, on a terminal only."""
    if not (visible and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"):
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    described = TextColumn("reading {task.description}")
    columns = (described, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=None)

    def report(stage: str, done: int, total: int) -> None:
        what = "commits" if stage == "history" else "files"
        bar.update(task, description=what, completed=done, total=total)
        bar.start()  # Not before there is something to read: most builds end without.

    try:
        yield report
    finally:
        bar.stop()


def print_aside(text: str) -> None:
    """Print what a build is doing, apart from its result."""
    print(escape_control(text), file=sys.stderr)
