"""A batch of paths → documents and rejects: the only stage that reads the source's files."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field

from flows import config, frontmatter
from flows.config import Config, Terms
from flows.source import commit_tree, sources, time_limit
from flows.source.classify import classify, is_whole_file
from flows.source.folder import PathError, too_large
from flows.source.read import Read, Reader, Signature, Unreadable
from flows.source.sources import Location
from flows.source.states import to_state

# The bodies of a batch would fill the memory: a longer one is let go as soon as it is counted.
_KEPT_BODY_CHARS = 10_000
_AHEAD_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class Document:
    """A file whose front matter could be read; `kind` is article, topic or organization."""

    path: str
    content_hash: str
    signature: Signature
    kind: str
    front_matter: frontmatter.FrontMatter
    data: bytes  # without a long body
    terms: Terms | None = None
    file: str = ""  # its path in the source, where `path` names a blob of the past

    @property
    def is_whole_file(self) -> bool:
        """Whether the file is YAML as a whole."""
        return is_whole_file(self.path)


@dataclass(frozen=True, slots=True)
class Reject:
    """A file that is not loaded: quarantined (fix it), excluded (not an article) or missed.

    A missed one vanished or changed under the reader's hands: what is known of it stays.
    """

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
class Unchanged:
    """A file that was touched but holds the bytes that are already loaded.

    The mark of a blob of the past names the blob that says the same.
    """

    path: str
    content_hash: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class Batch:
    """Files to read below `source`; `known` maps a path to the hash of its loaded bytes.

    `marks` are those of the listing, which sources without files of their own need. A batch that
    `is_past` comes from no listing: its source is a git repository, its marks name blobs there, and
    `commits` says how many commits are read once these blobs are.
    """

    source: Location
    paths: tuple[str, ...]
    known: Mapping[str, str]
    faults: Mapping[str, PathError]
    marks: Mapping[str, str] = field(default_factory=dict)
    is_past: bool = False
    commits: int = 0
    mapping: Config = field(default_factory=config.load_default)

    @property
    def steps(self) -> int:
        """Count what progress is told in: files, or commits."""
        return self.commits if self.is_past else len(self.paths)


@dataclass(frozen=True, slots=True)
class Extracted:
    """What became of every path of a batch, each in exactly one of the lists."""

    documents: list[Document]
    rejects: list[Reject]
    same: list[Unchanged]


def extract(batch: Batch) -> Extracted:
    """Read every file of a batch; a fault of one file never touches another."""
    found = Extracted([], [], [])
    states: dict[Hashable, str] = {}
    readable = [path for path in batch.paths if path not in batch.faults]
    with _open_reader(batch, readable) as read, time_limit.watch():
        for path, content in _read_ahead(batch, read):
            time_limit.start_file()
            outcome = content if isinstance(content, Reject) else _judge(batch, path, *content)
            if batch.is_past and isinstance(outcome, Document):
                outcome = _compare_with_earlier(outcome, states, batch.mapping)
            if isinstance(outcome, Document):
                found.documents.append(outcome)
            elif isinstance(outcome, Reject):
                found.rejects.append(outcome)
            else:
                found.same.append(outcome)
    return found


def _compare_with_earlier(
    document: Document, states: dict[Hashable, str], mapping: Config
) -> Document | Unchanged:
    """Return the document, unless an earlier state of its file said the same."""
    said = (document.file, to_state(document.front_matter.fields, mapping.reading))
    earlier = states.setdefault(said, document.path)
    if earlier == document.path:
        return document
    signature = Signature(document.signature.size_bytes, earlier)
    return Unchanged(document.path, document.content_hash, signature)


def _open_reader(batch: Batch, paths: Sequence[str]) -> AbstractContextManager[Reader]:
    if batch.is_past:
        return nullcontext(commit_tree.make_blob_reader(batch.source, paths, batch.marks))
    return sources.open_reader(batch.source, paths, batch.marks)


def unread(batch: Batch, path: str, code: str, message: str, hint: str) -> Reject:
    """Quarantine a file that crashes the reader, with the mark that shows when it changes."""
    content_hash: str | None = None
    signature: Signature | None = None
    with suppress(Unreadable), sources.open_reader(batch.source, [path], batch.marks) as read:
        _, content_hash, signature = read(path)
    return Reject(path, content_hash, signature, "quarantined", code, message, hint)


def _read_ahead(batch: Batch, read: Reader) -> Iterator[tuple[str, Read | Reject]]:
    """Read files by the dozen: calls of the system in between slow the parser by a tenth."""
    ahead: list[tuple[str, Read | Reject]] = []
    size = 0
    for path in batch.paths:
        time_limit.start_file()
        content = _read_file(batch, path, read)
        ahead.append((path, content))
        size += 0 if isinstance(content, Reject) else len(content[0] or b"")
        if size > _AHEAD_BYTES:
            yield from ahead
            ahead, size = [], 0
    yield from ahead


def _read_file(batch: Batch, path: str, read: Reader) -> Read | Reject:
    if fault := batch.faults.get(path):
        return Reject(path, None, None, "quarantined", fault.code, fault.message, fault.hint)
    try:
        return read(path)
    except Unreadable as error:
        return Reject(path, None, None, *error.fields)


def _judge(
    batch: Batch, path: str, data: bytes | None, content_hash: str, signature: Signature
) -> Document | Reject | Unchanged:
    if batch.known.get(path) == content_hash:
        return Unchanged(path, content_hash, signature)
    try:
        if data is None:
            fault = too_large()
            raise Unreadable("quarantined", fault.code, fault.message, fault.hint)
        return _to_document(batch, path, data, content_hash, signature)
    except Unreadable as error:
        return Reject(path, content_hash, signature, *error.fields)
    except frontmatter.BrokenFrontMatter as error:
        return Reject(path, content_hash, signature, "quarantined", *error.args)


def _to_document(
    batch: Batch, path: str, data: bytes, content_hash: str, signature: Signature
) -> Document:
    file = path.partition("/")[2] if batch.is_past else path
    found = classify(file, data, batch.mapping)
    if found.front_matter.body_chars > _KEPT_BODY_CHARS:
        data = frontmatter.cut_body(data, whole_file=is_whole_file(file))
    return Document(
        path, content_hash, signature, found.kind, found.front_matter, data, found.terms, file
    )
