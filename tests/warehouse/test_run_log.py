"""The receipts beside a warehouse."""

import json

import pytest

from flows import cli
from flows.warehouse.paths import WarehousePaths, current
from flows.warehouse.run_log import KEPT_RECEIPTS, append_run, read_runs
from tests.conftest import Content, edit


def test_every_refresh_leaves_one_line_beside_the_warehouse(three: Content) -> None:
    """Published, unchanged and failed runs are told apart in the receipts."""
    three.build()
    three.source.rename(three.source.with_name("elsewhere"))
    with pytest.raises(Exception, match="does not exist"):
        three.build()
    entries = read_runs(WarehousePaths(three.warehouse))
    assert [(e["published"], "error" in e) for e in entries] == [
        (True, False),
        (False, False),
        (False, True),
    ]


def test_a_receipt_that_a_crash_cut_short_harms_no_other(three: Content) -> None:
    """A torn or foreign line is passed over, and the next receipt begins on a line of its own."""
    paths = WarehousePaths(three.warehouse)
    with paths.receipts.open("a") as file:
        file.write('{"published": true}\n[]\n{"run_id": "torn')
    append_run(paths, {"run_id": "next"})
    assert [entry["run_id"] for entry in read_runs(paths)][1:] == ["next"]
    assert json.loads(paths.receipts.read_text().splitlines()[-1]) == {"run_id": "next"}


def test_receipts_of_years_are_kept_small(three: Content) -> None:
    """The newest stay, and of those that published as many as of all the others."""
    paths = WarehousePaths(three.warehouse)
    (first,) = read_runs(paths)
    with paths.receipts.open("a") as file:
        for number in range(3_000):
            kind = {"error": "x" * 400} if number % 2 else {}
            file.write(json.dumps({"run_id": f"{number}", "published": False, **kind}) + "\n")
    assert len(read_runs(paths)) == KEPT_RECEIPTS + 1
    append_run(paths, {"run_id": "last", "published": False, "error": "y" * 400_000})
    runs = [entry["run_id"] for entry in read_runs(paths)]
    assert runs == [first["run_id"], *(f"{n}" for n in range(2_751, 3_000)), "last"]
    assert len(paths.receipts.read_text().splitlines()) == KEPT_RECEIPTS + 1
    assert read_runs(paths)[0] == first
    assert not three.build().published


def test_receipts_of_somebody_else_stop_a_build_before_it_begins(
    three: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    """What could not be noted is not published, so that exit code 1 is true."""
    paths = WarehousePaths(three.warehouse)
    paths.receipts.unlink()
    paths.receipts.mkdir()  # No account can write to that as to a file, not even root.
    edit(three)
    named = ["--warehouse", str(three.warehouse)]
    for command in (["build", str(three.source)], ["runs", "--rollback", str(current(paths))]):
        assert cli.main([*named, *command]) == 1
        said = capsys.readouterr().err
        assert "runs.jsonl cannot be written (Is a directory), so nothing was done" in said
    assert three.query("select count(*) from raw.articles") == [(3,)]


def test_a_receipt_that_cannot_be_written_after_all_is_a_note(
    three: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk, say: the run is published, and its row in ops.runs is there."""
    edit(three)

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flows.pipeline.run.append_run", fail)
    receipt = three.build()
    assert (receipt.published, len(receipt.notes)) == (True, 1)
    assert "runs.jsonl: No space left on device" in receipt.notes[0]
    assert three.query("select count(*) from ops.runs") == [(2,)]
