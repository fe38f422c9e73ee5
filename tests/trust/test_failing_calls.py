"""Each call that can fail fails once: the old warehouse stays, and one line says why."""

import builtins
import errno
import functools
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows import cli
from flows.models import files
from flows.warehouse.paths import WarehousePaths, current
from tests.conftest import Content, article
from tests.trust.invariants import Contents, contents, strays

ERRORS: dict[str, Callable[[], BaseException]] = {
    name: lambda name=name: OSError(getattr(errno, name), os.strerror(getattr(errno, name)))
    for name in ("ENOSPC", "EIO", "EACCES", "EINTR")
} | {"MemoryError": MemoryError}
DUCKDB_ERRORS: dict[str, Callable[[], BaseException]] = {
    "IOException": lambda: duckdb.IOException("IO Error: no space left\nsecond line"),
    "OutOfMemory": lambda: duckdb.OutOfMemoryException("Out of Memory Error: 1 GB used"),
    "Internal": lambda: duckdb.InternalException("INTERNAL Error: a block is broken"),
    "MemoryError": MemoryError,
}
# Path's methods end in these; `open` is what the shutil module and Path.open call. What the
# opened files are asked for is counted, too: see FusedFile.
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
    (os, "sendfile"),
]


class Fuse:
    """Notes the names of calls and lets the n-th one fail."""

    def __init__(self, nth: int, error: Callable[[], BaseException]) -> None:
        self.nth, self.error = nth, error
        self.calls: list[str] = []

    def count(self, name: str) -> None:
        """Note a call."""
        self.calls.append(name)
        if len(self.calls) == self.nth:
            raise self.error()

    def wrap(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return the call with the fuse before it."""

        def counted(*args: Any, **options: Any) -> Any:
            self.count(name)
            return call(*args, **options)

        return counted


class Fused:
    """An opened file or a connection, some of whose methods pass the fuse."""

    def __init__(self, inner: Any, fuse: Fuse, *names: str) -> None:
        self._inner, self._fuse, self._names = inner, fuse, names

    def __enter__(self) -> "Fused":
        return self

    def __exit__(self, *error: object) -> None:
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        # Counted here and called by the caller: DuckDB looks for `frame` in the caller's variables.
        if name in self._names:
            self._fuse.count(name)
        return getattr(self._inner, name)

    def __iter__(self) -> Iterator[Any]:
        self._fuse.count("read")
        return iter(self._inner)

    def cursor(self) -> "Fused":
        """Open another session, whose statements pass the same fuse."""
        return Fused(self._inner.cursor(), self._fuse, *self._names)


@contextmanager
def failing_system(nth: int, error: Callable[[], BaseException] = MemoryError) -> Iterator[Fuse]:
    """Let the n-th call of the operating system fail."""
    fuse = Fuse(nth, error)
    opened = builtins.open

    def fused(*args: Any, **options: Any) -> Any:
        fuse.count("open file")
        return Fused(opened(*args, **options), fuse, "read", "readinto", "write", "flush")

    with pytest.MonkeyPatch.context() as patched:
        for module, name in CALLS:
            patched.setattr(module, name, fuse.wrap(name, getattr(module, name)))
        for module in (builtins, io):
            patched.setattr(module, "open", fused)
        yield fuse


@contextmanager
def failing_database(nth: int, error: Callable[[], BaseException] = MemoryError) -> Iterator[Fuse]:
    """Let the n-th statement fail."""
    fuse = Fuse(nth, error)
    connect = duckdb.connect

    def fused(*args: Any, **options: Any) -> Any:
        fuse.count("connect")
        return Fused(connect(*args, **options), fuse, "execute", "register")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(duckdb, "connect", fused)
        yield fuse


class Ground:
    """A warehouse that is built, a change to load, and both states to compare with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        content = Content(folder)
        for name in ("a", "b", "gone"):
            content.write(f"{name}.md", article(title=name))
        build(content)
        self.before = contents(content.warehouse, "raw", "ops")
        shutil.copytree(folder, folder.with_name("start"), symlinks=True)
        self.change(content)
        build(content)
        self.after = contents(content.warehouse, "raw", "ops")

    def change(self, content: Content) -> None:
        """Edit, add and delete."""
        content.write("a.md", article(title="a", quality=7))
        content.write("new.md", article(title="new"))
        (content.source / "gone.md").unlink()

    @functools.cache  # noqa: B019 - there is one ground
    def calls(self, failing: Callable[..., Any]) -> list[str]:
        """Return the calls of a build that nothing disturbs."""
        with failing(0) as undisturbed:
            assert build(self.restart()) == 0
        return undisturbed.calls

    def restart(self) -> Content:
        """Return to the state before the change was loaded."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.folder.with_name("start"), self.folder, symlinks=True)
        content = Content.__new__(Content)
        content.source = self.folder / "content"
        content.warehouse = self.folder / "warehouse.duckdb"
        self.change(content)
        return content


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, sql_without_reports: Path) -> Ground:
    """Give a ground whose builds leave the reports out, which only take time here."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(files, "sql_folder", lambda: sql_without_reports)
        return Ground(tmp_path_factory.mktemp("failing") / "ground")


# All of them take half an hour: EVERY_CALL=1 python -m pytest tests/trust/test_failing_calls.py
EVERY_CALL = bool(os.environ.get("EVERY_CALL"))
FAILURES = [(failing_system, name, error) for name, error in ERRORS.items()]
FAILURES += [(failing_database, name, error) for name, error in DUCKDB_ERRORS.items()]


def places(calls: list[str], turn: int) -> list[int]:
    """Choose for each kind of call one of its places, another one at each turn.

    Early ones for some kinds and late ones for others: what fails after the flip ends no build.
    """
    if EVERY_CALL:
        return list(range(1, len(calls) + 1))
    kinds = {kind: [n for n, name in enumerate(calls, 1) if name == kind] for kind in calls}
    if len(kinds) < 5:  # Statements are of one kind: spread over them.
        return list(range(1 + turn * 2, len(calls) + 1, len(calls) // 7))
    turns = [(turn + n) % len(ERRORS) for n in range(len(kinds))]
    return [
        where[one * len(where) // len(ERRORS)]
        for one, where in zip(turns, kinds.values(), strict=True)
    ]


def build(content: Content) -> int:
    """Run the command."""
    named = ["--warehouse", str(content.warehouse), "build", str(content.source), "--json"]
    return cli.main([*named, "--accept-loss"])


@pytest.mark.usefixtures("without_reports")
@pytest.mark.parametrize(
    ("turn", "failing", "error"),
    [(turn, failing, error) for turn, (failing, _, error) in enumerate(FAILURES)],
    ids=[f"{failing.__name__}-{name}" for failing, name, _ in FAILURES],
)
def test_any_call_can_fail(
    ground: Ground,
    capsys: pytest.CaptureFixture[str],
    turn: int,
    failing: Callable[..., Any],
    error: Callable[[], BaseException],
) -> None:
    """For every n: exit code 1 with one line and the old rows, or a build that hides nothing."""
    codes = []
    for nth in places(ground.calls(failing), turn % len(ERRORS)):
        content = ground.restart()
        capsys.readouterr()
        with failing(nth, error) as fuse:
            code = build(content)
        codes.append(code)
        said = capsys.readouterr().err
        where = f"call {nth}, {fuse.calls[nth - 1 : nth]}: {said}"
        published = contents(content.warehouse, "raw", "ops")
        if code:
            assert (code, said.count("\n")) == (1, 1), where
            assert published in (ground.before, ground.after), where
            assert build(content) == 0, where
            assert contents(content.warehouse, "raw", "ops") == ground.after, where
        else:
            assert accounted(published) == accounted(ground.after), where
            assert build(content) == 0, where
            assert state(contents(content.warehouse, "raw", "ops")) == state(ground.after)
        assert strays(content.warehouse) == [], where
    assert codes.count(1) > len(codes) // 3, "an error that nobody notices proves nothing"


def accounted(found: Contents) -> list[str]:
    """Return the paths that the ledger knows."""
    return sorted(row[0] for row in found["ops.files"])


def state(found: Contents) -> Contents:
    """Leave the history out: a file that could not be read for one build left and returned."""
    return {table: rows for table, rows in found.items() if table != "raw.article_versions"}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 40 MB, where that can be done."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=40m tmpfs '{folder}' 2>&-"):
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    os.system(f"umount -l '{folder}'")


def fill(folder: Path, leave: int) -> Path:
    """Fill the file system of a folder up to some bytes, and return the file that does."""
    filler = folder / "filler"
    filler.write_bytes(b"\0" * (shutil.disk_usage(folder).free - leave))
    return filler


def test_a_full_disk_is_one_line(
    three: Content, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A build on a full disk, where DuckDB spills too: old rows, and a way on."""
    content = Content.__new__(Content)
    content.source, content.warehouse = three.source, small / "warehouse.duckdb"
    codes = [build(content)]
    before = contents(content.warehouse)
    filler = fill(small, leave=400_000)
    three.write("_news/2025-03-05-d.md", article(title="d"))
    capsys.readouterr()
    codes.append(build(content))
    assert capsys.readouterr().err.count("\n") == 1
    assert contents(content.warehouse) == before
    filler.unlink()
    codes.append(build(content))
    assert codes == [0, 1, 0]
    assert strays(content.warehouse) == []
    assert current(WarehousePaths(content.warehouse))


@pytest.mark.parametrize("file_format", ["parquet", "csv", "json"])
def test_an_export_to_a_full_disk_leaves_the_earlier_one(
    three: Content, small: Path, capsys: pytest.CaptureFixture[str], file_format: str
) -> None:
    """One line, exit code 1, no file half written, and the folder as it was."""
    export = ["--warehouse", str(three.warehouse), "export", str(small / "out")]
    codes = [cli.main([*export, "--format", file_format])]
    before = {file.name: file.read_bytes() for file in (small / "out").iterdir()}
    filler = fill(small, leave=8_000)
    capsys.readouterr()
    codes.append(cli.main([*export, "--format", file_format]))
    said = capsys.readouterr().err
    assert (said.count("\n"), "exception_type" in said) == (1, False)
    assert "No space left on device" in said
    assert sorted(file.name for file in small.iterdir()) == ["filler", "out"]
    assert {file.name: file.read_bytes() for file in (small / "out").iterdir()} == before
    filler.unlink()
    codes.append(cli.main([*export, "--format", file_format]))
    assert codes == [0, 1, 0]
