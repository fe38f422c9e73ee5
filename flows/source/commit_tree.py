"""A commit as a source: `FOLDER@REVISION`, or a bare repository, read without a checkout."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from flows.source import git
from flows.source.folder import Listing, too_large
from flows.source.git import NoHistory, Repository
from flows.source.patterns import DEFAULT_PATTERNS, PathFilter
from flows.source.read import MAX_FILE_BYTES, Read, from_bytes


def named(source: Path) -> tuple[Path, str] | None:
    """Split FOLDER@REVISION into folder and revision; None for any other path."""
    if git.is_bare(source):
        return source, "HEAD"
    text = str(source)
    if "@" not in text or source.exists():
        return None
    signs = (at for at, sign in enumerate(text) if sign == "@")
    return next(
        ((Path(text[:at]), text[at + 1 :]) for at in signs if Path(text[:at]).is_dir()), None
    )


def repository_of(source: Path) -> Repository | None:
    """Return the repository of a source, at the commit that the source names."""
    return git.find_repository(*(named(source) or (source, "HEAD")))


def walk(
    source: Path, patterns: Sequence[str] = DEFAULT_PATTERNS, exclude: Sequence[str] = ()
) -> Listing:
    """List the files of the commit that the patterns choose; a mark is a size and a blob."""
    repository = _require(source)
    tree = git.read_tree(repository)
    accepts = PathFilter(patterns, exclude).accepts
    blobs = {path: blob for path, blob in sorted(tree.items()) if accepts(path)}
    sizes = git.read_sizes(repository, list(dict.fromkeys(blobs.values()))) if blobs else {}
    faults = {path: too_large() for path, blob in blobs.items() if sizes[blob] > MAX_FILE_BYTES}
    marks = [mark(sizes[blob], blob) for blob in blobs.values()]
    return Listing(list(blobs), marks, faults, len(tree) - len(blobs))


def mark(size: int, blob: str) -> str:
    """Return what says where the bytes of a file are, and whether they are another's."""
    return f"{size} {blob}"


@contextmanager
def reader(
    source: Path, paths: Sequence[str], marks: Mapping[str, str]
) -> Iterator[Callable[[str], Read]]:
    """Give what reads these paths, each once and in their order."""
    with blob_reader(_require(source).folder, paths, marks) as read:
        yield read


@contextmanager
def blob_reader(
    repository: Path | str, paths: Sequence[str], marks: Mapping[str, str]
) -> Iterator[Callable[[str], Read]]:
    """Give what reads the blobs that the marks of these paths name."""
    blobs = git.read_blobs(Path(repository), [marks[path].partition(" ")[2] for path in paths])
    yield lambda path: from_bytes(next(blobs), marks[path])


def _require(source: Path) -> Repository:
    repository = repository_of(source)
    if repository is None or repository.commit is None:
        raise NoHistory(f"{source} has no commit to read")
    return repository
