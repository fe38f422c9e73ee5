"""What a build reads: what is asked, completed by what the last published run read."""

from pathlib import Path

import duckdb
import pytest

from flows import UsageError
from flows.config import load_default
from flows.pipeline.scope import Scope, choose, read_last
from flows.source.folder import SourceMissing


def scope(source: Path, *globs: tuple[str, ...]) -> Scope:
    """Return what is read below a folder that has no configuration."""
    return Scope(source, *globs, mapping_hash=load_default().hash)


KNOWN = scope(Path("/content"), ("*.md",), ("drafts/",))


def test_what_is_not_asked_is_what_it_was() -> None:
    """Each of source, patterns and exclude is remembered on its own."""
    assert choose(KNOWN) == KNOWN
    assert choose(KNOWN, Path("/content"), ["*.txt"]) == scope(
        KNOWN.source, ("*.txt",), KNOWN.exclude
    )
    assert choose(KNOWN, exclude=[]) == scope(KNOWN.source, KNOWN.patterns, ())


def test_the_first_build_has_to_name_a_folder() -> None:
    """There is no folder to guess; patterns have a default."""
    with pytest.raises(UsageError, match="which folder"):
        choose(None)
    assert choose(None, Path("/content")) == scope(Path("/content"))


def test_another_folder_starts_anew(tmp_path: Path) -> None:
    """It has to be meant and to be there, and the globs of the first are not for it."""
    with pytest.raises(UsageError, match=f"built from /content, not from {tmp_path}"):
        choose(KNOWN, tmp_path)
    with pytest.raises(SourceMissing, match="source nowhere does not exist"):
        choose(KNOWN, Path("nowhere"), replace_source=True)
    assert choose(KNOWN, tmp_path, replace_source=True) == scope(tmp_path)


def test_a_relative_path_is_remembered_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept is absolute, also of a warehouse that an earlier version made."""
    monkeypatch.chdir(tmp_path)
    assert choose(None, Path("content")).source == tmp_path / "content"
    typed = Scope(Path("content"))
    assert choose(typed).source == choose(typed, Path("elsewhere/../content")).source
    assert choose(typed, Path("/other")).source == Path("/other")


def test_a_warehouse_of_an_earlier_version_remembers_its_source() -> None:
    """Its runs have no columns for globs: those were always the usual ones."""
    with duckdb.connect() as con:
        con.execute("create schema ops")
        con.execute("create table ops.runs (source varchar, started_at timestamptz)")
        assert read_last(con) is None
        con.execute("insert into ops.runs values ('content', '2025-01-02'), ('typo', '2025-01-01')")
        assert read_last(con) == Scope(Path("content"))
