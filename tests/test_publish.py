"""Readers, locks and generations around a refresh."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from flows import publish
from flows.house import House, Locked, current, generation_ids, locked, receipts, witness
from flows.reading import reading
from flows.working import NotAWarehouse, WarehouseDamaged
from tests.conftest import Content, article

# An analyst's session in a process of its own: open, query, say so, wait, query again.
SESSION = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "ro") as con:
    if sys.argv[2] == "rw":
        con.execute("create table if not exists mine as select 42 as answer")
    print(con.execute("select count(*) from raw.articles").fetchall()[0][0], flush=True)
    sys.stdin.readline()
    print(con.execute("select count(*) from raw.articles").fetchall()[0][0], flush=True)
"""


def edit(content: Content) -> None:
    """Give the next build something to do."""
    content.write("_news/2025-03-05-d.md", article(title="d"))


@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_an_open_session_and_a_build_do_not_disturb_each_other(three: Content, mode: str) -> None:
    """A session in another process, even one that writes, never blocks a build, nor is blocked."""
    # The generations are read-only; whoever may write to them all the same must do no harm.
    three.warehouse.resolve().chmod(0o644)
    with subprocess.Popen(
        [sys.executable, "-c", SESSION, str(three.warehouse), mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as session:
        assert session.stdout
        assert session.stdin
        assert session.stdout.readline() == "3\n"
        edit(three)
        assert three.build().published
        assert three.query("select count(*) from raw.articles") == [(4,)]
        session.stdin.write("\n")
        session.stdin.flush()
        assert session.stdout.readline() == "3\n"
    assert session.returncode == 0
    edit(three)
    assert three.query("select count(*) from raw.articles") == [(4,)]


def test_our_own_reading_is_not_shut_out_by_a_write_session(three: Content) -> None:
    """Where somebody has the published file open for writing, our readers read its bytes."""
    three.warehouse.resolve().chmod(0o644)
    with subprocess.Popen(
        [sys.executable, "-c", SESSION, str(three.warehouse), "rw"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as session:
        assert session.stdout
        assert session.stdout.readline() == "3\n"
        with reading(House(three.warehouse)) as con:
            assert con.execute("select count(*) from raw.articles").fetchall() == [(3,)]
        session.communicate("\n")


def test_a_second_refresh_is_refused_while_one_is_at_work(three: Content) -> None:
    """The holder of the lock is named, with exit code 75."""
    house = House(three.warehouse)
    with (
        locked(house),
        pytest.raises(Locked, match=f"refreshed by process {os.getpid()} since") as refused,
    ):
        three.build()
    assert refused.value.exit_code == 75


def test_a_lock_file_that_nobody_holds_does_not_block(three: Content) -> None:
    """The lock is the kernel's, not the file: a file left by a crash is no obstacle."""
    House(three.warehouse).lock.write_text("left behind")
    assert not three.build().published


def test_the_published_file_is_read_only_and_whole(three: Content) -> None:
    """What readers see is a link to a file of mode 0444 without a log beside it."""
    published = three.warehouse.resolve()
    assert three.warehouse.is_symlink()
    assert published.stat().st_mode & 0o777 == 0o444
    assert sorted(p.name for p in published.parent.iterdir()) == [published.name]


def test_three_generations_are_kept(three: Content) -> None:
    """Older files are removed, with whatever a session left beside them."""
    first = three.warehouse.resolve()
    first.with_name(f"{first.name}.wal").write_bytes(b"")
    for quality in range(4):
        three.write("_news/2025-03-04-a.md", article(title="a", quality=quality))
        three.build()
    house = House(three.warehouse)
    assert len(generation_ids(house)) == 3
    assert not first.exists()
    assert not first.with_name(f"{first.name}.wal").exists()


def test_a_rollback_publishes_an_earlier_run_and_builds_go_on_from_there(three: Content) -> None:
    """After a rollback readers see the old rows, and the next build finds the change again."""
    house = House(three.warehouse)
    first = current(house)
    assert first
    edit(three)
    three.build()
    publish.roll_back(house, first)
    assert three.query("select count(*) from raw.articles") == [(3,)]
    assert three.build().new == 1
    assert three.query("select count(*) from raw.articles") == [(4,)]


def test_a_run_that_is_not_kept_cannot_be_rolled_back_to(three: Content) -> None:
    """The message names the runs that are."""
    house = House(three.warehouse)
    with pytest.raises(publish.NoSuchGeneration, match=f"these are: {current(house)}"):
        publish.roll_back(house, "2001")


@pytest.mark.parametrize(
    "contents",
    [b"", b"not a database at all, but long enough to be one" * 100],
    ids=["empty", "foreign"],
)
def test_a_file_that_is_not_ours_is_never_overwritten(content: Content, contents: bytes) -> None:
    """Whatever else lies at the warehouse's path stays there, byte for byte."""
    content.write("a.md", article())
    content.warehouse.write_bytes(contents)
    with pytest.raises(NotAWarehouse, match="cannot be opened as a DuckDB database"):
        content.build()
    assert content.warehouse.read_bytes() == contents


def test_a_database_of_somebody_else_is_never_overwritten(content: Content) -> None:
    """A DuckDB file without our tables is left alone."""
    content.write("a.md", article())
    with duckdb.connect(str(content.warehouse)) as con:
        con.execute("create table theirs as select 1 as n")
    with pytest.raises(NotAWarehouse, match="matterhouse did not make"):
        content.build()
    with duckdb.connect(str(content.warehouse), read_only=True) as con:
        assert con.execute("from theirs").fetchall() == [(1,)]


def test_a_warehouse_that_lost_rows_is_noticed(three: Content) -> None:
    """The receipt beside the file is the witness of what it must hold."""
    published = three.warehouse.resolve()
    published.chmod(0o644)
    with duckdb.connect(str(published)) as con:
        con.execute("delete from raw.articles where title = 'a'")
    with pytest.raises(WarehouseDamaged, match=r"raw\.articles holds 2 rows"):
        three.build()


def test_a_warehouse_that_was_copied_as_a_plain_file_is_taken_over(three: Content) -> None:
    """A file brought from elsewhere goes on as a warehouse, and is kept as a generation."""
    bytes_of_it = three.warehouse.read_bytes()
    three.warehouse.unlink()
    three.warehouse.write_bytes(bytes_of_it)
    edit(three)
    assert three.build().new == 1
    assert three.warehouse.is_symlink()


def test_every_refresh_leaves_one_line_beside_the_warehouse(three: Content) -> None:
    """Published, unchanged and failed refreshes are told apart in the receipts."""
    three.build()
    three.source.rename(three.source.with_name("elsewhere"))
    with pytest.raises(Exception, match="does not exist"):
        three.build()
    entries = receipts(House(three.warehouse))
    assert [(e["published"], "error" in e) for e in entries] == [
        (True, False),
        (False, False),
        (False, True),
    ]


def test_a_receipt_that_a_crash_cut_short_harms_no_other(three: Content) -> None:
    """A torn last line is passed over, and the next receipt begins on a line of its own."""
    house = House(three.warehouse)
    with house.receipts.open("a") as file:
        file.write('{"run_id": "torn')
    witness(house, {"run_id": "next"})
    assert [entry.get("run_id") for entry in receipts(house)][1:] == ["next"]
    assert json.loads(house.receipts.read_text().splitlines()[-1]) == {"run_id": "next"}


def test_the_lock_file_names_the_process(three: Content) -> None:
    """Whoever waits can see for whom."""
    house = House(three.warehouse)
    with locked(house), house.lock.open() as file:
        assert json.load(file)["pid"] == os.getpid()
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_leftovers_of_a_killed_refresh_are_cleared(three: Content) -> None:
    """Working files, their logs and spill folders of an earlier process go away."""
    generations = House(three.warehouse).generations
    (generations / ".working-1.duckdb").write_bytes(b"x")
    (generations / ".working-1.duckdb.tmp").mkdir()
    three.build()
    assert [p for p in generations.iterdir() if p.name.startswith(".")] == []


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

    monkeypatch.setattr("flows.load.finish", fail)
    with pytest.raises(MemoryError):
        three.build()
    assert published_bytes(three.warehouse) == before
    assert [p.name for p in three.warehouse.resolve().parent.iterdir()] == [
        three.warehouse.resolve().name
    ]
