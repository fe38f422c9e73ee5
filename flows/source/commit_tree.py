"""A commit as a source: `FOLDER@REVISION`, or a bare repository, read without a checkout."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.source import git
from flows.source.folder import Listing, too_large
from flows.source.git import Repository
from flows.source.git_process import NoHistory
from flows.source.patterns import PathFilter
from flows.source.read import MAX_FILE_BYTES, Reader, from_bytes


def split_revision(source: Path) -> tuple[Path, str] | None:
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


def find_repository(source: Path, revision: str | None = None) -> Repository | None:
    """Return the repository of a source, at a revision or at the commit that the source names."""
    folder, named = split_revision(source) or (source, "HEAD")
    return git.find_repository(folder, revision or named)


def walk(source: Path, chosen: PathFilter) -> Listing:
    """List the files of the commit that are chosen; a mark is a size and a blob."""
    repository = _require(source)
    tree = git.read_tree(repository)
    blobs = {path: blob for path, blob in sorted(tree.items()) if chosen.accepts(path)}
    sizes = git.read_sizes(repository, list(dict.fromkeys(blobs.values()))) if blobs else {}
    faults = {path: too_large() for path, blob in blobs.items() if sizes[blob] > MAX_FILE_BYTES}
    marks = [mark(sizes[blob], blob) for blob in blobs.values()]
    return Listing(list(blobs), marks, faults, len(tree) - len(blobs))


def mark(size: int, blob: str) -> str:
    """Return what says where the bytes of a file are, and whether they are another's."""
    return f"{size} {blob}"


def make_reader(source: Path, paths: Sequence[str], marks: Mapping[str, str]) -> Reader:
    """Return what reads these paths, each once and in their order."""
    return make_blob_reader(_require(source).folder, paths, marks)


def make_blob_reader(
    repository: Path | str, paths: Sequence[str], marks: Mapping[str, str]
) -> Reader:
    """Return what reads the blobs that the marks of these paths name."""
    blobs = git.read_blobs(Path(repository), [marks[path].partition(" ")[2] for path in paths])
    return lambda path: from_bytes(next(blobs), marks[path])


def _require(source: Path) -> Repository:
    repository = find_repository(source)
    if repository is None or repository.commit is None:
        raise NoHistory(f"{source} has no commit to read")
    return repository
