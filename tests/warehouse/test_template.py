"""A first build begins with a copy of an empty warehouse, if one can be trusted."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from flows.warehouse import template
from tests.conftest import Content, article
from tests.trust.invariants import contents

pytestmark = pytest.mark.usefixtures("without_reports")

DECLARED = """
select schema_name, table_name, comment, null as "column", null as data_type
from duckdb_tables()
union all
select schema_name, table_name, comment, column_name, data_type
from duckdb_columns()
where not internal
union all
select schema_name, function_name, macro_definition, null, null
from duckdb_functions()
where not internal
order by all
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder for templates, which no other test has written to."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(template, "_places", lambda: [folder])
    return folder


@pytest.fixture
def kept(content: Content, cache: Path) -> Path:
    """Build one article, and give the template that the build kept, whatever the umask."""
    content.write("a.md", article())
    before = os.umask(0)
    content.build()
    os.umask(before)
    (file,) = cache.iterdir()
    return file


def build_anew(content: Content, name: str) -> Content:
    """Build the same articles in a new warehouse."""
    other = Content(content.source.parent, warehouse=name)
    assert other.build().loaded == 1
    return other


def forge(file: Path) -> bytes:
    """Return what a template would be that makes a table of its own."""
    database = file.with_suffix(".duckdb")
    database.write_bytes(file.read_bytes()[32:])
    with duckdb.connect(str(database)) as con:
        con.execute("create table marts.forged as select 1 as one")
    content = database.read_bytes()
    database.unlink()
    return hashlib.sha256(content).digest() + content


def test_a_build_from_a_template_makes_the_tables_of_one_without(
    content: Content, kept: Path
) -> None:
    """Rows, columns, comments and macros; and what is kept holds nothing of an article."""
    other = build_anew(content, "other.duckdb")
    assert contents(other.warehouse) == contents(content.warehouse)
    assert other.query(DECLARED) == content.query(DECLARED)
    assert b"A day in the sun" not in kept.read_bytes()
    kept.write_bytes(forge(kept))
    assert build_anew(content, "third.duckdb").query("select one from marts.forged") == [(1,)]


def damage(file: Path) -> None:
    """Change one byte."""
    content = bytearray(forge(file))
    content[5_000] ^= 1
    file.write_bytes(content)


def open_to_others(file: Path) -> None:
    """Let others write it, who have done so."""
    file.write_bytes(forge(file))
    file.chmod(0o666)


def link(file: Path) -> None:
    """Put a link in its place."""
    elsewhere = file.parent.parent / "elsewhere"
    elsewhere.write_bytes(forge(file))
    file.unlink()
    file.symlink_to(elsewhere)


@pytest.mark.parametrize("spoil", [damage, open_to_others, link])
def test_a_template_that_cannot_be_trusted_is_not_used(
    content: Content, kept: Path, spoil: Callable[[Path], None]
) -> None:
    """The tables are made as if there were none; a link stays where it is."""
    spoil(kept)
    was_link = kept.is_symlink()
    other = build_anew(content, "other.duckdb")
    assert other.query(DECLARED) == content.query(DECLARED)
    assert kept.is_symlink() == was_link


def test_a_damaged_template_is_replaced(content: Content, kept: Path) -> None:
    """The build that meets it keeps a new one."""
    content_before = kept.read_bytes()
    damage(kept)
    build_anew(content, "other.duckdb")
    assert template.find(kept.name.rpartition("-")[2]) is not None
    assert len(kept.read_bytes()) == len(content_before)


def test_without_a_place_for_it_a_build_does_without(
    content: Content, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account without a home, or a folder that is a file."""
    shutil.rmtree(kept.parent)
    kept.parent.write_text("no folder")
    build_anew(content, "other.duckdb")
    monkeypatch.setattr(template, "_places", lambda: iter(()))
    build_anew(content, "third.duckdb")


def test_only_the_newest_templates_are_kept(kept: Path) -> None:
    """Those of earlier versions go; what somebody else put there stays."""
    others = [kept.with_name(f"empty-warehouse-{n}") for n in range(20)]
    for file in [*others, kept.with_name("notes.txt")]:
        file.touch()
    template._remove_old(kept.parent)
    assert len(list(kept.parent.iterdir())) == 9
    assert kept.with_name("notes.txt").exists()
