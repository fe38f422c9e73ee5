"""Frames travel through Parquet without loss."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from flows.pipeline import frames_of
from flows.source import folder
from flows.source.extract import Batch
from flows.workers import parts
from tests.conftest import Content, article

SAMPLE = Path(__file__).parents[2] / "data/content"


def batch_of(source: Path) -> Batch:
    """Return a batch of every file of a folder."""
    listing = folder.walk(source)
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
    folder = Path(parts.write(lambda _: expected, batch, tmp_path, "1"))
    actual = parts.take(folder)
    assert list(actual) == list(expected)
    for table, frame in expected.items():
        pd.testing.assert_frame_equal(actual[table], frame)
    assert not folder.exists()


def test_a_worker_without_the_source_quarantines_nothing(content: Content, tmp_path: Path) -> None:
    """A machine where the source is not mounted refuses: each file would look vanished."""
    content.write("a.md", article())
    batch = batch_of(content.source)
    elsewhere = replace(batch, source=tmp_path / "not mounted")
    with pytest.raises(parts.SourceNotOnWorker, match="mount it there under the same path"):
        parts.write(frames_of, elsewhere, tmp_path, "1")
    with pytest.raises(parts.StagingNotOnWorker, match="mount the warehouse's folder there"):
        parts.write(frames_of, batch, tmp_path / "not mounted", "1")
