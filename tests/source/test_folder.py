"""The walk over a source, and its comparison with the ledger."""

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.models import build
from flows.source.folder import (
    Listing,
    PathError,
    Plan,
    SourceEmpty,
    SourceMissing,
    compare,
    look_again,
    walk,
)

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
    listing = walk(tmp_path)
    assert (sorted(listing.paths), listing.ignored, listing.faults) == (
        ["A.HTML", "a-b.md", "a.md", "a/z.md", "b.md", "t.yml"],
        2,
        {},
    )


def test_a_listing_says_what_the_file_system_says(tmp_path: Path) -> None:
    """Size, both times and the inode of each file, in columns beside the paths."""
    (tmp_path / "a.md").write_bytes(b"12345")
    os.utime(tmp_path / "a.md", ns=(1, 1_700_000_000_123_456_789))
    status = (tmp_path / "a.md").stat()
    listing = walk(tmp_path)
    columns = (listing.size_bytes, listing.mtime_ns, listing.ctime_ns, listing.inode)
    assert (list(listing.paths), [list(column) for column in columns]) == (
        ["a.md"],
        [[5], [1_700_000_000_123_456_789], [status.st_ctime_ns], [status.st_ino]],
    )


def test_patterns_and_exclusions_choose_files(tmp_path: Path) -> None:
    """An excluded folder is not even counted, a single file that is not chosen is."""
    touch(tmp_path, "a.md", "b.md", "draft/c.md", "news/draft/d.md", "news/e.md", "news/f.txt")
    listing = walk(tmp_path, ["**/*.md"], ["draft", "b.*"])
    assert (sorted(listing.paths), listing.ignored) == (["a.md", "news/e.md"], 2)


def test_what_is_hidden_or_left_by_an_editor_is_ignored(tmp_path: Path) -> None:
    """What tools keep in .git is not even counted; a single file is, whatever the patterns say."""
    leftovers = (".d.md", ".d.md.swp", "._d.md", "~$d.md", "d.md~", "#d.md#", ".#d.md")
    touch(tmp_path, ".git/a.md", "b/.cache/c.md", "b/~$e.md", "e.md", "f~g.md", "#h.md", *leftovers)
    listing = walk(tmp_path, ["*"])
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
    assert sorted(walk(tmp_path).paths) == ["b.md", "c.md"]


def test_an_entry_that_is_listed_twice_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder may show a file before and after it was renamed over."""

    class Twice(Meddled):
        def change(self, path: str, entries: list[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
            return entries + entries

    touch(tmp_path, "a.md", "b.md", "c.txt.bak")
    Twice(monkeypatch)
    listing = walk(tmp_path)
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
    first = walk(tmp_path)
    found = look_again(tmp_path, first, ["a.md", "gone.md"])
    assert (sorted(first.paths), sorted(found.paths)) == (
        ["b.md", "c.md"],
        ["a.md", "b.md", "c.md"],
    )


def test_a_second_look_finds_what_moved_and_no_more(tmp_path: Path) -> None:
    """Missing stay: what is gone, behind a link, a folder now, no match or hidden."""
    touch(tmp_path, "kept.md", "new.md", "dir.md/x.md", "a.png", "elsewhere/y.md", ".d.md")
    (tmp_path / "linked").symlink_to("elsewhere")
    first = Listing(["kept.md", "old.md"], [0, 0], [0, 0], [0, 0], [0, 0])
    missing = ["gone.md", "linked/y.md", "dir.md", "a.png", ".d.md", "a.png/z.md"]
    listing = look_again(tmp_path, first, missing)
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
    look = partial(look_again, tmp_path, Listing(), ["a.md"])
    assert sorted(look().paths) == ["A.md", "a.md"]
    lstat = Path.lstat

    def only_link(file: Path) -> os.stat_result:
        fields = list(lstat(file))
        fields[stat.ST_NLINK] = 1
        return os.stat_result(fields)

    monkeypatch.setattr(Path, "lstat", only_link)
    assert sorted(look().paths) == ["A.md"]


def test_a_name_that_is_not_utf8_is_a_fault_under_an_escaped_name(tmp_path: Path) -> None:
    """Such a name cannot be stored: the ledger shows its bytes, and nothing reads the file."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md")).touch()
    listing = walk(tmp_path)
    assert (sorted(listing.paths), {path: f.code for path, f in listing.faults.items()}) == (
        ["caf\\xe9.md"],
        {"caf\\xe9.md": "bad_file_name"},
    )


