"""Generations: published, kept, rolled back to."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows import MatterhouseError, cli
from flows.warehouse import generations
from flows.warehouse.generations import generation_ids
from flows.warehouse.paths import WarehousePaths, current
from flows.warehouse.run_log import read_runs
from tests.conftest import Content, article, edit


def test_the_published_file_is_read_only_and_whole(three: Content) -> None:
    """What readers see is a link to a file of mode 0444 without a log beside it."""
    published = three.warehouse.resolve()
    assert three.warehouse.is_symlink()
    assert published.stat().st_mode & 0o777 == 0o444
    assert sorted(p.name for p in published.parent.iterdir()) == [published.name]


def test_three_generations_are_kept(three: Content) -> None:
    """Older files are removed, with the log that a session left beside them; foreign files stay."""
    paths = WarehousePaths(three.warehouse)
    first, second = three.warehouse.resolve(), rescore(three, 1)
    first.with_name(f"{first.name}.wal").write_bytes(b"")
    foreign = paths.generation(second).with_name("notes.txt")
    foreign.write_text("mine")
    later = [rescore(three, quality) for quality in range(2, 5)]
    assert generation_ids(paths) == later
    assert {path.name for path in paths.generations.iterdir()} == {second, *later}
    assert foreign.read_text() == "mine"


def rescore(content: Content, quality: int) -> str:
    """Change an article, build, and return the run."""
    content.write("_news/2025-03-04-a.md", article(title="a", quality=quality))
    return content.build().run_id


def test_a_rollback_publishes_an_earlier_run_and_builds_go_on_from_there(three: Content) -> None:
    """After a rollback readers see the old rows, and the next build finds the change again."""
    paths = WarehousePaths(three.warehouse)
    first = current(paths)
    assert first
    edit(three)
    three.build()
    assert generations.roll_back(paths, first) == first
    assert three.query("select count(*) from raw.articles") == [(3,)]
    assert three.build().new == 1
    assert three.query("select count(*) from raw.articles") == [(4,)]


def test_the_line_that_leads_to_the_present_outlives_rejected_runs(
    three: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a rollback the run that was gone back to is kept, and the newest of the rejected."""
    paths = WarehousePaths(three.warehouse)
    good = current(paths)
    assert good
    rejected = [rescore(three, quality) for quality in (11, 12)]
    generations.roll_back(paths, good)
    successor = rescore(three, 13)
    assert sorted(generation_ids(paths)) == sorted([good, rejected[1], successor])
    named = ["--warehouse", str(three.warehouse)]
    capsys.readouterr()
    assert cli.main([*named, "diff", "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert (compared["earlier"], compared["later"]) == (good, successor)
    assert [a["quality_after"] for a in compared["articles"]] == [13]
    latest = [rescore(three, quality) for quality in (14, 15)]
    assert sorted(generation_ids(paths)) == sorted([successor, *latest])
    generations.roll_back(paths, successor)
    assert three.query("select quality from raw.articles where title = 'a'") == [(13,)]


def test_receipts_that_are_lost_lose_no_generation(three: Content) -> None:
    """Without receipts the newest are kept, as their ids tell, and the published one always."""
    paths = WarehousePaths(three.warehouse)
    runs = [rescore(three, quality) for quality in range(2)]
    paths.receipts.unlink()
    generations.roll_back(paths, runs[0])
    paths.receipts.unlink()
    runs += [rescore(three, quality) for quality in (3, 4)]
    assert generation_ids(paths) == [runs[1], *runs[2:]]


def test_a_rollback_says_that_builds_go_on_from_there(
    three: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    """The beginning of an id is enough, and whoever has a schedule is warned."""
    run_id = current(WarehousePaths(three.warehouse))
    assert run_id
    edit(three)
    three.build()
    capsys.readouterr()
    command = ["--warehouse", str(three.warehouse), "runs", "--rollback", run_id[:-3]]
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    assert f"is run {run_id} again" in said
    assert "The next build, a scheduled one too, goes on from it" in said


def test_without_a_kept_run_there_is_nothing_to_go_back_to(content: Content) -> None:
    """The message lists no runs that are not there."""
    paths = WarehousePaths(content.warehouse)
    with pytest.raises(MatterhouseError) as refused:
        generations.roll_back(paths, "2025")
    assert str(refused.value) == f"no run of {paths.warehouse} is kept that it could go back to"


@pytest.mark.parametrize("name", ["2001", "", ".", "../evil", "../../evil", "/evil", ".working"])
def test_only_runs_of_this_warehouse_can_be_rolled_back_to(three: Content, name: str) -> None:
    """No path leads to another file, and the message names the runs that are kept."""
    paths = WarehousePaths(three.warehouse)
    for evil in (paths.generations.parent / "evil", paths.generations / "evil"):
        evil.mkdir()
        (evil / three.warehouse.name).write_bytes(three.warehouse.read_bytes())
    before = three.warehouse.readlink()
    with pytest.raises(MatterhouseError, match=f"these are: {current(paths)}"):
        generations.roll_back(paths, name)
    assert three.warehouse.readlink() == before


def test_the_beginning_of_several_runs_names_none(three: Content) -> None:
    """It would be a guess."""
    edit(three)
    three.build()
    with pytest.raises(MatterhouseError, match="20 is the beginning of several runs"):
        generations.roll_back(WarehousePaths(three.warehouse), "20")


def test_a_damaged_generation_is_not_published_again(three: Content) -> None:
    """Its bytes are compared with its receipt first; readers keep what they have."""
    paths = WarehousePaths(three.warehouse)
    first = current(paths)
    assert first
    edit(three)
    three.build()
    file = paths.generation(first)
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-4096])
    with pytest.raises(generations.WarehouseDamaged, match=f"not the file that run {first} publ"):
        generations.roll_back(paths, first)
    assert three.query("select count(*) from raw.articles") == [(4,)]
    assert len(read_runs(paths)) == 2


def test_a_session_on_a_generation_outlives_its_removal(three: Content) -> None:
    """Who has a run open reads it to the end, while later runs are published and pruned."""
    first = three.warehouse.resolve()
    with duckdb.connect(str(first), read_only=True) as con:
        for quality in range(4):
            rescore(three, quality)
        assert not first.exists()
        assert con.execute("select list(title order by title) from raw.articles").fetchall() == [
            (["a", "b", "c"],)
        ]


@pytest.mark.usefixtures("with_reports")
def test_an_error_after_the_flip_is_a_note_on_a_published_run(
    three: Content, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Readers see the new rows, so exit code and receipt say so, whatever fails from then on."""
    edit(three)
    failed = "an old generation could not be removed: Permission denied: old"

    def fail(*args: object) -> None:
        raise PermissionError(13, "Permission denied", "old")

    monkeypatch.setattr(generations, "prune", fail)
    command = ["--warehouse", str(three.warehouse), "build", str(three.source), "--quiet"]
    assert cli.main(command) == 0
    assert capsys.readouterr().err == f"matterhouse: {failed}\n"
    assert three.query("select count(*) from raw.articles") == [(4,)]
    assert read_runs(WarehousePaths(three.warehouse))[-1]["published"] is True


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
def test_whoever_fails_after_moving_the_link_has_published(
    three: Content, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """The link is what readers follow: where it leads decides, not who raised what."""
    edit(three)
    switch_to = generations.switch_to

    def fail(*args: Any) -> None:
        switch_to(*args)
        raise error

    monkeypatch.setattr(generations, "switch_to", fail)
    receipt = three.build()
    assert (receipt.published, len(receipt.notes)) == (True, 1)
    assert receipt.notes[0].startswith("the warehouse is published, although: ")
    assert [r["published"] for r in read_runs(WarehousePaths(three.warehouse))] == [True, True]


def test_a_warehouse_that_was_copied_as_a_plain_file_is_taken_over(three: Content) -> None:
    """A file brought from elsewhere goes on as a warehouse, and is kept as a generation."""
    bytes_of_it = three.warehouse.read_bytes()
    three.warehouse.unlink()
    three.warehouse.write_bytes(bytes_of_it)
    edit(three)
    assert three.build().new == 1
    assert three.warehouse.is_symlink()


def published_bytes(path: Path) -> bytes:
    """Return the bytes that readers see."""
    return path.resolve().read_bytes()


def test_a_failed_refresh_leaves_the_published_bytes_alone(
    three: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in the middle, the readers' file is the same file."""
    before = published_bytes(three.warehouse)
    edit(three)

    def fail(*args: object) -> None:
        raise MemoryError

    monkeypatch.setattr("flows.load.merge.finish", fail)
    with pytest.raises(MemoryError):
        three.build()
    assert published_bytes(three.warehouse) == before
    assert [p.name for p in three.warehouse.resolve().parent.iterdir()] == [
        three.warehouse.resolve().name
    ]
