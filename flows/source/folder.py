"""The walk over a source: which files there are, each with a mark that changes with it."""

import contextlib
import os
import stat
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from flows import MatterhouseError, is_utf8, spell_bytes
from flows.source.patterns import PathFilter
from flows.source.read import MAX_FILE_BYTES, mark

# Some editors move a file away before they rewrite it: it is missing for some milliseconds.
_SAVING_SECONDS = 0.1


class SourceMissing(MatterhouseError):
    """The source to read is not there, or has become empty."""


class SourceUnreadable(MatterhouseError):
    """An archive or a bucket gives no whole answer: nothing is known of what it did not say."""


@dataclass(frozen=True, slots=True)
class PathError:
    """A path that cannot be read because of what it is: known from the walk alone."""

    code: str
    message: str
    hint: str


def too_large() -> PathError:
    """Return the fault of a file over the limit."""
    return PathError(
        "file_too_large",
        f"The file is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB.",
        "Move large content out of the file, or leave it out with --exclude.",
    )


@dataclass(frozen=True, slots=True)
class Listing:
    """What one walk found: paths with a mark each, which is another when the bytes may be."""

    paths: Sequence[str] = ()
    marks: Sequence[str] = ()
    faults: dict[str, PathError] = field(default_factory=dict)
    ignored: int = 0
    ignored_endings: Mapping[str, int] = field(default_factory=dict)


def walk(source: Path, chosen: PathFilter) -> Listing:
    """List every entry below `source` that is chosen."""
    require_folder(source)
    faults: dict[str, PathError] = {}
    ignored: Counter[str] = Counter()
    paths: list[str] = []
    marks: list[str] = []
    for path, status in _walk_entries(os.fspath(source), chosen, faults):
        readable = path.isascii() or is_utf8(path)
        shown = path if readable else spell_bytes(path)
        if shown in faults or chosen.accepts(path):
            if not readable:
                faults[shown] = PathError(
                    "bad_file_name",
                    "The file's name is not valid UTF-8.",
                    "Rename the file; in the ledger each byte that is not UTF-8 is shown as \\x….",
                )
            paths.append(shown)
            marks.append(mark(status))
        else:
            ignored[PurePosixPath(path).suffix] += 1
    return Listing(paths, marks, faults, ignored.total(), ignored)


def require_folder(source: Path) -> None:
    """Stop at a source that is not there, no folder, or one whose path no table can hold."""
    if not source.is_dir():
        found = "is not a folder" if source.exists() else "does not exist"
        raise SourceMissing(f"source {source} {found}: name the folder that holds the content")
    if not is_utf8(str(source)):
        raise SourceMissing(
            f"source {spell_bytes(str(source))} has a path that is not valid UTF-8, and a warehouse"
            " cannot remember it: rename that folder, or make a link to it and build from the link"
        )


def look_again(source: Path, chosen: PathFilter, first: Listing, missing: Sequence[str]) -> Listing:
    """Walk once more, because files that were expected are missing, and ask for each by its name.

    A folder that is read while a file in it is saved by renaming may list it never or twice.
    """
    time.sleep(_SAVING_SECONDS)
    second = walk(source, chosen)
    absent = {*first.paths, *missing} - {*second.paths, *first.faults}
    found = {
        path: status
        for path in sorted(absent)
        if chosen.accepts(path) and (status := _stat_path(source, path))
    }
    if found:
        # Where upper and lower case are one, the earlier name of a file still finds it.
        marks = frozenset(second.marks)
        found = {p: s for p, s in found.items() if s.st_nlink > 1 or mark(s) not in marks}
    paths = [*second.paths, *found]
    return Listing(
        paths, [*second.marks, *map(mark, found.values())], second.faults, second.ignored
    )


def _stat_path(source: Path, path: str) -> os.stat_result | None:
    """Return the status of a file below the source, None if there is none; links lead nowhere."""
    file = source.resolve() / path
    try:
        status = file.lstat()
        is_below = file.parent.resolve() == file.parent and not stat.S_ISDIR(status.st_mode)
    except OSError:
        return None
    return status if is_below else None


def _walk_entries(
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
                    elif status := _stat_entry(entry):
                        yield prefix + entry.name, status
        except OSError as error:
            if not prefix:
                raise SourceMissing(f"source {folder} cannot be read: {error.strerror}") from error
            if isinstance(error, FileNotFoundError | NotADirectoryError):
                continue  # The folder vanished under the walk: its files are gone.
            shown = prefix if is_utf8(prefix) else spell_bytes(prefix)
            faults[shown] = PathError(
                "unreadable_folder",
                f"The folder cannot be listed ({error.strerror}); what was loaded from it is kept.",
                "Give the account that runs the build permission to read and enter the folder.",
            )
            with contextlib.suppress(OSError):
                yield prefix, os.lstat(folder)


def _stat_entry(entry: "os.DirEntry[str]") -> os.stat_result | None:
    """Return an entry's status; None if it vanished, which says nothing about its neighbours."""
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
