"""What a git repository says of a source: its commits, what each one changed, and the bytes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from flows.source import git_process
from flows.source.git_process import NoHistory

_CHUNK = 1024 * 1024
# Modes of files; anything else at a path (a link, another repository) is no content.
_FILE_MODES = (b"100644", b"100755", b"100664")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, the source's folder in it (`prefix`, empty or with a / at its end), a commit.

    `commit` is None in a repository without commits.
    """

    folder: Path
    prefix: str
    commit: str | None
    is_shallow: bool = False


class Commit(NamedTuple):
    """A commit and its committer's time in seconds since 1970."""

    commit: str
    seconds: int


class Change(NamedTuple):
    """What a commit did to a file of the source: its blobs before and after, None for no file."""

    commit: str
    path: str
    before: str | None
    after: str | None


def find_repository(source: Path, revision: str = "HEAD") -> Repository | None:
    """Return the repository that the source lies in, or is (a bare one); None if there is none."""
    inside = source.resolve()
    if not is_bare(inside) and not any((up / ".git").exists() for up in (inside, *inside.parents)):
        return None
    arguments = ("--is-shallow-repository", "--show-cdup", "--show-prefix")
    shallow, up, prefix = git_process.read(inside, "rev-parse", *arguments).split("\n", 2)
    top, prefix = (inside / up).resolve(), prefix.removesuffix("\n")
    if top / prefix != inside:  # Whatever lies there, nobody asked for it.
        raise NoHistory(
            f"the repository of {inside} says (core.worktree) that its files are in {top}: build"
            " that folder, or build with --no-history"
        )
    _refuse_foreign(top)
    return Repository(top, prefix, _commit_id(top, revision), is_shallow=shallow == "true")


def _refuse_foreign(top: Path) -> None:
    """Refuse the past of another folder, to which files of a stranger's archive may point."""
    arguments = ("--absolute-git-dir", "--git-path", "objects/info/alternates")
    own, alternates, *_ = (
        top / line for line in git_process.read(top, "rev-parse", *arguments).split("\n")
    )
    pointer, back = top / ".git", own / "gitdir"
    # A second work tree is known to its repository, a submodule has its place in core.worktree.
    is_known = back.is_file() and (own / back.read_text().strip()).resolve() == pointer.resolve()
    is_there = not pointer.is_symlink() and (pointer.is_dir() or own == top)
    if not (
        is_there or is_known or git_process.succeeds(top, "config", "--local", "core.worktree")
    ):
        raise NoHistory(
            f"{pointer} leads to {own}, which knows nothing of it: if both are yours, say"
            f" `git -C {top} config core.worktree {top}`, or build with --no-history"
        )
    lines = alternates.read_text().splitlines() if alternates.is_file() else []
    for line in lines:
        store = (alternates.parents[1] / line).resolve()
        if not store.is_relative_to(top):
            raise NoHistory(
                f"{alternates} leads to the objects of another repository, {store}: if they are"
                f" yours, say `git repack -a -d` and remove that file, or build with --no-history"
            )


def is_bare(folder: Path) -> bool:
    """Return whether the folder is a repository without a work tree."""
    return all((folder / name).exists() for name in ("HEAD", "objects", "refs"))


def _commit_id(folder: Path, revision: str) -> str | None:
    arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    try:
        return git_process.read(folder, *arguments).strip()
    except NoHistory as error:
        if revision == "HEAD":
            return None
        raise NoHistory(f"{folder} has no commit {revision}: `git log` lists them") from error


def refuse_shallow(repository: Repository) -> None:
    """Raise NoHistory for a clone whose oldest commit would seem to add everything."""
    if repository.is_shallow:
        raise NoHistory(
            f"{repository.folder} is a shallow clone, most of its history is elsewhere: get it with"
            " `git fetch --unshallow`, or build with --no-history"
        )


def is_ancestor(repository: Repository, commit: str) -> bool:
    """Return whether `commit`, which may be gone, led to the repository's."""
    return git_process.succeeds(
        repository.folder, "merge-base", "--is-ancestor", commit, str(repository.commit)
    )


def has_commit(repository: Repository, commit: str) -> bool:
    """Return whether a commit is there, as a rewritten one is until git collects it."""
    return git_process.succeeds(repository.folder, "cat-file", "-e", f"{commit}^{{commit}}")


