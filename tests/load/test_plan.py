"""A listing held against the ledger, and the batches of what is to be read."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.load.plan import Plan, compare, cut_batches
from flows.models import build
from flows.source.extract import Batch
from flows.source.folder import Listing, PathError, SourceMissing

SOURCE = Path("content")
FAULT = PathError("bad_file_name", "What is wrong.", "What to do.")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a database with our empty tables."""
    with duckdb.connect() as con:
        build.create_tables(con)
        yield con


KNOWN = Listing(["a.md", "b.md", "c/d.md"], ["1", "2", "3"])


def note(
    con: duckdb.DuckDBPyConnection, listing: Listing, status: str = "loaded", version: int = 1
) -> None:
    """Write the files of a listing into the ledger, with hashes h-<path>."""
    con.executemany(
        """
        insert into ops.files by name
        select
            $1 as path, 'h-' || $1 as content_hash, $2 as mark, $3 as status, $4 as parser_version
        """,
        [
            [path, mark, status, version]
            for path, mark in zip(listing.paths, listing.marks, strict=True)
        ],
    )


def plan(con: duckdb.DuckDBPyConnection, listing: Listing, **options: Any) -> Plan:
    """Compare with the reader of version 1."""
    return compare(con, SOURCE, listing, **{"parser_version": 1, **options})


def test_files_that_the_ledger_does_not_know_are_read(con: duckdb.DuckDBPyConnection) -> None:
    """On a first build everything is read, and there is no hash to compare with."""
    assert plan(con, KNOWN) == Plan(
        to_read=["a.md", "b.md", "c/d.md"], vanished=[], known={}, unchanged=0, seen=3
    )


def test_files_with_equal_marks_are_not_read(con: duckdb.DuckDBPyConnection) -> None:
    """The mark decides that nothing happened."""
    note(con, KNOWN)
    assert plan(con, KNOWN) == Plan(to_read=[], vanished=[], known={}, unchanged=3, seen=3)


def test_a_file_with_another_mark_is_read(con: duckdb.DuckDBPyConnection) -> None:
    """Its hash tells whether it changed."""
    note(con, KNOWN)
    assert plan(con, replace(KNOWN, marks=["1", "99", "3"])) == Plan(
        to_read=["b.md"], vanished=[], known={"b.md": "h-b.md"}, unchanged=2, seen=3
    )


def test_a_file_without_a_mark_is_read(con: duckdb.DuckDBPyConnection) -> None:
    """A file that was read while its clock still stood is read again."""
    note(con, KNOWN)
    con.execute("update ops.files set mark = null where path = 'a.md'")
    assert plan(con, KNOWN).to_read == ["a.md"]


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
    rest = Listing(["z.md"], ["1"])
    assert plan(con, rest) == Plan(
        to_read=["z.md"], vanished=["a.md", "c/d.md"], known={}, unchanged=0, seen=1
    )
    assert plan(con, KNOWN).to_read == ["b.md"]


def test_hidden_is_not_gone(con: duckdb.DuckDBPyConnection) -> None:
    """Files of a folder that cannot be listed stay as they are and are counted as seen."""
    note(con, KNOWN)
    fault = PathError("unreadable_folder", "The folder cannot be listed.", "Open it.")
    listing = Listing(["c/"], ["9"], {"c/": fault})
    assert plan(con, listing) == Plan(
        to_read=["c/"], vanished=["a.md", "b.md"], known={}, unchanged=1, seen=2
    )


@pytest.mark.parametrize("held", [0, 3])
def test_an_empty_source_is_refused(con: duckdb.DuckDBPyConnection, held: int) -> None:
    """The message says how much the warehouse would lose."""
    if held:
        note(con, KNOWN)
    loss = "; the warehouse holds 3 files from it" if held else ""
    with pytest.raises(SourceMissing) as refused:
        plan(con, Listing(ignored=7))
    assert str(refused.value) == (
        "source content has no file that matches the patterns (7 other files were ignored)"
        f"{loss}: check the folder, --pattern and --exclude"
    )


def test_files_are_cut_into_batches_in_order_of_path() -> None:
    """Each batch carries the hashes and faults of its own files only."""
    plan = Plan(["a", "b", "c"], ["gone"], {"a": "1", "c": "3"}, 0, 3)
    source = Path("content")
    assert cut_batches(source, plan, Listing(faults={"b": FAULT, "z": FAULT}), 2) == [
        Batch(source, ("a", "b"), {"a": "1"}, {"b": FAULT}),
        Batch(source, ("c",), {"c": "3"}, {}),
    ]
    assert cut_batches(source, Plan([], [], {}, 0, 0), Listing(), 2) == []
