"""Source and ledger → which files are new, touched, unchanged or gone."""

import contextlib
import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flows import MatterhouseError
from flows.source.patterns import DEFAULT_PATTERNS, PathFilter

if TYPE_CHECKING:
    import duckdb

# Some editors move a file away before they write it anew: it is missing for some milliseconds.
_SAVING_SECONDS = 0.1


class SourceMissing(MatterhouseError):
    """The folder to read is not there, or is not a folder."""


class SourceEmpty(MatterhouseError):
    """Nothing in the source matches the patterns."""


@dataclass(frozen=True, slots=True)
class PathError:
    """A path that cannot be read because of what it is: known from the walk alone."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What one walk found: parallel columns in the order of the walk, times in ns since 1970."""

    paths: Sequence[str] = ()
    size_bytes: Sequence[int] = ()
    mtime_ns: Sequence[int] = ()
    ctime_ns: Sequence[int] = ()
    inode: Sequence[int] = ()
    faults: dict[str, PathError] = field(default_factory=dict)
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a refresh has to do: `to_read` and `vanished` are sorted paths."""

    to_read: list[str]
    vanished: list[str]
    known: dict[str, str]
    unchanged: int
    seen: int


def walk(
    source: Path, patterns: Sequence[str] = DEFAULT_PATTERNS, exclude: Sequence[str] = ()
) -> Listing:
    """List every entry below `source` that the patterns choose."""
    require_folder(source)
    chosen = PathFilter(patterns, exclude)
    faults: dict[str, PathError] = {}
    ignored = 0
    rows: list[_Row] = []
    for path, status in _entries(os.fspath(source), chosen, faults):
        readable = path.isascii() or _is_utf8(path)
        shown = path if readable else _escaped(path)
        if shown in faults or chosen.accepts(path):
            if not readable:
                faults[shown] = PathError(
                    "bad_file_name",
                    "The file's name is not valid UTF-8.",
                    "Rename the file; in the ledger each byte that is not UTF-8 is shown as \\x….",
                )
            rows.append(_row(shown, status))
        else:
            ignored += 1
    return _listing(rows, faults, ignored)


def require_folder(source: Path) -> None:
    """Stop at a source that is not there, or no folder."""
    if not source.is_dir():
        found = "is not a folder" if source.exists() else "does not exist"
        raise SourceMissing(f"source {source} {found}: name the folder that holds the content")


def look_again(
    source: Path,
    first: Listing,
    missing: Sequence[str],
    patterns: Sequence[str] = DEFAULT_PATTERNS,
    exclude: Sequence[str] = (),
) -> Listing:
    """Walk once more, because files that were expected are missing, and ask for each by its name.

    A folder that is read while a file in it is saved by renaming may list it never or twice.
    """
    time.sleep(_SAVING_SECONDS)
    second = walk(source, patterns, exclude)
    absent = {*first.paths, *missing} - {*second.paths, *first.faults}
    chosen, known_inodes = PathFilter(patterns, exclude), frozenset(second.inode)
    there = [
        _row(path, status)
        for path in sorted(absent)
        if chosen.accepts(path) and (status := _status_of(source, path))
        # Where upper and lower case are one, the earlier name of a file still finds it.
        if status.st_nlink > 1 or status.st_ino not in known_inodes
    ]
    columns = (second.paths, second.size_bytes, second.mtime_ns, second.ctime_ns, second.inode)
    return _listing([*zip(*columns, strict=True), *there], second.faults, second.ignored)


def _status_of(source: Path, path: str) -> os.stat_result | None:
    """Return the status of a file below the source, None if there is none; links lead nowhere."""
    file = source.resolve() / path
    try:
        status = file.lstat()
        is_below = file.parent.resolve() == file.parent and not stat.S_ISDIR(status.st_mode)
    except OSError:
        return None
    return status if is_below else None


_Row = tuple[str, int, int, int, int]


def _row(path: str, status: os.stat_result) -> _Row:
    return path, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _listing(rows: Sequence[_Row], faults: dict[str, PathError], ignored: int) -> Listing:
    columns = zip(*rows, strict=True) if rows else ((),) * 5
    paths, sizes, mtimes, ctimes, inodes = columns
    return Listing(paths, sizes, mtimes, ctimes, inodes, faults, ignored)


def _entries(
    source: str, chosen: PathFilter, faults: dict[str, PathError]
) -> Iterator[tuple[str, os.stat_result]]:
    """Walk depth first without recursion, so that no depth of folders can stop it."""
    waiting = [(source, "")]
    while waiting:
        folder, prefix = waiting.pop()
        names: set[str] = set()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name in names:
                        continue  # Renamed while the folder was read.
                    names.add(entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        if chosen.enters(path := f"{prefix}{entry.name}/"):
                            waiting.append((entry.path, path))
                    elif status := _status(entry):
                        yield prefix + entry.name, status
        except OSError as error:
            if not prefix:
                raise SourceMissing(f"source {folder} cannot be read: {error.strerror}") from error
            if isinstance(error, FileNotFoundError | NotADirectoryError):
                continue  # The folder vanished under the walk: its files are gone.
            shown = prefix if _is_utf8(prefix) else _escaped(prefix)
            faults[shown] = PathError(
                "unreadable_folder",
                f"The folder cannot be listed ({error.strerror}); what was loaded from it is kept.",
                "Give the account that runs the refresh permission to read and enter the folder.",
            )
            with contextlib.suppress(OSError):
                yield prefix, os.lstat(folder)


def _status(entry: "os.DirEntry[str]") -> os.stat_result | None:
    """Return an entry's status; None if it vanished, which says nothing about its neighbours."""
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _escaped(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def compare(
    con: "duckdb.DuckDBPyConnection",
    source: Path,
    listing: Listing,
    *,
    parser_version: int,
    reread: bool = False,
    verify: bool = False,
) -> Plan:
    """Hold the listing against the ledger.

    `verify` reads every file and compares hashes, `reread` parses every file again. `Plan.known`
    gives the hash of each file to read whose bytes may turn out to be the ones already loaded.
    """
    import numpy as np

    if not listing.paths:
        known_files = con.execute("select count(*) from ops.files where status <> 'gone'")
        known = int(known_files.fetchall()[0][0])
        raise SourceEmpty(
            f"source {source} has no file that matches the patterns"
            f" ({listing.ignored} other files were ignored)"
            + (f"; the warehouse holds {known} files from it" if known else "")
            + ": check the folder, --pattern and --exclude"
        )
    count = len(listing.paths)
    con.register(
        "listing",
        {
            "path": np.array(listing.paths, dtype=object),
            "size_bytes": np.fromiter(listing.size_bytes, np.int64, count),
            "mtime_ns": np.fromiter(listing.mtime_ns, np.int64, count),
            "ctime_ns": np.fromiter(listing.ctime_ns, np.int64, count),
            # Some file systems use the whole 64 bits; the ledger's column is signed.
            "inode": np.fromiter(listing.inode, np.uint64, count).astype(np.int64),
        },
    )
    try:
        differing = con.execute(
            """
            select
                path,
                listing.path is null as is_missing,
                case
                    when not $reread
                        and (known.status = 'loaded' or known.parser_version = $parser_version)
                        then known.content_hash
                end as loaded_hash
            from listing
            full join (from ops.files where status <> 'gone') as known using (path)
            where
                known.path is null
                or listing.path is null
                or $reread
                or $verify
                or (known.size_bytes, known.mtime_ns, known.ctime_ns, known.inode) is distinct from
                    (listing.size_bytes, listing.mtime_ns, listing.ctime_ns, listing.inode)
                or (known.status <> 'loaded' and known.parser_version <> $parser_version)
            order by path
            """,
            {"reread": reread, "verify": verify, "parser_version": parser_version},
        ).fetchall()
    finally:
        con.unregister("listing")
    # A folder that cannot be listed hides its files; hidden is not gone.
    hidden = tuple(p for p, fault in listing.faults.items() if fault.code == "unreadable_folder")
    missing = [path for path, is_missing, _ in differing if is_missing]
    vanished = [path for path in missing if not path.startswith(hidden)]
    to_read = [path for path, is_missing, _ in differing if not is_missing]
    seen = len(listing.paths) + len(missing) - len(vanished)
    return Plan(
        to_read=to_read,
        vanished=vanished,
        known={path: known for path, is_missing, known in differing if known and not is_missing},
        unchanged=seen - len(to_read),
        seen=seen,
    )
