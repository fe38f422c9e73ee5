"""A zip or tar file → its members, each with what says whether it changed, and its bytes.

No member is ever written to disk, so no name can lead anywhere.
"""

import hashlib
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from flows import UsageError
from flows.source.folder import SourceUnreadable
from flows.source.read import MAX_FILE_BYTES, Unreadable

_ZIP = (".zip",)
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.zst")
SUFFIXES = (*_ZIP, *_TAR)
# Text shrinks to a tenth, and rarely to a fiftieth; a bomb to a thousandth.
_RATIO, _ALWAYS_ALLOWED = 100, 64 * 1024 * 1024
_ENCRYPTED = 0x1
_MADE_BY_DOS = 0
# What a tar ends with. One that was cut between two members looks complete to tarfile.
_TAR_END = bytes(1024)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive; `mark` changes with its bytes, `read` may raise Unreadable."""

    path: str
    mark: str
    read: Callable[[], bytes | None]


def read_members(file: IO[bytes], name: str) -> Iterator[Member]:
    """Yield the files of an archive in its order; what a tar yields has been read already."""
    limit = _RATIO * os.fstat(file.fileno()).st_size + _ALWAYS_ALLOWED
    if name.lower().endswith(_ZIP):
        yield from _read_zip(file, limit)
    else:
        yield from _read_tar(file, name.lower(), limit)


def _read_zip(file: IO[bytes], limit: int) -> Iterator[Member]:
    archive = zipfile.ZipFile(file)
    infos = [info for info in archive.infolist() if not info.is_dir()]
    _refuse_bomb(sum(info.file_size for info in infos), limit)
    for info in infos:
        stamp = "-".join(map(str, info.date_time))
        mark = f"{info.file_size} {info.CRC:08x} {stamp}"
        # Old tools of Windows separate folders by backslashes.
        is_of_dos = info.create_system == _MADE_BY_DOS
        name = info.filename.replace("\\", "/") if is_of_dos else info.filename
        yield Member(name, mark, _make_zip_reader(archive, info))


def _make_zip_reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes | None]:
    def read() -> bytes | None:
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
            return archive.read(info)
        except Exception as error:
            # Each compression has an error class of its own.
            raise Unreadable(
                "quarantined",
                "broken_member",
                f"The member of the archive cannot be unpacked ({type(error).__name__}).",
                "Make the archive anew.",
            ) from error

    return read


def _read_tar(file: IO[bytes], name: str, limit: int) -> Iterator[Member]:
    stream = _Bounded(_decompress(file, name), limit)
    claimed = 0
    with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as archive:
        for info in archive:
            # What a header claims is skipped block by block, which can take for ever.
            claimed += info.size
            _refuse_bomb(claimed, limit)
            if not info.isdir():
                yield _read_tar_member(archive, info)
        # The checksum of a compressed file stands behind the last member.
        while stream.read(io.DEFAULT_BUFFER_SIZE):
            pass
    if stream.tail != _TAR_END:
        raise tarfile.ReadError("it ends too early")


def _read_tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    def fail() -> bytes | None:
        raise _link() if info.islnk() or info.issym() else _not_a_file()

    if not info.isreg():
        return Member(info.name, f"{info.size} {info.type!r}", fail)
    if info.size > MAX_FILE_BYTES:
        return Member(info.name, f"{info.size} {info.mtime}", lambda: None)
    opened = archive.extractfile(info)
    data = opened.read() if opened else b""
    digest = hashlib.blake2b(data, digest_size=16).hexdigest()
    return Member(info.name, f"{info.size} {digest}", lambda: data)


def _decompress(file: IO[bytes], name: str) -> Any:
    if name.endswith((".gz", ".tgz")):
        import gzip

        return gzip.GzipFile(fileobj=file)
    if name.endswith(".zst"):
        try:
            from backports import zstd
        except ImportError as error:
            raise UsageError("tar.zst is an extra: pip install 'matterhouse[cloud]'") from error
        return zstd.ZstdFile(file)
    return file


class _Bounded:
    """A stream that gives no more than `limit` bytes, and remembers the last ones."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._given = 0
        self.tail = b""

    def read(self, size: int) -> bytes:
        # One read of a header that claims gigabytes must not take them all.
        data: bytes = self._stream.read(min(size, self._limit - self._given + 1))
        self._given += len(data)
        self.tail = (self.tail + data)[-len(_TAR_END) :] if data else self.tail
        _refuse_bomb(self._given, self._limit)
        return data


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
