"""Receipts, quarantine, profiles, runs and differences as words on the terminal."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.reports.terminal import counted, escape_control, print_error, table
from flows.source.patterns import DEFAULT_PATTERNS

if TYPE_CHECKING:
    from flows.load.receipt import Receipt
    from flows.models.checks import FailedCheck
    from flows.reports.diff import Diff
    from flows.reports.news import News
    from flows.reports.profile import KeyProfile
    from flows.reports.quarantine import Kind

_SHOWN_RUNS = 40
# Of names, the first few tell what it is about; their number tells the rest.
_NAMED = 10


def failed_check(check: "FailedCheck") -> None:
    """Print a failed check with its first rows."""
    print(f"  {check}", file=sys.stderr)
    for row in check.rows[:5]:
        said = ", ".join(
            f"{n} {escape_control(v)}" for n, v in zip(check.columns, row, strict=True)
        )
        print(f"    {said}", file=sys.stderr)


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
            f"  history: {counted(done.commits, 'commit')} read"
            + (f"; {counted(broken, 'broken state')}, see `quarantine --history`" if broken else "")
        )
    if not done.published:
        print("Nothing changed: the published warehouse stays as it is.")
        return
    for line in done.feeds:
        print(f"  {line}")
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
        found = counted(len(rows), "broken state")
        print(f"\n{found} of the past; what is broken now is not among them.")
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
    """Print the latest runs, what they amount to and which of their files are kept."""
    rows = [_run(entry, kept, current) for entry in receipts[-_SHOWN_RUNS:]]
    table(("run", "seconds", "outcome"), rows)
    mapped = [entry for entry in receipts if entry.get("feeds")]
    if mapped:
        print(f"\nSince run {mapped[-1]['run_id']}: {'; '.join(mapped[-1]['feeds'])}")
    published = [entry for entry in receipts if entry.get("published") and "patterns" in entry]
    if published and _chooses(published[-1]):
        print(f"\nThe next build reads {_scope(published[-1])}")


def run(
    entry: dict[str, Any],
    kept: Sequence[str],
    current: str | None,
    columns: Sequence[Mapping[str, Any]],
) -> None:
    """Print what became of one run, what it read, and which key fed which column."""
    run_id, _, outcome = _run(entry, kept, current)
    print(f"{run_id}: {escape_control(outcome)}")
    if "patterns" in entry:
        configured = entry.get("config") or ("matterhouse.yaml" if entry.get("mapping") else "")
        print(f"read {_scope(entry)}{escape_control(f', by {configured}' * bool(configured))}")
    if columns:
        table([*columns[0]], [[*row.values()] for row in columns])


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
    if entry.get("published") and entry.get("message"):
        outcome += f": {entry['message']}"
    seconds = entry.get("seconds")
    return [run_id, round(sum(seconds.values()), 1) if seconds else None, outcome]


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
