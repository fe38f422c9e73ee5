"""Frames that are put together before they are loaded, and what makes them."""

import subprocess
import sys
from pathlib import Path

import pandas as pd

from flows.source.extract import Batch
from flows.workers.frames import frames_of, gather
from tests.conftest import Content, article


def batches(folder: Path, *sizes: int) -> list[Batch]:
    """Return batches of so many files each."""
    names = [f"{number:02}.md" for number in range(sum(sizes))]
    return [
        Batch(folder, tuple(names[sum(sizes[:at]) : sum(sizes[: at + 1])]), {}, {})
        for at in range(len(sizes))
    ]


def test_frames_are_put_together_until_they_are_worth_loading(content: Content) -> None:
    """Nothing is lost, nothing changes its place or its dtype, and the last ones come as well."""
    for number in range(9):
        scores = {"title": f"n{number}"} if number % 3 else {}
        content.write(f"{number:02}.md", article(**scores))
    parts = [frames_of(batch) for batch in batches(content.source, 3, 1, 4, 1)]
    found = list(gather(parts, 4))
    (whole,) = (frames_of(batch) for batch in batches(content.source, 9))
    assert [len(frames["ops.files"]) for frames in found] == [4, 4, 1]
    for table, frame in whole.items():
        pd.testing.assert_frame_equal(
            pd.concat([frames[table] for frames in found], ignore_index=True), frame
        )


def test_pandas_comes_in_beside_other_work() -> None:
    """A build that will need it does not wait, and one that ends earlier ends without a word."""
    script = (
        "import sys, threading\n"
        "from flows.workers.frames import import_early\n"
        "found = ['pandas' in sys.modules]\n"
        "import_early()\n"
        "[thread.join() for thread in threading.enumerate()[1:]]\n"
        "print(found, 'pandas' in sys.modules)\n"
        "import_early()\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("[False] True\n", "")
