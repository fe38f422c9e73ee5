"""Which warehouse a path means, and what belongs to it."""

import os
from pathlib import Path

import duckdb
import pytest

from flows import UsageError, cli
from flows.pipeline.context import Request
from flows.pipeline.run import run
from flows.warehouse.generations import generation_ids
from flows.warehouse.paths import WarehousePaths, locate
from flows.warehouse.run_log import read_runs
from tests.conftest import Content, article, edit
from tests.trust.invariants import contents


@pytest.mark.parametrize(
    ("one", "other"),
    [("news.2024", "news.2025"), ("news.duckdb", "news.db"), ("news", "news.duckdb")],
)
def test_warehouses_of_one_stem_share_nothing(tmp_path: Path, one: str, other: str) -> None:
    """Each keeps its generations and receipts, however often the other is built."""
    for name in (one, other):
        (tmp_path / name).mkdir()
        content = Content(tmp_path / name)
        for title in ("a", "b", name):
            content.write(f"{title}.md", article(title=title))
        content.warehouse = tmp_path / f"at-{name}"
        content.build()
    first = content_of(tmp_path, one)
    before = (contents(first.warehouse), generation_ids(WarehousePaths(first.warehouse)))
    for _ in range(4):
        content_of(tmp_path, other).build(full=True)
    assert (contents(first.warehouse), generation_ids(WarehousePaths(first.warehouse))) == before
    assert [r["source"] for r in read_runs(WarehousePaths(first.warehouse))] == [str(first.source)]


def content_of(folder: Path, name: str) -> Content:
    """Return the content folder of a warehouse that was built before."""
    content = Content.__new__(Content)
    content.parser = "fast"
    content.source, content.warehouse = folder / name / "content", folder / f"at-{name}"
    return content


def test_the_catalog_is_called_as_the_warehouse_run_after_run(three: Content) -> None:
    """A query that names the database goes on working: DuckDB calls it by its file."""
    found = []
    for _ in range(2):
        found += three.query("select count(*) from warehouse.raw.articles")
        edit(three)
        three.build()
    found += three.query("select count(*) from warehouse.raw.articles")
    assert found == [(3,), (4,), (4,)]


def names(folder: Path) -> list[str]:
    """Return what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def links(folder: Path) -> dict[str, Path]:
    """Return ways in which a user's links lead to the warehouse of a folder."""
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    target = folder / "warehouse.duckdb"
    ways = {name: elsewhere / f"{name}.duckdb" for name in ("absolute", "relative", "two", "real")}
    ways["absolute"].symlink_to(target)
    ways["relative"].symlink_to("../warehouse.duckdb")
    ways["two"].symlink_to("relative.duckdb")
    ways["real"].symlink_to(target.resolve())
    (folder / "linked").symlink_to(elsewhere)
    return ways | {"folder": folder / "linked" / "two.duckdb"}


@pytest.mark.parametrize("way", ["absolute", "relative", "two", "real", "folder"])
def test_a_build_through_a_users_link_is_one_of_the_warehouse_behind_it(
    three: Content, way: str
) -> None:
    """The link stays, and whoever reads either path sees the same."""
    link = links(three.warehouse.parent)[way]
    beside = sorted(link.parent.iterdir())
    edit(three)
    leads_to = link.readlink()
    run(Request(three.source, link))
    assert three.query("select count(*) from raw.articles") == [(4,)]
    assert len(generation_ids(WarehousePaths(three.warehouse))) == 2
    assert (sorted(link.parent.iterdir()), link.readlink()) == (beside, leads_to)


def test_a_link_to_where_no_warehouse_is_yet_says_where_it_shall_be(content: Content) -> None:
    """The first build makes the file that the link names."""
    content.write("a.md", article())
    disk = content.source.parent / "disk"
    disk.mkdir()
    content.warehouse.symlink_to("disk/w.duckdb")
    content.build()
    assert content.warehouse.readlink() == Path("disk/w.duckdb")
    assert names(disk) == [
        "w.duckdb",
        "w.duckdb.generations",
        "w.duckdb.lock",
        "w.duckdb.runs.jsonl",
    ]
    assert content.query("select count(*) from raw.articles") == [(1,)]


def test_a_renamed_warehouse_goes_on_under_its_new_name(three: Content) -> None:
    """What it kept under the old name is left alone."""
    kept = three.warehouse.resolve()
    three.warehouse = three.warehouse.rename(three.warehouse.with_name("renamed.duckdb"))
    edit(three)
    assert three.build().new == 1
    assert kept.exists()
    assert generation_ids(WarehousePaths(three.warehouse)) != []


@pytest.mark.parametrize(
    "named",
    [
        "s3://bucket/w.duckdb",
        "https://example.org/w.duckdb",
        "postgresql://host/db",
        "md:reports",
        ":memory:",
        "~nobody-of-this-name/w.duckdb",
    ],
)
def test_what_is_no_path_is_refused_and_leaves_nothing(
    content: Content,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    named: str,
) -> None:
    """A line that repeats it, exit code 2, and no folder of that name."""
    content.write("a.md", article())
    monkeypatch.chdir(content.source.parent)
    assert cli.main(["build", "content", "--warehouse", named]) == 2
    assert named in capsys.readouterr().err.splitlines()[0]
    assert names(Path()) == ["content"]


@pytest.mark.usefixtures("with_reports")
def test_a_tilde_is_the_home_folder(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where no shell has expanded it: in the environment of a schedule, say."""
    content.write("a.md", article())
    home = content.source.parent / "home"
    home.mkdir()
    monkeypatch.chdir(content.source.parent)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MATTERHOUSE_WAREHOUSE", "~/w.duckdb")
    assert cli.main(["build", "content", "--quiet"]) == 0
    assert (home / "w.duckdb").is_symlink()
    assert names(Path()) == ["content", "home"]


def test_folders_and_circles_are_refused(tmp_path: Path) -> None:
    """The message says what to name instead."""
    with pytest.raises(UsageError, match=r"is a folder: name a file in it, .*/warehouse\.duckdb"):
        locate(tmp_path)
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(UsageError, match="in a circle"):
        locate(tmp_path / "a")


@pytest.mark.parametrize(
    "command", [["build"], ["build", "no-such-folder"], ["runs", "--rollback", "2025"]]
)
def test_a_mistyped_warehouse_leaves_nothing_behind(
    content: Content, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """No folder, lock or receipt is made before source and warehouse were looked at."""
    monkeypatch.chdir(content.source.parent)
    assert cli.main([*command, "--warehouse", "no/such/warehouse.duckdb"]) != 0
    assert names(Path()) == ["content"]


def test_beside_a_database_of_somebody_else_nothing_is_made(content: Content) -> None:
    """It is looked at before the first file is."""
    content.write("a.md", article())
    with duckdb.connect(str(content.warehouse)) as con:
        con.execute("create table theirs as select 1 as n")
    command = ["build", str(content.source), "--warehouse", str(content.warehouse)]
    assert cli.main(command) == 1
    assert names(content.warehouse.parent) == ["content", "warehouse.duckdb"]


def test_a_path_that_duckdb_cannot_open_is_refused(tmp_path: Path) -> None:
    """Old servers have folders whose names are not UTF-8."""
    with pytest.raises(UsageError, match=r"caf\\xe9/warehouse.duckdb is not valid UTF-8"):
        locate(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")) / "warehouse.duckdb")
