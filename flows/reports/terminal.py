"""Values → words on the terminal, with nothing in them that a terminal would obey."""

import codecs
import contextlib
import io
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from flows.source.patterns import DEFAULT_PATTERNS

if TYPE_CHECKING:
    from rich.console import Console

    from flows.load.receipt import Receipt
    from flows.models.checks import FailedCheck
    from flows.reports.diff import Diff
    from flows.reports.news import News
    from flows.reports.profile import KeyProfile
    from flows.reports.quarantine import Kind

_PIPED_WIDTH = 160
_SHOWN_ROWS = 40
_NAMED = 10
_ASCII = str.maketrans("─━│┃┌┐└┘├┤┬┴┼╭╮╰╯▲▼·…", "--||" + "+" * 13 + "^v..")


def escape_control(text: object) -> str:
    """Return the text with control characters spelled out, line breaks and tabs too."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def prepare_streams() -> None:
    """Let nothing that is printed fail: closed streams lead nowhere, odd signs are spelled out."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # It takes the number of the closed stream, which no file of ours must get.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    codecs.register_error("drawn in ASCII", _drawn_in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="drawn in ASCII")


def _drawn_in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Replace lines and arrows that an encoding lacks by what resembles them, escape the rest."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    drawn = error.object[error.start : error.end].translate(_ASCII)
    return drawn.encode("ascii", "backslashreplace").decode(), error.end


def print_error(message: str) -> None:
    """Print an error: its first line in red, what DuckDB adds below as it is."""
    lines = [escape_control(line) for line in message.splitlines()] or [""]
    red, plain = ("\033[31m", "\033[0m") if _obeys_codes(sys.stderr) else ("", "")
    print(f"{red}matterhouse: {lines[0]}{plain}", *lines[1:], sep="\n", file=sys.stderr)


def _obeys_codes(stream: TextIO) -> bool:
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and stream.isatty()


def failed_check(check: "FailedCheck") -> None:
    """Print a failed check with its first rows."""
    print(f"  {check}", file=sys.stderr)
    for row in check.rows[:5]:
        said = ", ".join(
            f"{n} {escape_control(v)}" for n, v in zip(check.columns, row, strict=True)
        )
        print(f"    {said}", file=sys.stderr)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
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
    _console().print(printed)


