"""`matterhouse init`: a first configuration that says what is mapped, and is valid as it stands."""

from pathlib import Path

import pytest

from flows import cli
from flows.config import default, load

POST = """\
---
headline_title: Kelp
date: 2024-05-01
tags: [Sea]
byline: {author: Ada}
weight: 3
---
"""


def content(folder: Path) -> Path:
    """Write two posts of a system that nobody knows."""
    folder.mkdir()
    for name in ("a.md", "b.md"):
        (folder / name).write_text(POST)
    return folder


def test_a_first_configuration_maps_what_was_left(tmp_path: Path) -> None:
    """Columns that most files leave empty get the keys that most files have for them."""
    source = content(tmp_path / "content")
    assert cli.main(["--warehouse", str(tmp_path / "w.duckdb"), "init", str(source)]) == 0
    written = (source / "matterhouse.yaml").read_text()
    assert "# published_at: date 2\n" in written
    assert '# "weight" in 100%\n' in written
    columns = load(source).columns
    assert [s.label for s in columns["title"]] == ["title", "headline_title"]
    assert [s.label for s in columns["provider_name"]][-1] == "byline.author"
    assert columns["topics"] == default().columns["topics"]


def test_a_configuration_that_is_there_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of the author's is replaced."""
    source = content(tmp_path / "content")
    (source / "matterhouse.yaml").write_text("secret: [token]\n")
    assert cli.main(["--warehouse", str(tmp_path / "w.duckdb"), "init", str(source)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (source / "matterhouse.yaml").read_text() == "secret: [token]\n"
