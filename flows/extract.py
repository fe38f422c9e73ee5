"""A batch of paths → documents and rejects: the only stage that reads the source's files."""

import contextlib
import hashlib
import os
import re
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flows import frontmatter, limit
from flows.scan import Fault, Plan

# Curated articles are a few kB; what is larger than this is not one, and is only hashed.
MAX_FILE_BYTES = 32 * 1024 * 1024
_CHUNK = 1024 * 1024
# Coarse clocks of file systems: a file written this recently can change again without a trace.
_RACY_NS = 2_000_000_000
_YAML_SUFFIXES = (".yaml", ".yml")
_HAS_TAXONOMY = re.compile(rb"^[\"']?taxonomy[\"']?[ \t]*:", re.MULTILINE)
_TAXONOMY_KINDS = ("topic", "organization")


@dataclass(frozen=True, slots=True)
class Signature:
    """What the file system says of a file: bytes, and ns since 1970."""

    size_bytes: int
    mtime_ns: int | None
    ctime_ns: int | None
    inode: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file whose front matter could be read; `kind` is article, topic or organization."""

    path: str
    content_hash: str
    signature: Signature
    kind: str
    front_matter: frontmatter.FrontMatter
    data: bytes

    @property
    def is_whole_file(self) -> bool:
        """Whether the file is YAML as a whole."""
        return self.path.casefold().endswith(_YAML_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Reject:
    """A file that is not loaded; `status` is quarantined (mend it) or excluded (not ours)."""

    path: str
    content_hash: str | None
    signature: Signature | None
    status: str
    code: str
    message: str
    hint: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Same:
    """A file that was touched but holds the bytes that are already loaded."""

    path: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class Batch:
    """Files to read below `source`; `known` maps a path to the hash of its loaded bytes."""

    source: Path
    paths: tuple[str, ...]
    known: Mapping[str, str]
    faults: Mapping[str, Fault]
    parser: frontmatter.Parser = "fast"


@dataclass(frozen=True, slots=True)
class Extracted:
    """What became of every path of a batch, each in exactly one of the lists."""

    documents: list[Document]
    rejects: list[Reject]
    same: list[Same]


class _Unreadable(Exception):
    """The file cannot be read, for a reason that its ledger row explains."""

    def __init__(self, status: str, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.fields = (status, code, message, hint)


def batches(
    source: Path,
    plan: Plan,
    faults: Mapping[str, Fault],
    size: int,
    parser: frontmatter.Parser = "fast",
) -> list[Batch]:
    """Cut the files to read into batches of `size` files, in order of path."""
    cuts = range(0, len(plan.to_read), size)
    return [
        Batch(
            source,
            tuple(paths),
            {path: plan.known[path] for path in paths if path in plan.known},
            {path: faults[path] for path in paths if path in faults},
            parser,
        )
        for paths in (plan.to_read[start : start + size] for start in cuts)
    ]


def extract(batch: Batch) -> Extracted:
    """Read every file of a batch; a fault of one file never touches another."""
    found = Extracted([], [], [])
    with limit.watched():
        for path in batch.paths:
            limit.next_file()
            outcome = _outcome(batch, path)
            if isinstance(outcome, Document):
                found.documents.append(outcome)
            elif isinstance(outcome, Reject):
                found.rejects.append(outcome)
            else:
                found.same.append(outcome)
    return found


def unread(batch: Batch, path: str, code: str, message: str, hint: str) -> Reject:
    """Quarantine a file that the reader cannot survive, with what tells whether it changes."""
    content_hash: str | None = None
    signature: Signature | None = None
    with contextlib.suppress(_Unreadable):
        _, content_hash, signature = _read(f"{batch.source}/{path}")
    return Reject(path, content_hash, signature, "quarantined", code, message, hint)


def _outcome(batch: Batch, path: str) -> Document | Reject | Same:
    if fault := batch.faults.get(path):
        return Reject(path, None, None, "quarantined", fault.code, fault.message, fault.hint)
    signature: Signature | None = None
    content_hash: str | None = None
    try:
        data, content_hash, signature = _read(f"{batch.source}/{path}")
        if batch.known.get(path) == content_hash:
            return Same(path, signature)
        if data is None:
            raise _Unreadable(
                "quarantined",
                "file_too_large",
                f"The file is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB.",
                "Move large content out of the file, or leave it out with --pattern.",
            )
        return _document(batch, path, data, content_hash, signature)
    except _Unreadable as error:
        return Reject(path, content_hash, signature, *error.fields)
    except frontmatter.BrokenFrontMatter as error:
        return Reject(
            path,
            content_hash,
            signature,
            "quarantined",
            error.code,
            error.message,
            error.hint,
            error.line,
            error.column,
        )


def _document(
    batch: Batch, path: str, data: bytes, content_hash: str, signature: Signature
) -> Document:
    whole_file = path.casefold().endswith(_YAML_SUFFIXES)
    if whole_file and not data.startswith(b"---") and not _HAS_TAXONOMY.search(data):
        raise _Unreadable(
            "excluded",
            "not_taxonomy",
            "A YAML file without a `taxonomy` key is not content.",
            "Nothing to do, unless it should be one: add `taxonomy: topic` or `organization`.",
        )
    found = frontmatter.read(data, whole_file=whole_file, parser=batch.parser)
    if found is None:
        raise _Unreadable(
            "excluded",
            "no_front_matter",
            "The file does not begin with front matter.",
            "Nothing to do, unless it should be an article: begin it with a line of ---.",
        )
    kind = found.fields.get("taxonomy", "article" if not whole_file else "")
    if not isinstance(kind, str) or kind not in ("article", *_TAXONOMY_KINDS):
        raise _Unreadable(
            "excluded",
            "unknown_taxonomy",
            "Only taxonomy files of the kinds topic and organization are loaded.",
            "Nothing to do, unless `taxonomy` should say topic or organization.",
        )
    return Document(path, content_hash, signature, str(kind), found, data)


def _read(location: str) -> tuple[bytes | None, str, Signature]:
    """Return a file's bytes (None if too large), their hash and a signature that fits them."""
    try:
        # A FIFO must not block the run, and a link must not lead out of the source.
        descriptor = os.open(location, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _why_not_opened(location, error) from error
    try:
        for _ in range(3):
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise _not_a_file(before.st_mode)
            data, content_hash = _bytes_and_hash(descriptor, before.st_size)
            after = os.fstat(descriptor)
            if _settled(before) == _settled(after):
                return data, content_hash, _signature(after)
            os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError as error:
        raise _Unreadable(
            "quarantined",
            "unreadable",
            f"The file cannot be read ({error.strerror}).",
            "Check the disk and the file; the next refresh tries again.",
        ) from error
    finally:
        os.close(descriptor)
    raise _Unreadable(
        "quarantined",
        "changing",
        "The file kept changing while it was read.",
        "Nothing to do if it is still being written: the next refresh tries again.",
    )


def _bytes_and_hash(descriptor: int, size: int) -> tuple[bytes | None, str]:
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
        limit.next_file()  # Only hashed, and as slowly as the file is large: no fault of the file.
        digest.update(chunk)
    return None, digest.hexdigest()


def _settled(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _signature(found: os.stat_result) -> Signature:
    racy = max(found.st_mtime_ns, found.st_ctime_ns) > time.time_ns() - _RACY_NS
    return Signature(
        found.st_size,
        None if racy else found.st_mtime_ns,
        None if racy else found.st_ctime_ns,
        # Some file systems use the whole 64 bits; the ledger's column is signed.
        found.st_ino if found.st_ino < 1 << 63 else found.st_ino - (1 << 64),
    )


def _why_not_opened(location: str, error: OSError) -> _Unreadable:
    try:
        mode = os.lstat(location).st_mode
    except FileNotFoundError:
        return _Unreadable(
            "quarantined",
            "vanished",
            "The file vanished while the source was read.",
            "Nothing to do: the next refresh counts it as gone, or loads it if it is back.",
        )
    except OSError:
        mode = stat.S_IFREG
    if not stat.S_ISREG(mode):
        return _not_a_file(mode)
    return _Unreadable(
        "quarantined",
        "unreadable",
        f"The file cannot be opened ({error.strerror}).",
        "Give the account that runs the refresh permission to read the file.",
    )


def _not_a_file(mode: int) -> _Unreadable:
    if stat.S_ISLNK(mode):
        return _Unreadable(
            "excluded",
            "symbolic_link",
            "A symbolic link is not followed.",
            "Nothing to do if its target is below the source: it is loaded under its own path.",
        )
    return _Unreadable(
        "excluded",
        "not_a_file",
        "A pipe, socket or device is not content.",
        "Move it out of the source.",
    )
