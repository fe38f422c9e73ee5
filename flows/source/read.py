"""One file of the source → its bytes, their hash, and the signature that the file system gives."""

import hashlib
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from flows.source import time_limit

# Curated articles are a few kB; what is larger than this is not one, and is only hashed.
MAX_FILE_BYTES = 32 * 1024 * 1024
_CHUNK = 1024 * 1024
# Coarse clocks of file systems: a file written this recently can change again without a trace.
_RACY_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Signature:
    """A file's size, and a mark that is another one when its bytes may be; without, they may."""

    size_bytes: int
    mark: str | None


# Bytes (None if too large), their hash, and the signature.
Read: TypeAlias = tuple[bytes | None, str, Signature]
# Reads the file at a path; raises Unreadable for what is wrong with it.
Reader: TypeAlias = Callable[[str], Read]


class Unreadable(Exception):
    """The file cannot be read, for a reason that its ledger row explains.

    `status` is quarantined, excluded, or missed: it was there, and the next run may be luckier.
    """

    def __init__(self, status: str, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.fields = (status, code, message, hint)


def from_bytes(data: bytes, mark: str | None = None) -> Read:
    """Return what `read` would return for a file with these bytes, wherever they come from."""
    content_hash = hashlib.blake2b(data, digest_size=16).hexdigest()
    return data, content_hash, Signature(len(data), mark)


def read(location: str) -> Read:
    """Return a file's bytes (None if too large), their hash and a signature that fits them."""
    try:
        # A FIFO must not block the run, and a link must not lead out of the source.
        descriptor = os.open(location, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _explain_unopened(location, error) from error
    try:
        for _ in range(3):
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise _not_a_file(before.st_mode)
            data, content_hash = _read_and_hash(descriptor, before.st_size)
            after = os.fstat(descriptor)
            if _take_stamp(before) == _take_stamp(after):
                return data, content_hash, _sign(after)
            os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError as error:
        raise Unreadable(
            "quarantined",
            "unreadable",
            f"The file cannot be read ({error.strerror}).",
            "Check the disk and the file; the next run tries again.",
        ) from error
    finally:
        os.close(descriptor)
    raise Unreadable(
        "missed",
        "changing",
        "The file kept changing while it was read.",
        "Nothing to do if it is still being written: the next run tries again.",
    )


def _read_and_hash(descriptor: int, size: int) -> tuple[bytes | None, str]:
    digest = hashlib.blake2b(digest_size=16)
    if size <= MAX_FILE_BYTES:
        data = os.read(descriptor, size + 1)
        # One byte more was asked for: with `size` bytes the end is reached, as it nearly always is.
        # A file that grows as fast as it is read must not fill the memory.
        while size != len(data) <= MAX_FILE_BYTES and (more := os.read(descriptor, _CHUNK)):
            data += more
        digest.update(data)
        return data, digest.hexdigest()
    while chunk := os.read(descriptor, _CHUNK):
        # Only hashed, and as slowly as the file is large: no fault of the file.
        time_limit.start_file()
        digest.update(chunk)
    return None, digest.hexdigest()


def _take_stamp(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def mark(status: os.stat_result) -> str:
    """Return what changes when a file's bytes may have changed: size, both times and inode."""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def _sign(found: os.stat_result) -> Signature:
    now = time.time_ns()
    # Whoever sets a file's time to another year changes its ctime: only recent times are racy.
    racy = found.st_ctime_ns > now - _RACY_NS or abs(found.st_mtime_ns - now) < _RACY_NS
    return Signature(found.st_size, None if racy else mark(found))


def _explain_unopened(location: str, error: OSError) -> Unreadable:
    try:
        mode = os.lstat(location).st_mode
    except FileNotFoundError:
        return Unreadable(
            "missed",
            "vanished",
            "The file vanished while the source was read.",
            "Nothing to do: the next run counts it as gone, or loads it if it is back.",
        )
    except OSError:
        mode = stat.S_IFREG
    if not stat.S_ISREG(mode):
        return _not_a_file(mode)
    return Unreadable(
        "quarantined",
        "unreadable",
        f"The file cannot be opened ({error.strerror}).",
        "Give the account that runs the build permission to read the file.",
    )


def _not_a_file(mode: int) -> Unreadable:
    if stat.S_ISLNK(mode):
        return Unreadable(
            "excluded",
            "symbolic_link",
            "A symbolic link is not followed.",
            "Nothing to do if its target is below the source: it is loaded under its own path.",
        )
    return Unreadable(
        "excluded",
        "not_a_file",
        "A pipe, socket or device is not content.",
        "Move it out of the source.",
    )
