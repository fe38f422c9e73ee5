"""A run and its mapping: what matterhouse.yaml changes, and what the warehouse keeps of it."""

from pathlib import Path

import duckdb

from flows.pipeline import Request, run

POST = "---\ntitle: Kelp\ndate: 2024-05-01\nteam: [Divers]\ntags: [Sea]\n---\n"


def build(tmp_path: Path, **options: Path) -> bool:
    """Build the folder beside the warehouse; return whether that published anything."""
    request = Request(tmp_path / "content", tmp_path / "w.duckdb", history=False, **options)  # type: ignore[arg-type]
    return run(request).published


def asked(tmp_path: Path, query: str) -> list[tuple[object, ...]]:
    """Ask the warehouse."""
    with duckdb.connect(str(tmp_path / "w.duckdb"), read_only=True) as con:
        return con.execute(query).fetchall()


TOPICS = "select topic from raw.article_topics"
KEPT = "select mapping, config from ops.runs order by started_at desc limit 1"


def test_another_mapping_reads_every_file_again(tmp_path: Path) -> None:
    """Although none of them changed; the configuration itself is no content."""
    folder = tmp_path / "content"
    folder.mkdir()
    (folder / "post.md").write_text(POST)
    assert (build(tmp_path), build(tmp_path)) == (True, False)
    assert (asked(tmp_path, TOPICS), asked(tmp_path, KEPT)) == ([("Sea",)], [(None, None)])
    (folder / "matterhouse.yaml").write_text("columns: {topics: team}\n")
    assert (build(tmp_path), build(tmp_path)) == (True, False)
    assert asked(tmp_path, TOPICS) == [("Divers",)]
    assert asked(tmp_path, KEPT) == [("columns: {topics: team}\n", None)]
    assert asked(tmp_path, "select path from ops.files") == [("post.md",)]


def test_a_configuration_that_was_named_is_remembered(tmp_path: Path) -> None:
    """Until another one is named."""
    folder, named = tmp_path / "content", tmp_path / "mine.yaml"
    folder.mkdir()
    (folder / "post.md").write_text(POST)
    named.write_text("columns: {topics: team}\n")
    assert (build(tmp_path, config=named), build(tmp_path)) == (True, False)
    assert asked(tmp_path, KEPT) == [("columns: {topics: team}\n", str(named))]


def test_authors_get_their_names_from_pages_and_data_files(tmp_path: Path) -> None:
    """Files of terms are no articles, and an id becomes the name of its entry."""
    folder = tmp_path / "content"
    for name in ("_data", "authors"):
        (folder / name).mkdir(parents=True)
    (folder / "matterhouse.yaml").write_text(
        "terms:\n"
        "- {files: _data/authors.yml, kind: organization}\n"
        '- {files: "authors/*.md", kind: organization, name: display_name}\n'
    )
    (folder / "_data" / "authors.yml").write_text("ada:\n  name: Ada Quill\nbo: {name: Bo Reed}\n")
    (folder / "authors" / "cy.md").write_text("---\ndisplay_name: Cy Marsh\n---\n")
    for author in ("ada", "bo", "cy"):
        text = f"---\ntitle: {author}\ndate: 2024-05-01\nauthor: {author}\ntags: [Sea]\n---\n"
        (folder / f"by-{author}.md").write_text(text)
    build(tmp_path)
    found = asked(tmp_path, "select provider, organization from staging.providers order by all")
    assert found == [("ada", "Ada Quill"), ("bo", "Bo Reed"), ("cy", "Cy Marsh")]
    assert asked(tmp_path, "select count(*) from raw.articles") == [(3,)]