def read_commits(repository: Repository, after: str | None = None) -> list[Commit]:
    """List the commits that led to the repository's, along first parents, oldest first.

    A merge is one step, as it was for whoever looked at the branch. `after` and what led to it are
    left out.
    """
    if repository.commit is None:
        return []
    span = repository.commit if after is None else f"{after}..{repository.commit}"
    arguments = ("rev-list", "--first-parent", "--reverse", "--timestamp", span, "--")
    found = (line.split() for line in git_process.read(repository.folder, *arguments).splitlines())
    return [Commit(commit, int(seconds)) for seconds, commit in found]


def read_changes(
    repository: Repository, commits: Sequence[Commit], after: str | None = None
) -> Iterator[Change]:
    """Compare each commit with the one before it in the list, the first with `after`.

    So the changes add up to the tree of each commit, whatever was merged or rewritten.
    """
    names = [commit for commit, _ in commits]
    pairs = zip(names, [after, *names], strict=False)
    questions = "".join(f"{commit} {before or ''}\n" for commit, before in pairs)
    options = ("--stdin", "-r", "-z", "--root", "--raw", "--no-renames", "--no-abbrev")
    tokens = _read_tokens(repository, "diff-tree", *options, questions=questions)
    commit = ""
    for token in tokens:
        if not token.startswith(b":"):
            commit = token.decode()
            continue
        mode_before, mode_after, before_id, after_id, _ = token[1:].split()
        if path := _decode_path(repository, next(tokens)):
            before_blob = before_id.decode() if mode_before in _FILE_MODES else None
            after_blob = after_id.decode() if mode_after in _FILE_MODES else None
            yield Change(commit, path, before_blob, after_blob)


def read_moves_in(
    repository: Repository, pairs: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield each file that moved into the source from outside: a commit, and the path it left.

    `pairs` are commits, each with the one before it.
    """
    whole = replace(repository, prefix="")
    questions = "".join(f"{commit} {before}\n" for commit, before in pairs)
    options = ("--stdin", "-r", "-z", "--raw", "--find-renames", "--diff-filter=R")
    tokens = _read_tokens(whole, "diff-tree", *options, questions=questions)
    inside = repository.prefix.encode()
    commit = ""
    for token in tokens:
        if not token.startswith(b":"):
            commit = token.decode()
            continue
        left, taken = next(tokens), next(tokens)
        if taken.startswith(inside) and not left.startswith(inside):
            yield commit, left.decode(errors="replace")


def read_tree(repository: Repository) -> dict[str, str]:
    """Return the blob of every file that the repository's commit holds below the source."""
    blobs: dict[str, str] = {}
    options = ("-r", "-z", "--full-tree", str(repository.commit))
    for token in _read_tokens(repository, "ls-tree", *options):
        facts, _, name = token.partition(b"\t")
        mode, _, blob = facts.split()
        if mode in _FILE_MODES and (path := _decode_path(repository, name)):
            blobs[path] = blob.decode()
    return blobs


def _read_tokens(repository: Repository, *arguments: str, questions: str = "") -> Iterator[bytes]:
    where = ("--", repository.prefix) if repository.prefix else ()
    with git_process.run(repository.folder, (*arguments, *where), questions) as output:
        rest = b""
        while chunk := output.read(_CHUNK):
            *tokens, rest = (rest + chunk).split(b"\0")
            yield from tokens


def _decode_path(repository: Repository, name: bytes) -> str | None:
    """Return the path below the source; None if it is not UTF-8, which is never loaded."""
    try:
        return name.decode().removeprefix(repository.prefix)
    except UnicodeDecodeError:
        return None


def read_sizes(repository: Repository, blobs: Sequence[str]) -> dict[str, int]:
    """Return the size of each blob in bytes; raise NoHistory if one is not in this clone."""
    sizes: dict[str, int] = {}
    arguments, questions = ("cat-file", "--batch-check", "--buffer"), "\n".join(blobs)
    with git_process.run(repository.folder, arguments, questions) as output:
        for line in output:
            blob, kind, *size = line.decode().split()
            if kind == "missing":
                raise git_process.explain_partial_clone(repository.folder)
            sizes[blob] = int(size[0])
    return sizes


def read_blobs(folder: Path, blobs: Sequence[str]) -> Iterator[bytes]:
    """Give the bytes of each blob of the repository in `folder`, in this order."""
    with git_process.run(folder, ("cat-file", "--batch", "--buffer"), "\n".join(blobs)) as output:
        for blob in blobs:
            header = output.readline().split()
            if len(header) != 3:  # `<blob> missing`, where it is damaged too
                raise git_process.explain_failure(folder, f"fatal: {blob} cannot be read")
            yield output.read(int(header[2]))
            output.read(1)
