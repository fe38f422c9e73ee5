"""An archive, on disk or at an address → the listing of its members and their bytes."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO

from flows import MatterhouseError, is_utf8, spell_bytes
from flows.source import objects
from flows.source.folder import Listing, PathError, SourceUnreadable
from flows.source.members import SUFFIXES, Member, read_members
from flows.source.patterns import PathFilter
from flows.source.read import Read, Reader, Signature, Unreadable

_CHUNK = 4 * 1024 * 1024


def is_archive(source: Path | str) -> bool:
    """Return whether a source is an archive by its ending; a folder may be named like one."""
    is_named = str(source).lower().endswith(SUFFIXES)
    return is_named and not (isinstance(source, Path) and source.is_dir())


def walk(source: Path | str, chosen: PathFilter) -> Listing:
    """List the members that are chosen; of two with one name the last counts."""
    found: dict[str, str] = {}
    faults: dict[str, PathError] = {}
    ignored = 0
    with _open(source) as file:
        listed = [(member.path, member.mark) for member in _read_members(source, file)]
    root = _root({_top(name) for name, _ in listed})
    for name, mark in listed:
        path = _path(name, root)
        if not chosen.accepts(path):
            ignored += 1
            continue
        if not is_utf8(path):
            path = spell_bytes(path)
            faults[path] = PathError(
                "bad_file_name",
                "The member's name is not valid UTF-8.",
                "Rename the file; in the ledger each byte that is not UTF-8 is shown as \\x….",
            )
        found[path] = mark
    return Listing(list(found), list(found.values()), faults, ignored)


@contextmanager
def open_reader(source: Path | str, paths: Sequence[str]) -> Iterator[Reader]:
    """Give what reads members; the archive is read once for all of them."""
    wanted = frozenset(paths)
    tops: set[str] = set()
    may_be_wanted: list[Member] = []
    with _open(source) as file:
        for member in _read_members(source, file):
            tops.add(top := _top(member.path))
            # Only after the last member it is known whether all are in one folder.
            if not wanted.isdisjoint((_path(member.path), _path(member.path, top))):
                may_be_wanted.append(member)
        root = _root(tops)
        found = {_path(member.path, root): member for member in may_be_wanted}
        yield lambda path: _read(found.get(path))


def _read(member: Member | None) -> Read:
    if member is None:
        raise Unreadable(
            "missed",
            "vanished",
            "The archive was replaced while it was read, and has no such member now.",
            "Nothing to do: the next run counts it as gone.",
        )
    if _leads_out(member.path):
        raise Unreadable(
            "excluded",
            "leads_out",
            "The member's name leads out of the archive.",
            "Name it by a path below the archive: without .. and without / at its beginning.",
        )
    data = member.read()
    hashed = member.mark.encode() if data is None else data
    digest = hashlib.blake2b(hashed, digest_size=16).hexdigest()
    return data, digest, Signature(int(member.mark.partition(" ")[0]), member.mark)


def _path(name: str, root: str = "") -> str:
    """Return a member's path below the root, as the ledger has it."""
    if _leads_out(name):
        return name
    return "/".join(part for part in name.removeprefix(root).split("/") if part not in ("", "."))


def _top(name: str) -> str:
    """Return the top folder of a member, with its slash; a file beside the folders has none."""
    folder, slash, _ = name.partition("/")
    return folder + slash if slash else ""


def _root(tops: set[str]) -> str:
    """Return the folder that was packed, if all members are in it: its name says nothing of them.

    GitHub calls it after the commit, `tar` a dot. One with an underscore is a collection.
    """
    # Finder of macOS adds a second one, for what its file system knows of the files.
    only, *others = tops - {"__MACOSX/"} or {""}
    is_packed = not others and (only == "./" or not only.startswith(("_", ".", "/")))
    return only if is_packed else ""


def _leads_out(name: str) -> bool:
    return name.startswith("/") or ".." in name.split("/")


def _read_members(source: Path | str, file: IO[bytes]) -> Iterator[Member]:
    """Yield all members, or fail: an archive that ends too early says nothing of what is gone."""
    try:
        yield from read_members(file, str(source))
    except MatterhouseError:
        raise
    except Exception as error:
        # Each format and each compression has error classes of its own.
        raise SourceUnreadable(
            f"{source} is no whole archive ({error}); nothing was changed"
        ) from error


@contextmanager
def _open(source: Path | str) -> Iterator[IO[bytes]]:
    if isinstance(source, Path):
        with source.open("rb") as opened:
            yield opened
        return
    folder, _, name = source.rpartition("/")
    store = objects.open_store(folder)
    try:
        mark = objects.mark(store.head(name))
        file = _fetch(folder, name, mark)
    except Exception as error:
        objects.fail(source, error)
    file.seek(0)
    yield file


@lru_cache(maxsize=1)
def _fetch(folder: str, name: str, mark: str) -> IO[bytes]:
    """Keep the bytes of an archive in a file without a name while this process may need them."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it ends with the process, or the next one
    for chunk in objects.open_store(folder).get(name).stream(min_chunk_size=_CHUNK):
        file.write(chunk)
    return file
