"""An export into folders of every kind: only what an export made is ever replaced."""

import json
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb
import pytest

from flows.replace import replace_file
from flows.reports.export import folder
from flows.reports.export.export import Export, export
from flows.reports.output import NotOursToReplace


@pytest.fixture
def con() -> "duckdb.DuckDBPyConnection":
    """Give a database with two tables and a run."""
    con = duckdb.connect()
    con.execute(
        """
        create schema marts;
        create schema ops;
        create table marts.topics as select 'Solar' as topic, 3 as articles;
        create table marts."my notes" as select 1 as "odd "" name";
        create table ops.runs as
        select '1' as run_id, timestamptz '2025-01-01 00:00:00Z' as started_at;
        """
    )
    return con


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_manifest_says_who_made_which_files(
    con: "duckdb.DuckDBPyConnection", tmp_path: Path
) -> None:
    """It names every file of the folder, also those of tables with odd names."""
    done = export(con, tmp_path / "out")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert done == Export(manifest, is_whole=True)
    assert manifest["made_by"] == "matterhouse"
    assert sorted(manifest["files"]) == sorted(contents(tmp_path / "out"))
    assert "marts.my notes.parquet" in manifest["files"]


def test_a_second_export_replaces_the_first(
    con: "duckdb.DuckDBPyConnection", tmp_path: Path
) -> None:
    """Tables no longer exported go, the same data gives the same bytes, no stray is left."""
    export(con, tmp_path / "once", patterns=["marts.topics"])
    export(con, tmp_path / "out", file_format="csv")
    inode = (tmp_path / "out").stat().st_ino
    assert export(con, tmp_path / "out", patterns=["marts.topics"]).is_whole
    assert contents(tmp_path / "out") == contents(tmp_path / "once")
    # Exchanged as a whole: readers of the folder never see two exports together.
    assert (tmp_path / "out").stat().st_ino != inode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["once", "out"]


def test_files_that_no_export_made_stay(con: "duckdb.DuckDBPyConnection", tmp_path: Path) -> None:
    """A reader's notes beside the tables survive, and files are replaced one by one around them."""
    folder = tmp_path / "out"
    export(con, folder, file_format="csv")
    (folder / "notes.txt").write_text("mine")
    (folder / "charts").mkdir()
    (folder / "charts/a.svg").write_text("<svg/>")
    done = export(con, folder)
    assert not done.is_whole
    assert sorted(contents(folder)) == sorted(
        [*done.manifest["files"], "charts/a.svg", "notes.txt"]
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


@pytest.mark.parametrize(
    "manifest",
    [
        '{"name": "A web app", "start_url": "/", "icons": []}',
        '{"name": "dbt", "tables": [{"file": "index.html", "sha256": "0"}], "run_id": "1"}',
        '{"made_by": "somebody", "files": ["index.html", "manifest.json"]}',
        '{"made_by": "matterhouse"}',
        '{"made_by": "matterhouse", "files": 3}',
        "[]",
        "no JSON",
        None,
    ],
)
def test_a_folder_of_somebody_else_is_refused(
    con: "duckdb.DuckDBPyConnection", tmp_path: Path, manifest: str | None
) -> None:
    """Whatever its manifest.json is, nothing in it is touched."""
    folder = tmp_path / "public"
    (folder / "img").mkdir(parents=True)
    (folder / "index.html").write_text("<p>")
    (folder / "img/logo.svg").write_text("<svg/>")
    if manifest is not None:
        (folder / "manifest.json").write_text(manifest)
    before = contents(tmp_path)
    with pytest.raises(NotOursToReplace, match="name another folder"):
        export(con, folder)
    assert contents(tmp_path) == before


def test_only_plain_files_in_the_folder_are_taken_for_ours(
    con: "duckdb.DuckDBPyConnection", tmp_path: Path
) -> None:
    """A manifest that names paths, links or folders leads nowhere else."""
    folder = tmp_path / "out"
    export(con, folder, patterns=["marts.topics"])
    (tmp_path / "precious").write_text("mine")
    (folder / "link").symlink_to(tmp_path / "precious")
    (folder / "sub").mkdir()
    (folder / "sub/deep").write_text("mine")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] += [
        "../precious",
        str(tmp_path / "precious"),
        "link",
        "sub",
        "sub/deep",
        "..",
    ]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    export(con, folder, file_format="csv", patterns=["marts.topics"])
    assert (tmp_path / "precious").read_text() == (folder / "sub/deep").read_text() == "mine"
    assert (folder / "link").is_symlink()
    assert not (folder / "marts.topics.parquet").exists()


