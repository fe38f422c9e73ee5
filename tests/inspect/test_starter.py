"""`matterhouse init`: a first configuration that says what is mapped, and is valid as it stands."""

from pathlib import Path

import pytest

from flows import cli
from flows.config import Terms, load, load_default
from flows.inspect.profile import profile
from flows.pipeline.scope import choose

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
    assert columns["topics"] == load_default().columns["topics"]


def test_a_configuration_that_is_there_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of the author's is replaced."""
    source = content(tmp_path / "content")
    (source / "matterhouse.yaml").write_text("secret: [token]\n")
    assert cli.main(["--warehouse", str(tmp_path / "w.duckdb"), "init", str(source)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (source / "matterhouse.yaml").read_text() == "secret: [token]\n"


def test_dates_inside_other_texts_are_found(tmp_path: Path) -> None:
    """What fed the column before stays, and the file is one that a build understands."""
    source = tmp_path / "content"
    source.mkdir()
    for day in (1, 2, 3):
        text = f'+++\npath = "notes/2024/05/0{day}/tides"\nseen = "on 2024-05-0{day}"\n+++\n'
        (source / f"{day}.md").write_text(text)
    (source / "2024-05-04-four.md").write_text("---\npath: four\n---\n")
    assert cli.main(["--warehouse", str(tmp_path / "w.duckdb"), "init", str(source)]) == 0
    rows = load(source).columns["published_at"]
    assert rows[:-2] == load_default().columns["published_at"]
    assert [(s.label, s.match and s.match.pattern) for s in rows[-2:]] == [
        ("path", r"(\d{4}[-/]\d\d?[-/]\d\d?)"),
        ("seen", r"(\d{4}[-/]\d\d?[-/]\d\d?)"),
    ]
    assert "# published_at: file name 1\n" in (source / "matterhouse.yaml").read_text()
    found, _ = profile(choose(None, source))
    fed = {key.key: key.feeds["published_at"] for key in found if "published_at" in key.feeds}
    assert fed == {"path": 3, "file name": 1}


def test_a_file_of_authors_becomes_terms(tmp_path: Path) -> None:
    """If that is what it holds."""
    source = tmp_path / "content"
    (source / "blog").mkdir(parents=True)
    (source / "a.md").write_text("---\ntitle: A\nauthors: ada\n---\n")
    (source / "authors.yaml").write_text("theme: dark\n")
    (source / "blog" / "authors.yml").write_text("ada: {name: Ada Quill}\nbo: {name: Bo Reed}\n")
    assert cli.main(["--warehouse", str(tmp_path / "w.duckdb"), "init", str(source)]) == 0
    assert load(source).terms == (Terms(("blog/authors.yml",), "organization"),)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("_config.yml", "timezone: Europe/Berlin # home"),
        ("../hugo.toml", "timeZone = 'Europe/Berlin'"),
        ("../pelicanconf.py", 'TIMEZONE = "Europe/Berlin"'),
    ],
)
def test_the_time_zone_of_a_site_is_taken_over(tmp_path: Path, file: str, line: str) -> None:
    """One that does not exist is not."""
    source = content(tmp_path / "content")
    (source / "_config.yaml").write_text("timezone: Mars/Base\n")
    (source / file).write_text(f"title: a\n{line}\n")
    command = ["--warehouse", str(tmp_path / "w.duckdb"), "init", str(source)]
    assert cli.main(command) == 0
    assert load(source).time_zone == "Europe/Berlin"


def test_the_most_frequent_keys_are_listed_first(tmp_path: Path) -> None:
    """A rare key is in less than one per cent of the files, not in none; items are no keys."""
    source = tmp_path / "content"
    source.mkdir()
    for number in range(201):
        rare = "a_rare_key: 1\n" if number == 0 else ""
        (source / f"{number}.md").write_text(f"---\ntitle: {number}\nlinks: [x]\n{rare}---\n")
    assert cli.main(["--warehouse", str(tmp_path / "w.duckdb"), "init", str(source)]) == 0
    written = (source / "matterhouse.yaml").read_text()
    assert '# Keys that feed no column:\n# "links" in 100%\n# "a_rare_key" in <1%\n' in written