def test_a_folder_that_cannot_be_listed_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one row of its own, named with a / at the end, and its neighbours are listed."""
    touch(tmp_path, "closed/a.md", "open/b.md")
    scandir = os.scandir

    def refuse(folder: str) -> object:
        if str(folder).endswith("closed"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = walk(tmp_path)
    assert (sorted(listing.paths), {path: f.code for path, f in listing.faults.items()}) == (
        ["closed/", "open/b.md"],
        {"closed/": "unreadable_folder"},
    )


@pytest.mark.parametrize(
    ("name", "message"), [("gone", "gone does not exist"), ("file", "file is not a folder")]
)
def test_a_source_that_is_no_folder_is_refused(tmp_path: Path, name: str, message: str) -> None:
    """The message tells a missing source from one that is a file."""
    touch(tmp_path, "file")
    with pytest.raises(SourceMissing, match=message):
        walk(tmp_path / name)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a database with our empty tables."""
    with duckdb.connect() as con:
        build.create_tables(con)
        yield con


KNOWN = Listing(["a.md", "b.md", "c/d.md"], [1, 2, 3], [10, 20, 30], [11, 21, 31], [101, 102, 103])


def note(
    con: duckdb.DuckDBPyConnection, listing: Listing, status: str = "loaded", version: int = 1
) -> None:
    """Write the files of a listing into the ledger, with hashes h-<path>."""
    columns = zip(
        listing.paths,
        listing.size_bytes,
        listing.mtime_ns,
        listing.ctime_ns,
        listing.inode,
        strict=True,
    )
    con.executemany(
        """
        insert into ops.files by name
        select
            $1 as path, 'h-' || $1 as content_hash, $2 as size_bytes, $3 as mtime_ns,
            $4 as ctime_ns, $5 as inode, $6 as status, $7 as parser_version
        """,
        [[*row, status, version] for row in columns],
    )


def plan(con: duckdb.DuckDBPyConnection, listing: Listing, **options: Any) -> Plan:
    """Compare with the reader of version 1."""
    return compare(con, SOURCE, listing, **{"parser_version": 1, **options})


def changed(column: str, values: Sequence[int]) -> Listing:
    """Return the known listing with one column different."""
    return replace(KNOWN, **{column: list(values)})


def test_files_that_the_ledger_does_not_know_are_read(con: duckdb.DuckDBPyConnection) -> None:
    """On a first build everything is read, and there is no hash to compare with."""
    assert plan(con, KNOWN) == Plan(
        to_read=["a.md", "b.md", "c/d.md"], vanished=[], known={}, unchanged=0, seen=3
    )


def test_equal_signatures_are_not_read(con: duckdb.DuckDBPyConnection) -> None:
    """Size, both times and inode decide that nothing happened."""
    note(con, KNOWN)
    assert plan(con, KNOWN) == Plan(to_read=[], vanished=[], known={}, unchanged=3, seen=3)


@pytest.mark.parametrize("column", ["size_bytes", "mtime_ns", "ctime_ns", "inode"])
def test_each_part_of_a_signature_counts(con: duckdb.DuckDBPyConnection, column: str) -> None:
    """A file that differs in one of them is read, and its hash tells whether it changed."""
    note(con, KNOWN)
    values = [getattr(KNOWN, column)[0], 99, getattr(KNOWN, column)[2]]
    assert plan(con, changed(column, values)) == Plan(
        to_read=["b.md"], vanished=[], known={"b.md": "h-b.md"}, unchanged=2, seen=3
    )


