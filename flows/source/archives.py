"""An archive, on disk or at an address → the listing of its members and their bytes."""

import hashlib
import tempfile
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
    for path, member in _read_members(source).items():
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
        found[path] = member.stamp or _sign(member, member.read())
    return Listing(list(found), list(found.values()), faults, ignored)


def open_reader(source: Path | str) -> Reader:
    """Return what reads members."""
    found = _read_members(source)
    return lambda path: _read(found.get(path))


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
    mark = _sign(member, data)
    hashed = mark.encode() if data is None else data
    digest = hashlib.blake2b(hashed, digest_size=16).hexdigest()
    return data, digest, Signature(member.size, mark)


def _sign(member: Member, data: bytes | None) -> str:
    """Return what changes with a member's bytes."""
    digest = hashlib.blake2b(data or b"", digest_size=16).hexdigest()
    return member.stamp or f"{member.size} {digest}"


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


def _read_members(source: Path | str) -> dict[str, Member]:
    """Return all members by path, or fail: half an archive says nothing of what is gone."""
    try:
        return _open(source, _find_mark(source))
    except Exception as error:
        # Each format and each compression has error classes of its own, some of them OSErrors.
        if isinstance(error, MatterhouseError) or getattr(error, "errno", None):
            raise
        raise SourceUnreadable(
            f"{source} is no whole archive ({error}); nothing was changed"
        ) from error


def _find_mark(source: Path | str) -> str:
    """Return what tells whether an archive has been replaced."""
    if isinstance(source, Path):
        status = source.stat()
        return f"{status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
    folder, _, name = source.rpartition("/")
    try:
        return objects.mark(objects.open_store(folder).head(name))
    except Exception as error:
        objects.fail(source, error)


@lru_cache(maxsize=1)
def _open(source: Path | str, mark: str) -> dict[str, Member]:
    """Keep an archive open until another is needed: each batch would list its members again."""
    file = source.open("rb") if isinstance(source, Path) else _fetch(source)
    listed = list(read_members(file, str(source)))
    root = _root({_top(member.path) for member in listed})
    return {_path(member.path, root): member for member in listed}


def _fetch(address: str) -> IO[bytes]:
    """Return the bytes of an archive in a file without a name."""
    folder, _, name = address.rpartition("/")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it ends with the process, or the next one
    try:
        for chunk in objects.open_store(folder).get(name).stream(min_chunk_size=_CHUNK):
            file.write(chunk)
    except Exception as error:
        objects.fail(address, error)
    file.seek(0)
    return file