def _cell(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "\n".join(escape_control(line) for line in str(value).splitlines())


def _console() -> "Console":
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # Not an exit code of rich's own: `main` knows what that means.

    return Piped(width=None if sys.stdout.isatty() else _PIPED_WIDTH, highlight=False)


@contextlib.contextmanager
def progress(*, visible: bool) -> Iterator[Callable[[int, int], None]]:
    """Give out a function that shows how many files of how many are read, on a terminal only."""
    if not (visible and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"):
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("reading", total=None)

    def report(done: int, total: int) -> None:
        bar.start()  # Not before there is something to read: most builds end without.
        bar.update(task, completed=done, total=total)

    try:
        yield report
    finally:
        bar.stop()


def aside(text: str) -> None:
    """Print what a build is at, beside what it prints in the end."""
    print(escape_control(text), file=sys.stderr)


def news(found: "News") -> None:
    """Print what was newly left out, or is worth a look, where errors are read."""
    for check in found.failed_checks:
        print_error(f"check: {check}")
    for file in found.newly_quarantined[:_NAMED]:
        print_error(f"newly quarantined: {place(file)}: {file['reason']} Fix: {file['hint']}")
    for file in found.newly_excluded[:_NAMED]:
        print_error(f"no longer an article: {place(file)}: {file['reason']} {file['hint']}")
    rest = len(found.newly_quarantined[_NAMED:]) + len(found.newly_excluded[_NAMED:])
    if rest:
        print_error(f"and {rest:,} more: see `matterhouse quarantine`")


def place(file: Mapping[str, Any]) -> str:
    """Return where a fault is as editors jump to it."""
    parts = (file["path"], file["line"], file["column"])
    return ":".join(str(part) for part in parts if part is not None)


def receipt(done: "Receipt", found: "News", movers: Sequence[Sequence[Any]]) -> None:
    """Print what a run did, what moves, and what to type next."""
    print(
        f"{escape_control(_near(done.source))}: {done.seen:,} files seen = {done.loaded:,} loaded"
        f" + {done.quarantined:,} quarantined + {done.excluded:,} excluded"
        f" ({done.ignored:,} other files ignored)"
    )
    print(
        f"  of these {done.unchanged:,} unchanged, {done.new:,} new ({done.returned:,} returned),"
        f" {done.changed:,} changed, {done.renamed:,} renamed; {done.gone:,} gone"
    )
    if done.commits:
        broken = sum(done.past_quarantined.values())
        print(
            f"  history: {done.commits:,} {'commit' if done.commits == 1 else 'commits'} read"
            + (f"; {broken:,} broken states, see `quarantine --history`" if broken else "")
        )
    if not done.published:
        print("Nothing changed: the published warehouse stays as it is.")
        return
    if done.new_keys:
        print(f"  new keys, kept in `extra`: {escape_control(_some(done.new_keys))}")
    if done.dropped_tables:
        names = escape_control(_some(done.dropped_tables))
        print(f"  dropped, as no SQL file makes them any more: {names}")
    for check in done.failed_checks:
        print(f"  check: {escape_control(check)}")
    if found.newly_excluded:
        places = escape_control(_some([place(file) for file in found.newly_excluded]))
        print(f"  no longer taken for articles: {places}")
    if done.excluded and not (done.loaded or done.quarantined):
        print("  no file is an article: `matterhouse quarantine --excluded` says why")
    seconds = sum(done.seconds.values())
    print(
        f"Published {escape_control(_near(done.warehouse))} in {seconds:.1f} s (run {done.run_id}):"
        f" {done.tables.get('raw.articles', 0):,} articles,"
        f" {done.tables.get('marts.topics', 0):,} topics,"
        f" {done.tables.get('marts.providers', 0):,} providers"
    )
    if movers:
        print("\nMoving topics, articles in the last 28 days against the 28 days before:")
        for topic, status, now, before, _ in movers:
            sign = "▲" if now > before else "▼"
            print(f"  {sign} {escape_control(topic)}: {now} against {before} ({status})")
    command = _command(done.warehouse)
    print("\nNext:")
    if done.quarantined or done.warnings or found.newly_excluded:
        print(
            f"  {command} quarantine   # {done.quarantined} files to mend"
            f" (--values: {done.warnings} values that did not fit)"
        )
    print(f"  {command} tables   # every table with its meaning")
    print(f'  {command} sql "from marts.topics order by articles desc"')


def _some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    rest = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest


def _command(warehouse: str) -> str:
    """Return how the next command on this warehouse is typed from here."""
    typed = Path(sys.argv[0])
    name = str(typed) if typed.name == "matterhouse" and not shutil.which(typed.name) else ""
    remembered = os.environ.get("MATTERHOUSE_WAREHOUSE") or "warehouse.duckdb"
    option = "" if Path(remembered).absolute() == Path(warehouse) else _near(warehouse)
    return (name or "matterhouse") + (f" --warehouse {shlex.quote(option)}" if option else "")


def _near(path: str) -> str:
    """Return a path as it is typed from here, if it lies below."""
    here = f"{Path.cwd()}/"
    return path.removeprefix(here)


_NOTHING = {
    "files": "No file is quarantined.",
    "excluded": "No file is excluded.",
    "values": "Every value fits.",
    "history": "No commit that was read broke a file.",
}


def quarantine(rows: Sequence[Sequence[Any]], kind: "Kind") -> None:
    """Print each fault as an editor can jump to it, with the reason and what to change."""
    if not rows:
        print(_NOTHING[kind])
        return
    for path, line, column, code, reason, hint, since, *commit in rows:
        print(escape_control(place({"path": path, "line": line, "column": column})))
        source = f"in commit {commit[0][:12]} of" if commit else "since"
        print(f"  {escape_control(reason)} ({code}, {source} {since:%Y-%m-%d %H:%M} UTC)")
        print(f"  fix: {escape_control(hint)}")
    if kind == "history":
        print(f"\n{len(rows):,} broken states of the past; what is broken now is not among them.")
        return
    found = "excluded" if kind == "excluded" else "to mend"
    print(f"\n{len(rows):,} {found}; each file is read again when it changes.")


def profile(keys: "Sequence[KeyProfile]", files: int) -> None:
    """Print what the front matter of a folder looks like, one line per key."""
    table(
        ("key", "kind", "present", "share", "feeds", "types", "first", "last", "deviates"),
        [
            (
                escape_control(key.key),
                key.kind,
                key.present,
                f"{key.share:.0%}",
                ", ".join(f"{column} {count:,}" for column, count in key.feeds.items()),
                ", ".join(f"{name} {count:,}" for name, count in key.types.items()),
                key.first,
                key.last,
                "; ".join(f"{d.path}:{d.line} ({d.type})" for d in key.deviators),
            )
            for key in keys
        ],
    )
    print(
        f"\n{files:,} files; share is of the mappings that could hold the key; feeds: its column."
    )


def runs(receipts: Sequence[dict[str, Any]], kept: Sequence[str], current: str | None) -> None:
    """Print the latest runs and which of their files are kept."""
    rows = [_run(entry, kept, current) for entry in receipts[-_SHOWN_ROWS:]]
    table(("run", "outcome", "seen", "quarantined", "new", "changed", "gone", "seconds"), rows)
    published = [entry for entry in receipts if entry.get("published") and "patterns" in entry]
    if published and _chooses(published[-1]):
        print(f"\nThe next build reads {_scope(published[-1])}")


def _chooses(entry: dict[str, Any]) -> bool:
    return bool(tuple(entry["patterns"]) != DEFAULT_PATTERNS or entry["exclude"])


def _scope(entry: dict[str, Any]) -> str:
    """Say which folder a run read, and which of its files."""
    left_out = f" without {', '.join(entry['exclude'])}" if entry.get("exclude") else ""
    globs = f"{', '.join(entry['patterns'])}{left_out}"
    return escape_control(f"{_near(entry['source'])}: {globs}")


def _run(entry: dict[str, Any], kept: Sequence[str], current: str | None) -> list[object]:
    run_id = entry.get("run_id", "?")
    if "rolled_back_at" in entry:
        outcome = f"rolled back to at {entry['rolled_back_at']}"
    elif error := entry.get("error"):
        outcome = f"failed: {error}"
    elif not entry.get("published"):
        outcome = "nothing changed"
    else:
        outcome = "published" + (", kept" if run_id in kept else "")
    if run_id == current:
        outcome += ", current"
    counts = [entry.get(name) for name in ("seen", "quarantined", "new", "changed", "gone")]
    seconds = entry.get("seconds")
    return [run_id, outcome, *counts, round(sum(seconds.values()), 1) if seconds else None]


def diff(found: "Diff") -> None:
    """Print the articles that differ between two runs, and the marts that moved."""
    print(f"From {found.earlier} to {found.later}:")
    if found.articles:
        table(found.columns, found.articles)
    else:
        print("  no article differs")
    moved = [
        (mart, "cannot be compared" if rows is None else f"{rows[0]:,} rows left, {rows[1]:,} came")
        for mart, rows in found.marts.items()
        if rows != (0, 0)
    ]
    if moved:
        table(("mart", "rows"), moved)