def test_a_file_that_has_a_tables_name_is_not_overwritten(
    con: "duckdb.DuckDBPyConnection", tmp_path: Path
) -> None:
    """What somebody laid into the folder is named, and nothing is written."""
    folder = tmp_path / "out"
    export(con, folder, patterns=["marts.topics"])
    (folder / "marts.my notes.parquet").write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(NotOursToReplace, match=r"my notes\.parquet is not of the export"):
        export(con, folder)
    assert contents(tmp_path) == before


def test_the_manifest_comes_last(
    con: "duckdb.DuckDBPyConnection", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where files are replaced one by one, a manifest never describes files that are to come."""
    target = tmp_path / "out"
    export(con, target, file_format="csv")
    (target / "notes.txt").write_text("mine")
    before = (target / "manifest.json").read_bytes()
    replaced: list[str] = []

    def note(file: Path) -> AbstractContextManager[Path]:
        replaced.append(file.name)
        assert (target / "manifest.json").read_bytes() == before
        return replace_file(file)

    monkeypatch.setattr(folder, "replace_file", note)
    done = export(con, target)
    assert set(replaced) == set(done.manifest["files"])
    assert json.loads((target / "manifest.json").read_text()) == done.manifest


def test_a_link_to_a_folder_is_followed(con: "duckdb.DuckDBPyConnection", tmp_path: Path) -> None:
    """The tables arrive behind the link, which stays; nothing is left beside either."""
    (tmp_path / "disk").mkdir()
    for target in ("disk", "not-yet"):
        link = tmp_path / f"link-to-{target}"
        link.symlink_to(target)
        for _ in range(2):
            done = export(con, link)
        assert str(link.readlink()) == target
        assert sorted(contents(tmp_path / target)) == sorted(done.manifest["files"])
    names = ["disk", "link-to-disk", "link-to-not-yet", "not-yet"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_the_current_folder_can_be_exported_to(
    con: "duckdb.DuckDBPyConnection", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shell that stands in it sees the files: they are replaced one by one."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for _ in range(2):
        done = export(con, Path())
        assert not done.is_whole
        assert sorted(contents(here)) == sorted(done.manifest["files"])


@pytest.mark.parametrize("folder", ["/", "/dev/null"])
def test_a_root_and_a_device_are_refused(con: "duckdb.DuckDBPyConnection", folder: str) -> None:
    """A sentence asks for another folder."""
    with pytest.raises(NotOursToReplace, match="name a"):
        export(con, Path(folder))


MOUNT = """
set -e
mkdir volume
mount {how} volume
for format in csv csv parquet; do
    "$1" -m flows --warehouse "$2" export volume --format $format --tables marts.topics
done
mountpoint -q volume
ls -A volume
"""


@pytest.mark.parametrize("how", ["-t tmpfs none", "--bind other"])
def test_a_mounted_folder_gets_the_files(
    con: "duckdb.DuckDBPyConnection", tmp_path: Path, how: str
) -> None:
    """A container's volume cannot be exchanged: its files are, and the command says so."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("no right to mount in a namespace of its own")
    warehouse = tmp_path / "warehouse.duckdb"
    con.execute(f"attach '{warehouse}' as file; copy from database memory to file; detach file")
    (tmp_path / "other").mkdir()
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", MOUNT.format(how=how), "sh", sys.executable, str(warehouse)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[-3:] == ["datapackage.json", "manifest.json", "marts.topics.parquet"]
    said = "volume cannot be exchanged as a whole: its files were replaced one by one"
    assert [line.startswith(said) for line in lines].count(True) == 3
