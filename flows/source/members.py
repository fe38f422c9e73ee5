"""A zip or tar file → its members, each with what says whether it changed, and its bytes.

No member is ever written under its name, so no name can lead anywhere.
"""

import contextlib
import os
import stat
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Any, cast

from flows import UsageError
from flows.source.folder import SourceUnreadable
from flows.source.read import MAX_FILE_BYTES, Unreadable

_ZIP = (".zip",)
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.zst")
SUFFIXES = (*_ZIP, *_TAR)
# Text shrinks to a tenth, and rarely to a fiftieth; a bomb to a thousandth.
_RATIO, _ALWAYS_ALLOWED = 100, 64 * 1024 * 1024
# How much of a compressed member, or of a tar, is unpacked at a time.
_PIECE, _CHUNK = 4096, 1024 * 1024
_IN_MEMORY = 64 * 1024 * 1024
# A worker of a cluster reads in several threads, and a file has one position.
_SEEKING = threading.Lock()
_ENCRYPTED, _IS_UTF8 = 0x1, 0x800
_MADE_BY_DOS = 0
# What a tar ends with. One that was cut between two members looks complete to tarfile.
_TAR_END = bytes(1024)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive; `stamp` changes with its bytes, where the archive has one.

    `read` returns its bytes, None if they are too many, and may raise Unreadable.
    """

    path: str
    size: int
    stamp: str | None
    read: Callable[[], bytes | None]


def read_members(file: IO[bytes], name: str) -> Iterator[Member]:
    """Yield the files of an archive in its order; they can be read while it stays open."""
    limit = _RATIO * os.fstat(file.fileno()).st_size + _ALWAYS_ALLOWED
    if name.lower().endswith(_ZIP):
        yield from _read_zip(file, limit)
    else:
        yield from _read_tar(_decompress(file, name.lower(), limit))


def _read_zip(file: IO[bytes], limit: int) -> Iterator[Member]:
    archive = zipfile.ZipFile(file)
    infos = [info for info in archive.infolist() if not info.is_dir()]
    _refuse_bomb(sum(info.file_size for info in infos), limit)
    for info in infos:
        stamp = "-".join(map(str, info.date_time))
        mark = f"{info.file_size} {info.CRC:08x} {stamp}"
        read = partial(_read_zip_member, archive, info)
        yield Member(_name_zip_member(info), info.file_size, mark, read)


def _name_zip_member(info: zipfile.ZipInfo) -> str:
    name = info.filename
    if not info.flag_bits & _IS_UTF8:
        # Many tools write UTF-8 without saying so. Other texts in it are hardly ever valid.
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode()
    # Old tools of Windows separate folders by backslashes.
    return name.replace("\\", "/") if info.create_system == _MADE_BY_DOS else name


def _read_zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
    if stat.S_ISLNK(info.external_attr >> 16):
        raise _link()
    if info.flag_bits & _ENCRYPTED:
        raise Unreadable(
            "quarantined",
            "encrypted",
            "The member of the archive is encrypted.",
            "Put it into the archive without a password.",
        )
    if info.file_size > MAX_FILE_BYTES:
        return None
    try:
        # In pieces: all at once, it is unpacked as far as it goes, whatever size it claims.
        with archive.open(info) as member:
            data = b"".join(iter(partial(member.read, _PIECE), b""))
        if len(data) != info.file_size:
            raise zipfile.BadZipFile
    except Exception as error:
        # Each compression has an error class of its own.
        raise Unreadable(
            "quarantined",
            "broken_member",
            f"The member of the archive cannot be unpacked ({type(error).__name__}).",
            "Make the archive anew.",
        ) from error
    return data


def _read_tar(file: IO[bytes]) -> Iterator[Member]:
    """Yield the members of an uncompressed tar, or fail if it is damaged or cut."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - len(_TAR_END)))
    if file.read() != _TAR_END:
        raise tarfile.ReadError("it ends too early")
    file.seek(0)
    # Names of earlier members, which hard links stand for.
    files: dict[str, Member] = {}
    archive = tarfile.open(  # noqa: SIM115 - members are read later
        fileobj=cast("IO[bytes]", _Bounded(file, end)), mode="r:"
    )
    while info := archive.next():
        # It would keep all of them.
        archive.members.clear()  # type: ignore[attr-defined]  # it is documented
        if info.size < 0:
            raise tarfile.ReadError(f"{info.name} has a negative size")
        if info.isdir():
            continue
        member = _describe_tar_member(file, archive, info)
        if info.islnk() and info.linkname in files:
            member = replace(files[info.linkname], path=info.name)
        files[info.name] = member
        yield member
    file.seek(archive.offset)
    if any(file.read(tarfile.BLOCKSIZE)):
        # Where tarfile stops without a word.
        raise tarfile.ReadError(f"the header at byte {archive.offset} is damaged")


def _describe_tar_member(
    file: IO[bytes], archive: tarfile.TarFile, info: tarfile.TarInfo
) -> Member:
    def fail() -> bytes | None:
        raise _link() if info.islnk() or info.issym() else _not_a_file()

    if not info.isreg():
        return Member(info.name, info.size, f"{info.size} {info.type!r}", fail)
    if info.size > MAX_FILE_BYTES:
        return Member(info.name, info.size, f"{info.size} {info.mtime}", lambda: None)
    if info.issparse():
        return Member(info.name, info.size, None, partial(_read_sparse, archive, info))
    read = partial(_read_range, file, info.offset_data, info.size)
    return Member(info.name, info.size, None, read)


def _read_range(file: IO[bytes], start: int, size: int) -> bytes:
    with _SEEKING:
        file.seek(start)
        return file.read(size)


def _read_sparse(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    with _SEEKING:
        opened = archive.extractfile(info)
        return opened.read() if opened else b""


def _decompress(file: IO[bytes], name: str, limit: int) -> IO[bytes]:
    """Return the tar in a file that can be read anywhere; a large one is without a name."""
    packed: Any
    if name.endswith((".gz", ".tgz")):
        import gzip

        packed = gzip.GzipFile(fileobj=file)
    elif name.endswith(".zst"):
        try:
            from backports import zstd
        except ImportError as error:
            raise UsageError("tar.zst is an extra: pip install 'matterhouse[cloud]'") from error
        packed = zstd.ZstdFile(file)
    else:
        return file
    plain = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - members are read later
    while data := packed.read(_CHUNK):
        plain.write(data)
        _refuse_bomb(plain.tell(), limit)
    return cast("IO[bytes]", plain)


class _Bounded:
    """A file of which no header can ask for more than there is."""

    def __init__(self, file: IO[bytes], end: int) -> None:
        self._file = file
        self._end = end
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._end - self._file.tell())
        return self._file.read(left if size < 0 else min(size, left))


def _refuse_bomb(size: int, limit: int) -> None:
    if size > limit:
        raise SourceUnreadable(
            f"the archive unpacks to more than {_RATIO} times its size, as no text does; nothing of"
            " it was read"
        )


def _link() -> Unreadable:
    return Unreadable(
        "excluded",
        "symbolic_link",
        "A link in an archive is not followed.",
        "Nothing to do if its target is in the archive: it is loaded under its own path.",
    )


def _not_a_file() -> Unreadable:
    return Unreadable(
        "excluded",
        "not_a_file",
        "A pipe or device is not content.",
        "Leave it out of the archive.",
    )
