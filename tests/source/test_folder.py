"""The walk over a source, and its comparison with the ledger."""

import contextlib
import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from flows.source.folder import (
    Listing,
    SourceMissing,
    look_again,
    walk,
)
from flows.source.patterns import PathFilter

SOURCE = Path("content")


def touch(folder: Path, *names: str) -> Path:
    """Make empty files below the folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_a_walk_lists_what_matches(tmp_path: Path) -> None:
    """Each matching file once, by its path below the source; the rest is counted."""
    touch(tmp_path, "b.md", "a/z.md", "a.md", "a-b.md", "A.HTML", "t.yml", "x.png", "a/no_suffix")
    listing = walk(tmp_path, PathFilter())
    assert (sorted(listing.paths), listing.ignored, listing.faults) == (
        ["A.HTML", "a-b.md", "a.md", "a/z.md", "b.md", "t.yml"],
        2,
        {},
    )


def test_a_listing_has_a_mark_for_each_file(tmp_path: Path) -> None:
    """Size, both times and the inode of each file, whatever year it is dated."""
    (tmp_path / "a.md").write_bytes(b"12345")
    os.utime(tmp_path / "a.md", ns=(1, 1_700_000_000_123_456_789))
    status = (tmp_path / "a.md").stat()
    listing = walk(tmp_path, PathFilter())
    assert (list(listing.paths), list(listing.marks)) == (
        ["a.md"],
        [f"5 1700000000123456789 {status.st_ctime_ns} {status.st_ino}"],
    )


def test_the_endings_of_what_is_ignored_are_counted(tmp_path: Path) -> None:
    """So that a folder of another kind can say which pattern it needs."""
    touch(tmp_path, "a.rst", "b.rst", "c", "d.md")
    found = walk(tmp_path, PathFilter())
    assert (found.ignored, found.ignored_endings) == (3, {".rst": 2, "": 1})


def test_patterns_and_exclusions_choose_files(tmp_path: Path) -> None:
    """An excluded folder is not even counted, a single file that is not chosen is."""
    touch(tmp_path, "a.md", "b.md", "draft/c.md", "news/draft/d.md", "news/e.md", "news/f.txt")
    listing = walk(tmp_path, PathFilter(["**/*.md"], ["draft", "b.*"]))
    assert (sorted(listing.paths), listing.ignored) == (["a.md", "news/e.md"], 2)


def test_what_is_hidden_or_left_by_an_editor_is_ignored(tmp_path: Path) -> None:
    """What tools keep in .git is not even counted; a single file is, whatever the patterns say."""
    leftovers = (".d.md", ".d.md.swp", "._d.md", "~$d.md", "d.md~", "#d.md#", ".#d.md")
    touch(tmp_path, ".git/a.md", "b/.cache/c.md", "b/~$e.md", "e.md", "f~g.md", "#h.md", *leftovers)
    listing = walk(tmp_path, PathFilter(["*"]))
    assert (sorted(listing.paths), listing.ignored) == (["#h.md", "e.md", "f~g.md"], 8)


class Meddled:
    """An `os.scandir` whose listings a test changes before they are handed out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scandir, self.calls = os.scandir, 0
        monkeypatch.setattr(os, "scandir", self.listing)

    @contextlib.contextmanager
    def listing(self, path: str) -> Iterator[list[os.DirEntry[str]]]:
        """Give what `change` makes of the true listing, sorted by name."""
        self.calls += 1
        with self.scandir(path) as entries:
            yield self.change(path, sorted(entries, key=lambda entry: entry.name))

    def change(self, path: str, entries: list[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
        """Change nothing."""
        return entries


def test_an_entry_that_vanishes_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is renamed between listing and asking for its size is missing alone."""

    class Vanishing(Meddled):
        def change(self, path: str, entries: list[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
            Path(path, "a.md").unlink()
            return entries

    touch(tmp_path, "a.md", "b.md", "c.md")
    Vanishing(monkeypatch)
    assert sorted(walk(tmp_path, PathFilter()).paths) == ["b.md", "c.md"]


def test_an_entry_that_is_listed_twice_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder may show a file before and after it was renamed over."""

    class Twice(Meddled):
        def change(self, path: str, entries: list[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
            return entries + entries

    touch(tmp_path, "a.md", "b.md", "c.txt.bak")
    Twice(monkeypatch)
    listing = walk(tmp_path, PathFilter())
    assert (sorted(listing.paths), listing.ignored) == (["a.md", "b.md"], 1)


def test_a_file_that_two_listings_pass_over_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a folder lists a file that is renamed over meanwhile is left open by POSIX."""

    class Forgetful(Meddled):
        def change(self, path: str, entries: list[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
            return entries[1:]

    touch(tmp_path, "a.md", "b.md", "c.md")
    Forgetful(monkeypatch)
    first = walk(tmp_path, PathFilter())
    found = look_again(tmp_path, PathFilter(), first, ["a.md", "gone.md"])
    assert (sorted(first.paths), sorted(found.paths)) == (
        ["b.md", "c.md"],
        ["a.md", "b.md", "c.md"],
    )


def test_a_second_look_finds_what_moved_and_no_more(tmp_path: Path) -> None:
    """Missing stay: what is gone, behind a link, a folder now, no match or hidden."""
    touch(tmp_path, "kept.md", "new.md", "dir.md/x.md", "a.png", "elsewhere/y.md", ".d.md")
    (tmp_path / "linked").symlink_to("elsewhere")
    first = Listing(["kept.md", "old.md"], ["", ""])
    missing = ["gone.md", "linked/y.md", "dir.md", "a.png", ".d.md", "a.png/z.md"]
    listing = look_again(tmp_path, PathFilter(), first, missing)
    assert (sorted(listing.paths), listing.ignored) == (
        ["dir.md/x.md", "elsewhere/y.md", "kept.md", "new.md"],
        3,
    )


def test_the_earlier_name_of_a_file_that_is_listed_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where upper and lower case are one, a.md is found although the file is A.md now."""
    touch(tmp_path, "A.md")
    os.link(tmp_path / "A.md", tmp_path / "a.md")
    os.link(tmp_path / "A.md", tmp_path / "hard link.md")

    class CaseInsensitive(Meddled):
        def change(self, path: str, entries: list[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
            return [entry for entry in entries if entry.name == "A.md"]

    CaseInsensitive(monkeypatch)
    look = partial(look_again, tmp_path, PathFilter(), Listing(), ["a.md"])
    assert sorted(look().paths) == ["A.md", "a.md"]
    lstat = Path.lstat

    def only_link(file: Path) -> os.stat_result:
        status = lstat(file)
        fields = [*status[: stat.ST_NLINK], 1, *status[stat.ST_NLINK + 1 :]]
        times = {name: getattr(status, name) for name in ("st_mtime_ns", "st_ctime_ns")}
        return os.stat_result(fields, times)

    monkeypatch.setattr(Path, "lstat", only_link)
    assert sorted(look().paths) == ["A.md"]


def test_a_name_that_is_not_utf8_is_a_fault_under_an_escaped_name(tmp_path: Path) -> None:
    """Such a name cannot be stored: the ledger shows its bytes, and nothing reads the file."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md")).touch()
    listing = walk(tmp_path, PathFilter())
    assert (sorted(listing.paths), {path: f.code for path, f in listing.faults.items()}) == (
        ["caf\\xe9.md"],
        {"caf\\xe9.md": "bad_file_name"},
    )


def test_a_folder_that_cannot_be_listed_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one row of its own, named with a / at the end, and its neighbours are listed."""
    strange = os.fsdecode(b"caf\xe9 closed")
    touch(tmp_path, "closed/a.md", f"{strange}/a.md", "open/b.md")
    scandir = os.scandir

    def refuse(folder: str) -> object:
        if str(folder).endswith("closed"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = walk(tmp_path, PathFilter())
    assert (sorted(listing.paths), {path: f.code for path, f in listing.faults.items()}) == (
        ["caf\\xe9 closed/", "closed/", "open/b.md"],
        {"caf\\xe9 closed/": "unreadable_folder", "closed/": "unreadable_folder"},
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [("gone", "gone does not exist"), ("file", "file is not a folder, nor an archive")],
)
def test_a_source_that_is_no_folder_is_refused(tmp_path: Path, name: str, message: str) -> None:
    """The message tells a missing source from one that is a file."""
    touch(tmp_path, "file")
    with pytest.raises(SourceMissing, match=message):
        walk(tmp_path / name, PathFilter())


def test_a_source_whose_path_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """Its name could not be stored; a link to it, as typed, can."""
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    touch(strange, "content/a.md")
    with pytest.raises(SourceMissing, match=r"/caf\\xe9/content has a path that is not valid"):
        walk(strange / "content", PathFilter())
    (tmp_path / "link").symlink_to(strange / "content")
    assert list(walk(tmp_path / "link", PathFilter()).paths) == ["a.md"]
