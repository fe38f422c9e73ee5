"""A damaged warehouse is never overwritten, and following the message's advice mends it."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import cli
from flows.warehouse.paths import WarehousePaths, current
from flows.warehouse.published import WarehouseDamaged
from tests.conftest import Content, article
from tests.trust.invariants import contents, faults, strays

pytestmark = pytest.mark.usefixtures("without_reports")


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    for at in range(0, 12_288, 7):
        data[at] ^= 0xFF
    file.write_bytes(data)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _foreign(file: Path) -> None:
    file.write_bytes(b"SQLite format 3\0" + b"\0" * 4096)


def _newer(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[12:20] = (9999).to_bytes(8, "little")  # The storage version, after checksum and magic.
    file.write_bytes(data)


@pytest.mark.parametrize("damage", [_truncate, _flip, _empty, _foreign, _newer])
def test_a_damaged_generation_is_left_alone_and_a_rollback_mends_it(
    three: Content, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], None]
) -> None:
    """One line that names the way on; that way leads back to a warehouse that builds."""
    paths = WarehousePaths(three.warehouse)
    first = current(paths)
    assert first
    three.write("_news/2025-03-05-d.md", article(title="d"))
    three.build()
    expected = contents(three.warehouse)
    published = three.warehouse.resolve()
    published.chmod(0o644)
    damage(published)
    bytes_before = published.read_bytes()
    named = ["--warehouse", str(three.warehouse)]
    capsys.readouterr()
    assert cli.main([*named, "build", str(three.source), "--full"]) == 1
    said = capsys.readouterr().err
    assert (said.count("\n"), "--rollback" in said) == (1, True), said
    assert published.read_bytes() == bytes_before
    assert cli.main([*named, "runs", "--rollback", first]) == 0
    assert cli.main([*named, "build", str(three.source)]) == 0
    assert contents(three.warehouse) == expected
    assert faults(three.warehouse) == []
    assert strays(three.warehouse) == []


# A session of another program that changes the published file, and is killed before its changes
# are anywhere but in its log.
DYING_SESSION = """
import os, signal, sys, duckdb
con = duckdb.connect(sys.argv[1])
con.execute("set checkpoint_threshold = '1TB'")
for title in "abc":
    con.execute(f"delete from raw.articles where title = '{title}'")
con.execute("create table mine as select 42 as answer")
os.kill(os.getpid(), signal.SIGKILL)
"""


def _log_of_a_killed_session(content: Content) -> Path:
    content.warehouse.resolve().chmod(0o644)
    killed = subprocess.run(
        [sys.executable, "-c", DYING_SESSION, str(content.warehouse)], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    (log,) = content.warehouse.resolve().parent.glob("*.wal")
    return log


def _build(content: Content) -> int:
    command = ["--warehouse", str(content.warehouse), "build", str(content.source)]
    return cli.main([*command, "--accept-loss"])


def test_the_log_of_a_killed_session_is_noticed_wherever_it_is_cut(
    three: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    """Readers see rows vanish without an error; a build stops, and its advice brings them back."""
    expected = contents(three.warehouse)
    whole_file = three.warehouse.resolve().read_bytes()
    log = _log_of_a_killed_session(three)
    whole_log = log.read_bytes()
    seen = []
    for kept in range(len(whole_log), 0, -len(whole_log) // 8):
        log.write_bytes(whole_log[:kept])
        seen += three.query("select count(*) from raw.articles")
        capsys.readouterr()
        assert _build(three) == 1
        said = capsys.readouterr().err
        assert (said.count("\n"), "Move it away" in said, str(log) in said) == (1, True, True), said
        assert log.read_bytes() == whole_log[:kept]
        assert three.warehouse.resolve().read_bytes() == whole_file
    assert {(0,), (1,), (2,)} <= set(seen), "the cut logs open silently with fewer rows"
    log.rename(three.warehouse.with_name("log-of-somebody"))
    assert _build(three) == 0
    assert contents(three.warehouse) == expected
    three.write("_news/2025-03-05-d.md", article(title="d"))
    assert three.build().published
    assert faults(three.warehouse) == []


def test_a_rollback_leads_away_from_a_killed_sessions_log(three: Content) -> None:
    """The message's other way: an earlier run has no such log, and builds go on from it."""
    first = current(WarehousePaths(three.warehouse))
    three.write("_news/2025-03-05-d.md", article(title="d"))
    three.build()
    expected = contents(three.warehouse)
    _log_of_a_killed_session(three)
    assert _build(three) == 1
    named = ["--warehouse", str(three.warehouse)]
    assert cli.main([*named, "runs", "--rollback", str(first)]) == 0
    assert _build(three) == 0
    assert contents(three.warehouse) == expected


@pytest.mark.parametrize("log", [b"\0" * 100, b"not a log at all"], ids=["zeros", "text"])
def test_a_log_that_is_none_stops_a_build(three: Content, log: bytes) -> None:
    """What lies beside the file under the name of its log is not understood, and not ignored."""
    published = three.warehouse.resolve()
    beside = published.with_name(f"{published.name}.wal")
    beside.write_bytes(log)
    three.write("_news/2025-03-05-d.md", article(title="d"))
    with pytest.raises(WarehouseDamaged, match="was left by another program"):
        three.build()
    assert beside.read_bytes() == log


def test_a_log_beside_the_link_cannot_touch_a_generation(three: Content) -> None:
    """DuckDB looks beside the file, not beside the link: what lies there is nobody's."""
    three.warehouse.with_name("warehouse.duckdb.wal").write_bytes(b"not a log at all")
    three.write("_news/2025-03-05-d.md", article(title="d"))
    assert three.build().published
    assert three.query("select count(*) from raw.articles") == [(4,)]


def test_a_first_warehouse_that_is_damaged_can_be_moved_away(
    three: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    """With no older generation the message's other way works: move the file away and rebuild."""
    expected = contents(three.warehouse)
    published = three.warehouse.resolve()
    published.chmod(0o644)
    _truncate(published)
    command = ["--warehouse", str(three.warehouse), "build", str(three.source)]
    assert cli.main(command) == 1
    assert "move the file away to rebuild" in capsys.readouterr().err
    three.warehouse.rename(three.warehouse.with_name("damaged.duckdb"))
    assert cli.main(command) == 0
    assert contents(three.warehouse) == expected
