"""CONTRIBUTING.md: its recipes are followed line by line, in a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).parents[1]
# Each block begins with the file that it belongs to.
BLOCKS = re.findall(
    r"^```(?:yaml|sql)\n(?:#|--) (\S+)\n(.*?)^```",
    (ROOT / "CONTRIBUTING.md").read_text("utf-8"),
    re.MULTILINE | re.DOTALL,
)
ARTICLE = "---\ntitle: Kelp\ndate: 2024-05-01\nKicker: {subtitle}\n---\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what is installed, and write an article beside it."""
    for folder in ("flows", "sql"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "kelp.md").write_text(ARTICLE.format(subtitle="Kelp"))
    return tmp_path


def follow(checkout: Path, *files: str) -> None:
    """Add the lines of the recipes to these files, where each takes more of its kind."""
    for name, lines in BLOCKS:
        if name in files:
            file = checkout / name
            text = file.read_text("utf-8") if file.exists() else ""
            ends = [found.start() for found in re.finditer(r"^(?:\)|from )", text, re.MULTILINE)]
            at = ends[-1] if ends else len(text)
            file.write_text(text[:at] + lines + text[at:], "utf-8")


def build(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Build the content with the copy's own code."""
    command = [sys.executable, "-m", "flows", "build", "content", "--no-history"]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "MATTERHOUSE_WAREHOUSE": "w.duckdb"}
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )


def test_a_column_and_a_check_are_added_as_the_page_says(checkout: Path) -> None:
    """The column is filled, makes versions and reaches the reports; the check finds its row."""
    files = [name for name, _ in BLOCKS]
    assert len({*files}) == 5
    follow(checkout, *files)
    first = build(checkout)
    assert (first.returncode, "subtitles_repeat_titles: A subtitle" in first.stdout) == (0, True)
    (checkout / "content" / "kelp.md").write_text(ARTICLE.format(subtitle="Of the sea"))
    assert build(checkout).returncode == 0
    with duckdb.connect(str(checkout / "w.duckdb"), read_only=True) as con:
        assert con.execute("select subtitle from marts.articles").fetchall() == [("Of the sea",)]
        versions = "select subtitle, changed_fields from raw.article_versions order by observed_at"
        assert con.execute(versions).fetchall() == [("Kelp", []), ("Of the sea", ["subtitle"])]
        assert con.execute("select sources from raw.articles").fetchone() == (
            '{"published_at": "date", "subtitle": "Kicker"}',
        )


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("flows/config/columns.yaml", "a column that sql/raw/articles.sql does not have"),
        ("sql/raw/articles.sql", "that flows/config/columns.yaml has no keys for"),
    ],
)
def test_half_a_column_stops_the_build(checkout: Path, file: str, says: str) -> None:
    """The sentence names both places, whichever of them was forgotten."""
    follow(checkout, file)
    stopped = build(checkout)
    assert (stopped.returncode, "`subtitle`" in stopped.stderr, says in stopped.stderr) == (
        1,
        True,
        True,
    )
