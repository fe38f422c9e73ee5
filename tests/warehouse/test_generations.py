"""Generations: published, kept, rolled back to."""

from pathlib import Path

import pytest

from flows.warehouse import generations
from flows.warehouse.paths import WarehousePaths, current, generation_ids
from tests.conftest import Content, article, edit


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
    paths = WarehousePaths(three.warehouse)
    assert len(generation_ids(paths)) == 3
    assert not first.exists()
    assert not first.with_name(f"{first.name}.wal").exists()


def test_a_rollback_publishes_an_earlier_run_and_builds_go_on_from_there(three: Content) -> None:
    """After a rollback readers see the old rows, and the next build finds the change again."""
    paths = WarehousePaths(three.warehouse)
    first = current(paths)
    assert first
    edit(three)
    three.build()
    generations.roll_back(paths, first)
    assert three.query("select count(*) from raw.articles") == [(3,)]
    assert three.build().new == 1
    assert three.query("select count(*) from raw.articles") == [(4,)]


def test_a_run_that_is_not_kept_cannot_be_rolled_back_to(three: Content) -> None:
    """The message names the runs that are."""
    paths = WarehousePaths(three.warehouse)
    with pytest.raises(generations.NoSuchGeneration, match=f"these are: {current(paths)}"):
        generations.roll_back(paths, "2001")


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
