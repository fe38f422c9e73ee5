"""Facts about builds that hold for any files, tried on many."""

import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.source import extract
from flows.workers.frames import frames_of
from tests.conftest import Content, article, copy_sql
from tests.trust.invariants import Contents, contents

FILES = st.dictionaries(
    st.from_regex(r"[a-c]{1,3}\.md", fullmatch=True),
    st.one_of(
        st.builds(
            lambda quality, title: article(title=title, quality=quality).encode(),
            st.integers(-5, 200),
            st.sampled_from(["sun", "wind", "ünïcode"]),
        ),
        st.binary(max_size=60).map(lambda body: b"---\n" + body + b"\n---\n"),
        st.binary(max_size=20),
    ),
    min_size=2,
    max_size=6,
)
# Each build takes half a second; the reader's own properties have thousands of examples.
FEW = settings(max_examples=4, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def sql_without_reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the SQL files without checks as well: most of these files are broken, as they should."""
    folder = copy_sql(tmp_path_factory.mktemp("sql"))
    shutil.rmtree(folder / "checks")
    return folder


@pytest.fixture(autouse=True)
def no_reports(without_reports: None) -> None:
    """Leave the reports out: they are made from the tables that are compared here."""


def built(steps: list[dict[str, bytes]], again: bool = False) -> Contents:
    """Write and build step by step in a new folder and return the tables."""
    with tempfile.TemporaryDirectory() as folder:
        content = Content(Path(folder))
        for step in steps:
            for name, data in step.items():
                content.write(name, data)
            content.build()
        if again:
            assert not content.build().published
            content.build(full=True)
        return contents(content.warehouse, "raw", "ops")


@FEW
@given(FILES)
def test_loading_twice_is_loading_once(files: dict[str, bytes]) -> None:
    """Neither a second build nor one that parses everything again changes a row."""
    assert built([files], again=True) == built([files])


@FEW
@given(FILES, st.integers(0, 1000))
def test_order_and_grouping_of_files_do_not_matter(files: dict[str, bytes], order: int) -> None:
    """Files that arrive one by one, in any order, give what one build of all gives."""
    names = sorted(files)
    random.Random(order).shuffle(names)
    assert built([{name: files[name]} for name in names]) == built([files])


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"---\n", b"+++\n", b";;;\n", b"{"]))
def test_every_byte_string_has_one_outcome(data: bytes, fence: bytes) -> None:
    """Reading ends in one ledger row, and never in an error."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.md").write_bytes(fence + data)
        batch = extract.Batch(Path(folder), ("a.md",), {}, {})
        frames = frames_of(batch)
    (row,) = frames["ops.files"].to_dict("records")
    assert row["path"] == "a.md"
    assert row["status"] in ("loaded", "quarantined", "excluded")
    assert row["reason_code"] != "reader_crashed"
    assert len(frames["raw.articles"]) == (row["status"] == "loaded")
