"""Receipts, quarantine, profiles, runs and differences as words on the terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.reports.console.terminal import print_table, shorten
from flows.source.patterns import DEFAULT_PATTERNS
from flows.words import clip, escape_control, spell

if TYPE_CHECKING:
    from flows.inspect.profile import KeyProfile
    from flows.reports.diff import Diff
    from flows.reports.export.export import Export
    from flows.reports.quarantine import Kind, Quarantine

_SHOWN_RUNS = 40


def spell_place(file: Mapping[str, Any]) -> str:
    """Return where a fault is as editors jump to it."""
    parts = (file["path"], file["line"], file["column"])
    return ":".join(str(part) for part in parts if part is not None)


_NOTHING = {
    "files": "No file is quarantined.",
    "excluded": "No file is excluded.",
    "values": "Every value fits.",
    "history": "No commit that was read broke a file.",
}


def print_quarantine(found: "Quarantine", kind: "Kind") -> None:
    """Print each fault as an editor can jump to it, with the reason and what to change."""
    if found.is_of_failure:
        print("No build was published yet; this is what the one that failed its checks found.\n")
    if not found.rows:
        print(_NOTHING[kind])
        return
    for row in found.rows:
        source = f"in commit {row['commit'][:12]} of" if "commit" in row else "since"
        when = f"{source} {row['since']:%Y-%m-%d %H:%M} UTC"
        print(escape_control(spell_place(row)))
        print(f"  {escape_control(row['reason'])} ({row['reason_code']}, {when})")
        print(f"  fix: {escape_control(row['hint'])}")
    if kind == "history":
        states = spell(len(found.rows), "broken state")
        print(f"\n{states} of the past; what is broken now is not among them.")
        return
    left = "excluded" if kind == "excluded" else "to fix"
    print(f"\n{len(found.rows):,} {left}; each file is read again when it changes.")


def print_profile(keys: "Sequence[KeyProfile]", files: int) -> None:
    """Print what the front matter of a folder looks like, one line per key."""
    if not files:
        print("No file has front matter that can be read: a build says of each what is wrong.")
        return
    print_table(
        ("key", "kind", "present", "share", "feeds", "types", "first", "last", "deviates"),
        [
            (
                clip(escape_control(key.key)),
                key.kind,
                key.present,
                key.shown_share,
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
        f"\n{spell(files, 'file')}; share is of the mappings that could hold the key;"
        " feeds: its column."
    )


def print_runs(
    receipts: Sequence[dict[str, Any]], kept: Sequence[str], current: str | None
) -> None:
    """Print the latest runs, what they amount to and which of their files are kept."""
    rows = [_describe_run(entry, kept, current) for entry in receipts[-_SHOWN_RUNS:]]
    print_table(("run", "seconds", "outcome"), rows)
    mapped = [entry for entry in receipts if entry.get("feeds")]
    if mapped:
        print(f"\nSince run {mapped[-1]['run_id']}: {'; '.join(mapped[-1]['feeds'])}")
    published = [entry for entry in receipts if entry.get("published") and "patterns" in entry]
    last = published[-1] if published else None
    if last and (tuple(last["patterns"]) != DEFAULT_PATTERNS or last["exclude"]):
        print(f"\nThe next build reads {_say_scope(last)}")


def print_run(entry: dict[str, Any], kept: Sequence[str], current: str | None) -> None:
    """Print what became of one run, what it read, and which key fed which column."""
    run_id, _, outcome = _describe_run(entry, kept, current)
    print(f"{run_id}: {escape_control(outcome)}")
    if "patterns" in entry:
        configured = entry.get("config") or ("matterhouse.yaml" if entry.get("mapping") else "")
        print(f"read {_say_scope(entry)}{escape_control(f', by {configured}' * bool(configured))}")
    if columns := entry["columns"]:
        print_table([*columns[0]], [[*row.values()] for row in columns])


def _say_scope(entry: dict[str, Any]) -> str:
    """Say which folder a run read, and which of its files."""
    left_out = f" without {', '.join(entry['exclude'])}" if entry.get("exclude") else ""
    globs = f"{', '.join(entry['patterns'])}{left_out}"
    return escape_control(f"{shorten(entry['source'])}: {globs}")


def _describe_run(entry: dict[str, Any], kept: Sequence[str], current: str | None) -> list[object]:
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


def print_diff(found: "Diff") -> None:
    print(f"From {found.earlier} to {found.later}:")
    if found.articles:
        print_table([*found.articles[0]], [[*row.values()] for row in found.articles])
    elif found.is_before_all:
        print("  nothing is known of that time: no run or commit that was read is so old")
    else:
        print("  no article differs")
    moved = [
        (mart, "cannot be compared" if rows is None else f"{rows[0]:,} removed, {rows[1]:,} added")
        for mart, rows in found.marts.items()
        if rows != (0, 0)
    ]
    if moved:
        print_table(("mart", "rows"), moved)


def print_export(done: "Export", place: Path | str) -> None:
    files = [(written["file"], written["rows"]) for written in done.manifest["tables"]]
    print_table(("file", "rows"), files)
    tables = spell(len(files), "table")
    print(f"Wrote {tables} of run {done.manifest['run_id']} to {place}")
    if not done.is_whole:
        print(
            f"{place} cannot be exchanged as a whole: its files were replaced one by one,"
            " manifest.json last"
        )
