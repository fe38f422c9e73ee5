"""Each call that can fail fails once: the old warehouse stays, and one line says why."""

import builtins
import errno
import io
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows import cli, models, publish
from tests.conftest import Content, article
from tests.trust.invariants import Contents, contents, strays

ERRORS: list[Callable[[], BaseException]] = [
    lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    lambda: OSError(errno.EIO, os.strerror(errno.EIO)),
    lambda: OSError(errno.EACCES, os.strerror(errno.EACCES)),
    lambda: OSError(errno.EINTR, os.strerror(errno.EINTR)),
    MemoryError,
]
DUCKDB_ERRORS: list[Callable[[], BaseException]] = [
    lambda: duckdb.IOException("IO Error: no space left\nsecond line"),
    lambda: duckdb.OutOfMemoryException("Out of Memory Error: 1 GB used"),
    MemoryError,
]
# Path's methods end in these; `open` is what the shutil module and Path.open call.
CALLS: list[tuple[Any, str]] = [
    (os, "open"),
    (os, "read"),
    (os, "fstat"),
    (os, "fsync"),
    (os, "replace"),
    (os, "rename"),
    (os, "symlink"),
    (os, "unlink"),
    (os, "scandir"),
    (os, "chmod"),
    (os, "mkdir"),
    (io, "open"),
    (builtins, "open"),
]


class Fuse:
    """Counts calls and lets the n-th one fail."""

    def __init__(self, nth: int, errors: list[Callable[[], BaseException]]) -> None:
        self.nth, self.errors, self.calls = nth, errors, 0

    def count(self) -> None:
        """Note a call."""
        self.calls += 1
        if self.calls == self.nth:
            raise self.errors[self.nth % len(self.errors)]()

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return the call with the fuse before it."""

        def counted(*args: Any, **options: Any) -> Any:
            self.count()
            return call(*args, **options)

        return counted


class FusedConnection:
    """A DuckDB connection whose statements pass the fuse."""

    def __init__(self, con: duckdb.DuckDBPyConnection, fuse: Fuse) -> None:
        self._con, self._fuse = con, fuse

    def __enter__(self) -> "FusedConnection":
        return self

    def __exit__(self, *error: object) -> None:
        self._con.close()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._con, name)
        return self._fuse.wrap(found) if name in ("execute", "register") else found


@contextmanager
def failing_system(nth: int) -> Iterator[Fuse]:
    """Let the n-th call of the operating system fail."""
    fuse = Fuse(nth, ERRORS)
    with pytest.MonkeyPatch.context() as patched:
        for module, name in CALLS:
            patched.setattr(module, name, fuse.wrap(getattr(module, name)))
        yield fuse


@contextmanager
def failing_database(nth: int) -> Iterator[Fuse]:
    """Let the n-th statement fail."""
    fuse = Fuse(nth, DUCKDB_ERRORS)
    connect = duckdb.connect

    def fused(*args: Any, **options: Any) -> Any:
        fuse.count()
        return FusedConnection(connect(*args, **options), fuse)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(duckdb, "connect", fused)
        yield fuse


class Ground:
    """A warehouse that is built, a change to load, and both states to compare with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        content = Content(folder)
        for name in ("a", "b", "gone"):
            content.write(f"{name}.md", article(title=name))
        content.build()
        self.before = contents(content.warehouse, "raw", "ops")
        shutil.copytree(folder, folder.with_name("start"), symlinks=True)
        self.change(content)
        content.build()
        self.after = contents(content.warehouse, "raw", "ops")

    def change(self, content: Content) -> None:
        """Edit, add and delete."""
        content.write("a.md", article(title="a", quality=7))
        content.write("new.md", article(title="new"))
        (content.source / "gone.md").unlink()

    def restart(self) -> Content:
        """Return to the state before the change was loaded."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.folder.with_name("start"), self.folder, symlinks=True)
        content = Content.__new__(Content)
        content.source = self.folder / "content"
        content.warehouse = self.folder / "warehouse.duckdb"
        self.change(content)
        return content


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """Give a ground whose builds leave the reports out, which only take time here."""
    files = models.files
    monkeypatch.setattr(models, "files", lambda layer: files(layer) if layer in KEPT else [])
    (tmp_path / "ground").mkdir()
    return Ground(tmp_path / "ground")


KEPT = ("ops", "raw")
# All of them take three minutes: EVERY_CALL=1 python -m pytest tests/trust/test_failing_calls.py
STRIDE = 1 if os.environ.get("EVERY_CALL") else 11


def build(content: Content) -> int:
    """Run the command."""
    named = ["--warehouse", str(content.warehouse), "build", str(content.source), "--json"]
    return cli.main([*named, "--accept-loss"])


@pytest.mark.parametrize("failing", [failing_system, failing_database])
def test_any_call_can_fail(
    ground: Ground, capsys: pytest.CaptureFixture[str], failing: Callable[[int], Any]
) -> None:
    """For every n: exit code 1 with one line and the old rows, or a build that hides nothing."""
    failed = 0
    for nth in itertools.count(1, STRIDE):
        content = ground.restart()
        capsys.readouterr()
        with failing(nth) as fuse:
            code = build(content)
        if fuse.calls < nth:
            break
        said = capsys.readouterr().err
        published = contents(content.warehouse, "raw", "ops")
        if code:
            failed += 1
            assert (code, said.count("\n")) == (1, 1), f"call {nth}: {said}"
            assert published in (ground.before, ground.after), f"call {nth}: {said}"
            assert build(content) == 0
            assert contents(content.warehouse, "raw", "ops") == ground.after, f"call {nth}: {said}"
        else:
            assert accounted(published) == accounted(ground.after), f"call {nth}"
            assert build(content) == 0
            assert current(contents(content.warehouse, "raw", "ops")) == current(ground.after)
        assert strays(content.warehouse) == [], f"call {nth}"
    assert failed > 20 // STRIDE


def accounted(found: Contents) -> list[str]:
    """Return the paths that the ledger knows."""
    return sorted(row[0] for row in found["ops.files"])


def current(found: Contents) -> Contents:
    """Leave the history out: a file that could not be read for one build left and returned."""
    return {table: rows for table, rows in found.items() if table != "raw.article_versions"}


def test_a_full_disk_is_one_line(three: Content, capsys: pytest.CaptureFixture[str]) -> None:
    """The real thing, where a small file system can be mounted: old rows, and a way on."""
    house = three.warehouse.with_name("small")
    house.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=24m tmpfs '{house}' 2>&-"):
        pytest.skip("a small file system cannot be mounted here")
    try:
        content = Content.__new__(Content)
        content.source, content.warehouse = three.source, house / "warehouse.duckdb"
        filler = house / "filler"
        codes = [build(content)]
        before = contents(content.warehouse)
        filler.write_bytes(b"\0" * (shutil.disk_usage(house).free - 400_000))
        three.write("_news/2025-03-05-d.md", article(title="d"))
        capsys.readouterr()
        codes.append(build(content))
        assert capsys.readouterr().err.count("\n") == 1
        assert contents(content.warehouse) == before
        filler.unlink()
        codes.append(build(content))
        assert codes == [0, 1, 0]
        assert strays(content.warehouse) == []
        assert publish.current(publish.House(content.warehouse))
    finally:
        os.system(f"umount -l '{house}'")
