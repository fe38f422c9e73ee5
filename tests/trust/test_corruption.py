"""A damaged warehouse is never overwritten, and following the message's advice mends it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flows import cli, publish
from tests.conftest import Content, article
from tests.trust.invariants import contents, faults, strays


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
    house = publish.House(three.warehouse)
    first = publish.current(house)
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


@pytest.mark.parametrize("log", [b"", b"\0" * 100, b"not a log at all"])
def test_a_leftover_log_cannot_touch_a_generation(three: Content, log: bytes) -> None:
    """What a session left beside the link or beside the file is not replayed by a build."""
    before = contents(three.warehouse)
    published = three.warehouse.resolve()
    for file in (published, three.warehouse):
        file.with_name(f"{file.name}.wal").write_bytes(log)
    three.write("_news/2025-03-05-d.md", article(title="d"))
    assert three.build().published
    assert faults(three.warehouse) == []
    assert len(contents(three.warehouse)["raw.articles"]) == len(before["raw.articles"]) + 1


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
