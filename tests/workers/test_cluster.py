"""Batches are read on a cluster, and frames travel through Parquet without loss."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from flows.cli import main
from flows.normalize.frames import Frames
from flows.pipeline import load
from flows.source import folder
from flows.source.extract import Batch
from flows.source.patterns import PathFilter
from flows.workers.cluster import WorkersFailed, take_parts, write_parts
from flows.workers.frames import frames_of
from tests import servers
from tests.conftest import Content, article
from tests.servers import ROOT, free_port, running
from tests.trust.invariants import contents, strays

SAMPLE = ROOT / "data/content"

pytestmark = pytest.mark.usefixtures("without_reports")


def batch_of(source: Path) -> Batch:
    """Return a batch of every file of a folder."""
    listing = folder.walk(source, PathFilter())
    return Batch(source, tuple(listing.paths), {}, listing.faults)


@pytest.mark.parametrize("kind", ["the sample", "nothing", "extremes"])
def test_parts_give_back_the_frames_that_were_written(
    content: Content, tmp_path: Path, kind: str
) -> None:
    """Values, missing values and dtypes are the same, in frames without rows too."""
    content.write(
        "a.md", article(title="007", quality=9_007_199_254_740_993, published="1969-12-31")
    )
    content.write("b.md", article(title="\U0001f343 NaN", quality="~", published="2025-02-30"))
    batch = batch_of(SAMPLE if kind == "the sample" else content.source)
    if kind == "nothing":
        batch = replace(batch, paths=())
    expected = frames_of(batch)
    folder = write_parts(lambda _: expected, batch, tmp_path, "1")
    actual = take_parts(folder)
    assert list(actual) == list(expected)
    for table, frame in expected.items():
        pd.testing.assert_frame_equal(actual[table], frame)
    assert not folder.exists()


def test_a_worker_without_the_source_quarantines_nothing(content: Content, tmp_path: Path) -> None:
    """A machine where the source is not mounted refuses: each file would look vanished."""
    content.write("a.md", article())
    batch = batch_of(content.source)
    elsewhere = replace(batch, source=tmp_path / "not mounted")
    with pytest.raises(WorkersFailed, match="mount it there under the same path"):
        write_parts(frames_of, elsewhere, tmp_path, "1")
    with pytest.raises(WorkersFailed, match="mount the warehouse's folder there"):
        write_parts(frames_of, batch, tmp_path / "not mounted", "1")


@pytest.mark.cluster
def test_a_batch_of_a_killed_worker_is_read_by_another(
    content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers, one killed while the batches run: the tables are those of a direct build."""
    pytest.importorskip("distributed")
    for number in range(60):
        content.write(f"_news/2025-03-04-{number}.md", article(title=f"n{number}"))
    content.build()
    address, warehouse = f"tcp://127.0.0.1:{free_port()}", tmp_path / "dask.duckdb"
    monkeypatch.setattr(load, "BATCH_FILES", 10)
    with cluster(address, tmp_path, workers=2) as (victim, _):

        def kill_and_take(folder: Path) -> Frames:
            victim.kill()
            victim.wait()
            return take_parts(folder)

        # After the first batch of ten files is read.
        monkeypatch.setattr("flows.workers.cluster.take_parts", kill_and_take)
        command = ["--warehouse", str(warehouse), "build", str(content.source), "--quiet"]
        assert main([*command, "--runner", f"dask={address}"]) == 0
        assert victim.returncode == -signal.SIGKILL
    assert contents(warehouse) == contents(content.warehouse)
    # Nothing of the exchange is left behind.
    assert strays(warehouse) == []


@pytest.mark.cluster
def test_workers_read_a_bucket_themselves(tmp_path: Path) -> None:
    """An address travels to them, and never a client; the tables are those of a direct build."""
    pytest.importorskip("distributed")
    address = f"tcp://127.0.0.1:{free_port()}"
    runners = {"direct.duckdb": "local", "dask.duckdb": f"dask={address}"}
    with servers.s3() as port, servers.bucket(port, "news") as bucket:
        for number in range(12):
            bucket.put(f"_news/{number}.md", article(title=f"n{number}"))
        bucket.put("_news/broken.md", "---\ntitle: a: b\n---\n")
        with cluster(address, tmp_path, workers=1):
            for name, runner in runners.items():
                command = ["--warehouse", str(tmp_path / name), "build", bucket.address, "--quiet"]
                assert main([*command, "--runner", runner]) == 0
    assert contents(tmp_path / "dask.duckdb") == contents(tmp_path / "direct.duckdb")
    assert len(contents(tmp_path / "dask.duckdb")["raw.articles"]) == 12


@contextlib.contextmanager
def cluster(address: str, folder: Path, workers: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run a scheduler and its workers while the block lasts; give the workers."""
    dask, local = [sys.executable, "-m", "dask"], ["--host", "127.0.0.1", "--no-dashboard"]
    listen = ["--port", address.rpartition(":")[2]]
    work = [address, "--nthreads", "1", "--no-nanny"]
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            running([*dask, "scheduler", *local, *listen], folder / "scheduler.log")
        )
        yield [
            stack.enter_context(running([*dask, "worker", *local, *work], folder / f"{n}.log"))
            for n in range(workers)
        ]
