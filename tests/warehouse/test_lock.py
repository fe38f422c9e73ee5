"""One run at a time, and what an ended one left."""

import fcntl
import json
import os

import pytest

from flows.pipeline.context import Request
from flows.pipeline.run import run
from flows.warehouse.lock import Locked, hold_lock
from flows.warehouse.paths import WarehousePaths
from tests.conftest import Content


def test_a_second_refresh_is_refused_while_one_is_at_work(three: Content) -> None:
    """The holder of the lock is named, with exit code 75, and nobody is woken for it."""
    finished: list[object] = []
    with (
        hold_lock(WarehousePaths(three.warehouse)),
        pytest.raises(Locked, match=f"built by process {os.getpid()} since") as refused,
    ):
        run(Request(three.source, three.warehouse), on_finished=finished.append)
    assert (refused.value.exit_code, finished) == (75, [])


def test_a_lock_file_that_nobody_holds_does_not_block(three: Content) -> None:
    """The lock is the kernel's, not the file: a file left by a crash is no obstacle."""
    WarehousePaths(three.warehouse).lock.write_text("left behind")
    assert not three.build().published


def test_the_lock_file_names_the_process_and_nothing_of_its_command(three: Content) -> None:
    """Whoever waits can see for whom; a command line can hold secrets."""
    paths = WarehousePaths(three.warehouse)
    with hold_lock(paths), paths.lock.open() as file:
        holder = json.load(file)
        assert (holder.pop("pid"), list(holder)) == (os.getpid(), ["since"])
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_leftovers_of_a_killed_refresh_are_cleared(three: Content) -> None:
    """Working files, their logs and spill folders of an earlier process go away."""
    generations = WarehousePaths(three.warehouse).generations
    (generations / ".working").mkdir()
    (generations / ".working" / "warehouse.duckdb").write_bytes(b"x")
    (generations / ".working.tmp").mkdir()
    (generations / ".working.link").symlink_to("nowhere")
    three.build()
    assert [p for p in generations.iterdir() if p.name.startswith(".")] == []


def test_the_folder_of_a_generation_that_was_being_removed_is_cleared(three: Content) -> None:
    """A build that died between the file and its folder is tidied up after by one without news."""
    generations = WarehousePaths(three.warehouse).generations
    empty, kept = generations / "20250101T000000000000Z", generations / "20250102T000000000000Z"
    empty.mkdir()
    kept.mkdir()
    (kept / "notes.txt").write_text("somebody's")
    assert not three.build().published
    assert not empty.exists()
    assert (kept / "notes.txt").read_text() == "somebody's"