def test_a_signature_without_times_never_matches(con: duckdb.DuckDBPyConnection) -> None:
    """A file that was read while its clock still stood is read again."""
    note(con, KNOWN)
    con.execute("update ops.files set mtime_ns = null, ctime_ns = null where path = 'a.md'")
    assert plan(con, KNOWN).to_read == ["a.md"]


def test_inodes_beyond_63_bits_fit(con: duckdb.DuckDBPyConnection) -> None:
    """Some file systems use all 64 bits, and the ledger's column is signed."""
    note(con, changed("inode", [101, 102, -1]))
    assert plan(con, changed("inode", [101, 102, 2**64 - 1])).to_read == []


def test_verify_reads_all_and_compares_hashes(con: duckdb.DuckDBPyConnection) -> None:
    """Every file is read, and each has the hash that makes it unchanged."""
    note(con, KNOWN)
    hashes = {path: f"h-{path}" for path in KNOWN.paths}
    assert plan(con, KNOWN, verify=True) == Plan(
        to_read=KNOWN.paths, vanished=[], known=hashes, unchanged=0, seen=3
    )


def test_reread_parses_all_whatever_the_hashes_are(con: duckdb.DuckDBPyConnection) -> None:
    """Without a known hash no file can count as the same."""
    note(con, KNOWN)
    assert plan(con, KNOWN, reread=True) == Plan(
        to_read=KNOWN.paths, vanished=[], known={}, unchanged=0, seen=3
    )


@pytest.mark.parametrize(
    ("status", "to_read"), [("loaded", []), ("quarantined", KNOWN.paths), ("excluded", KNOWN.paths)]
)
def test_a_newer_reader_judges_again_what_an_older_one_refused(
    con: duckdb.DuckDBPyConnection, status: str, to_read: list[str]
) -> None:
    """Loaded files are left alone; the hash of a refused one does not count."""
    note(con, KNOWN, status)
    assert plan(con, KNOWN, parser_version=2) == Plan(
        to_read=to_read, vanished=[], known={}, unchanged=3 - len(to_read), seen=3
    )


def test_known_paths_that_are_not_listed_have_vanished(con: duckdb.DuckDBPyConnection) -> None:
    """What is already gone does not vanish twice, and is read when it is back."""
    note(con, KNOWN)
    con.execute("update ops.files set status = 'gone' where path = 'b.md'")
    rest = Listing(["z.md"], [1], [1], [1], [1])
    assert plan(con, rest) == Plan(
        to_read=["z.md"], vanished=["a.md", "c/d.md"], known={}, unchanged=0, seen=1
    )
    assert plan(con, KNOWN).to_read == ["b.md"]


def test_hidden_is_not_gone(con: duckdb.DuckDBPyConnection) -> None:
    """Files of a folder that cannot be listed stay as they are and are counted as seen."""
    note(con, KNOWN)
    fault = PathError("unreadable_folder", "The folder cannot be listed.", "Open it.")
    listing = Listing(["c/"], [0], [0], [0], [9], {"c/": fault})
    assert plan(con, listing) == Plan(
        to_read=["c/"], vanished=["a.md", "b.md"], known={}, unchanged=1, seen=2
    )


@pytest.mark.parametrize("held", [0, 3])
def test_an_empty_source_is_refused(con: duckdb.DuckDBPyConnection, held: int) -> None:
    """The message says how much the warehouse would lose."""
    if held:
        note(con, KNOWN)
    loss = "; the warehouse holds 3 files from it" if held else ""
    with pytest.raises(SourceEmpty) as refused:
        plan(con, Listing(ignored=7))
    assert str(refused.value) == (
        "source content has no file that matches the patterns (7 other files were ignored)"
        f"{loss}: check the folder, --pattern and --exclude"
    )
