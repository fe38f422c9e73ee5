"""The lock, the leftovers and the receipts beside a warehouse."""

import fcntl
import json
import os

import pytest

from flows.warehouse.paths import Locked, WarehousePaths, append_run, locked, read_runs
from tests.conftest import Content


def test_a_second_refresh_is_refused_while_one_is_at_work(three: Content) -> None:
    """The holder of the lock is named, with exit code 75."""
    paths = WarehousePaths(three.warehouse)
    with (
        locked(paths),
        pytest.raises(Locked, match=f"refreshed by process {os.getpid()} since") as refused,
    ):
        three.build()
    assert refused.value.exit_code == 75


def test_a_lock_file_that_nobody_holds_does_not_block(three: Content) -> None:
    """The lock is the kernel's, not the file: a file left by a crash is no obstacle."""
    WarehousePaths(three.warehouse).lock.write_text("left behind")
    assert not three.build().published


def test_the_lock_file_names_the_process(three: Content) -> None:
    """Whoever waits can see for whom."""
    paths = WarehousePaths(three.warehouse)
    with locked(paths), paths.lock.open() as file:
        assert json.load(file)["pid"] == os.getpid()
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_leftovers_of_a_killed_refresh_are_cleared(three: Content) -> None:
    """Working files, their logs and spill folders of an earlier process go away."""
    generations = WarehousePaths(three.warehouse).generations
    (generations / ".working-1.duckdb").write_bytes(b"x")
    (generations / ".working-1.duckdb.tmp").mkdir()
    three.build()
    assert [p for p in generations.iterdir() if p.name.startswith(".")] == []


def test_every_refresh_leaves_one_line_beside_the_warehouse(three: Content) -> None:
    """Published, unchanged and failed refreshes are told apart in the receipts."""
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
    """A torn last line is passed over, and the next receipt begins on a line of its own."""
    paths = WarehousePaths(three.warehouse)
    with paths.receipts.open("a") as file:
        file.write('{"run_id": "torn')
    append_run(paths, {"run_id": "next"})
    assert [entry.get("run_id") for entry in read_runs(paths)][1:] == ["next"]
    assert json.loads(paths.receipts.read_text().splitlines()[-1]) == {"run_id": "next"}
