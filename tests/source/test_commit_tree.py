"""A commit as a source: FOLDER@REVISION, and a bare repository."""

from pathlib import Path

import pytest

from flows.source import commit_tree, folder
from flows.source.git_process import NoHistory
from flows.source.patterns import PathFilter
from tests.repositories import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Give a repository with two commits, the first of which has a tag."""
    repository = Repository(tmp_path / "content")
    repository.write("a.md", "one")
    repository.write("_news/b.md", "two")
    repository.write("picture.png", "no content")
    repository.commit()
    repository.git("tag", "v1.0")
    repository.write("a.md", "three")
    repository.commit()
    return repository


def contents(source: Path) -> dict[str, bytes | None]:
    """Return what a reader gives for every path that is listed."""
    listing = commit_tree.walk(source, PathFilter())
    marks = dict(zip(listing.paths, listing.marks, strict=True))
    read_path = commit_tree.make_reader(source, listing.paths, marks)
    return {path: read_path(path)[0] for path in listing.paths}


def test_a_revision_is_listed_and_read_without_a_checkout(repository: Repository) -> None:
    """Also when it is not the one that is checked out, and when its name has signs in it."""
    old = {"_news/b.md": b"two", "a.md": b"one"}
    repository.git("branch", "an@odd/name", "v1.0")
    for revision in ("v1.0", "HEAD~1", "an@odd/name", "HEAD@{1}"):
        assert contents(Path(f"{repository.folder}@{revision}")) == old
    assert contents(Path(f"{repository.folder}@main")) == old | {"a.md": b"three"}
    assert contents(Path(f"{repository.folder / '_news'}@main")) == {"b.md": b"two"}


def test_a_bare_repository_stands_for_its_last_commit(
    repository: Repository, tmp_path: Path
) -> None:
    """It has nothing else to read."""
    bare = tmp_path / "bare.git"
    repository.git("clone", "-q", "--bare", ".", str(bare))
    assert contents(bare) == {"_news/b.md": b"two", "a.md": b"three"}
    assert contents(Path(f"{bare}@v1.0"))["a.md"] == b"one"


def test_files_that_are_not_chosen_are_counted(repository: Repository) -> None:
    """As in a walk over a folder; a mark is there for what is, and changes with the bytes."""
    then, now = (Path(f"{repository.folder}@{name}") for name in ("v1.0", "main"))
    listed = [commit_tree.walk(source, PathFilter(exclude=["_news/"])) for source in (then, now)]
    assert [(listing.paths, listing.ignored) for listing in listed] == [(["a.md"], 2)] * 2
    assert listed[0].marks != listed[1].marks
    assert [marks[0].split()[0] for marks in (listed[0].marks, listed[1].marks)] == ["3", "5"]


def test_a_file_over_the_limit_is_a_fault(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is known before it is read."""
    monkeypatch.setattr(commit_tree, "MAX_FILE_BYTES", 4)
    listing = commit_tree.walk(Path(f"{repository.folder}@main"), PathFilter())
    assert listing.faults == {"a.md": folder.too_large()}


def test_other_paths_are_no_commits(repository: Repository, tmp_path: Path) -> None:
    """A folder, one with the sign in its name, and one that is not there."""
    (tmp_path / "content@home").mkdir()
    for path in (repository.folder, tmp_path / "content@home", tmp_path / "nothing@v1.0"):
        assert commit_tree.split_revision(path) is None


def test_a_revision_that_is_not_there_is_named(repository: Repository, tmp_path: Path) -> None:
    """So is a folder that lies in no repository."""
    (tmp_path / "plain").mkdir()
    with pytest.raises(NoHistory, match=r"has no commit v2\.0"):
        commit_tree.walk(Path(f"{repository.folder}@v2.0"), PathFilter())
    with pytest.raises(NoHistory, match="has no commit to read"):
        commit_tree.walk(tmp_path / "plain@v1.0", PathFilter())
