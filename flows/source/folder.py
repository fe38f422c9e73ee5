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
    found = _Found(chosen)
    waiting = [(os.fspath(source), "")]
    while waiting:  # Depth first without recursion, so that no depth of folders can stop it.
        folder, prefix = waiting.pop()
        try:
            waiting += found.add_folder(folder, prefix)
        except OSError as error:
            if not prefix:
                raise SourceMissing(f"source {folder} cannot be read: {error.strerror}") from error
            if isinstance(error, FileNotFoundError | NotADirectoryError):
                continue  # The folder vanished under the walk: its files are gone.
            with contextlib.suppress(OSError):
                found.add(prefix, os.lstat(folder))
            shown = prefix if is_utf8(prefix) else spell_bytes(prefix)
            found.faults[shown] = PathError(
                "unreadable_folder",
                f"The folder cannot be listed ({error.strerror}); what was loaded from it is kept.",
                "Give the account that runs the build permission to read and enter the folder.",
            )
    return Listing(found.paths, found.marks, found.faults, found.ignored.total(), found.ignored)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a walk has found so far."""

    chosen: PathFilter
    paths: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    faults: dict[str, PathError] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)

    def add_folder(self, folder: str, prefix: str) -> Iterator[tuple[str, str]]:
        """Add the files of a folder that are chosen; yield the folders in it that can hold some."""
        names: set[str] = set()
        with os.scandir(folder) as entries:
            for entry in entries:
                if (name := entry.name) in names:
                    continue  # Renamed while the folder was read.
                names.add(name)
                path = prefix + name
                if entry.is_dir(follow_symlinks=False):
                    if self.chosen.enters(path := f"{path}/"):
                        yield entry.path, path
                elif self.chosen.accepts_in_folder(path, name):
                    try:
                        self.add(path, entry.stat(follow_symlinks=False))
                    except FileNotFoundError:
                        continue  # It vanished, which says nothing about its neighbours.
                else:
                    self.ignored[PurePosixPath(name).suffix] += 1

    def add(self, path: str, status: os.stat_result) -> None:
        """Add a path; one that no table can hold as it is written is a fault."""
        if not (path.isascii() or is_utf8(path)):
            path = spell_bytes(path)
            self.faults[path] = PathError(
                "bad_file_name",
                "The file's name is not valid UTF-8.",
                "Rename the file; in the ledger each byte that is not UTF-8 is shown as \\x….",
            )
        self.paths.append(path)
        self.marks.append(mark(status))


def require_folder(source: Path) -> None:
    """Stop at a source that is not there, no folder, or one whose path no table can hold."""
    if not source.is_dir():
        if source.exists():
            raise SourceMissing(
                f"source {source} is not a folder, nor an archive of a kind that can be read (.zip,"
                " .tar, .tar.gz, .tar.zst): unpack it, and name the folder that holds the content"
            )
        raise SourceMissing(
            f"source {source} does not exist: name the folder that holds the content"
        )
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
