"""A run and its mapping: what matterhouse.yaml changes, and what the warehouse keeps of it."""

from pathlib import Path

import duckdb
import pytest

from flows import UsageError
from flows.pipeline.context import Request
from flows.pipeline.run import run
from flows.reports.messages.receipt_message import describe
from flows.source import time_limit
from flows.workers.runner import Runner
from tests.repositories import Repository

pytestmark = pytest.mark.usefixtures("without_reports")

POST = "---\ntitle: Kelp\ndate: 2024-05-01\nteam: [Divers]\ntags: [Sea]\n---\n"


def build(tmp_path: Path, **options: Path | bool | tuple[str, ...]) -> bool:
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


def test_globs_of_a_configuration_go_with_it(tmp_path: Path) -> None:
    """Those that were typed stay."""
    folder = tmp_path / "content"
    folder.mkdir()
    for name in ("a.md", "b.md", "c.rst"):
        (folder / name).write_text(POST)
    paths = "select article_id from raw.articles order by all"
    (folder / "matterhouse.yaml").write_text("patterns: '*.rst'\nexclude: b.md\n")
    assert (build(tmp_path), asked(tmp_path, paths)) == (True, [("c.rst",)])
    (folder / "matterhouse.yaml").unlink()
    assert (build(tmp_path), asked(tmp_path, paths)) == (True, [("a.md",), ("b.md",)])
    assert build(tmp_path, exclude=("a.md",))
    assert (build(tmp_path), asked(tmp_path, paths)) == (False, [("b.md",)])


def test_globs_and_configuration_of_earlier_builds_can_be_forgotten(tmp_path: Path) -> None:
    """Then the usual files count again, and the configuration beside them."""
    folder, named = tmp_path / "content", tmp_path / "named.yaml"
    folder.mkdir()
    (folder / "post.md").write_text(POST)
    named.write_text("columns: {topics: team}\n")
    build(tmp_path, config=named, patterns=("p*",))
    named.unlink()
    with pytest.raises(UsageError, match="say --no-config"):
        build(tmp_path)
    assert build(tmp_path, forget_config=True, patterns=())
    assert (asked(tmp_path, TOPICS), asked(tmp_path, KEPT)) == ([("Sea",)], [(None, None)])
    assert asked(
        tmp_path, "select patterns[:1] from ops.runs order by started_at desc limit 1"
    ) == [(["*.md"],)]


def test_settings_that_take_part_in_nothing_are_named(tmp_path: Path) -> None:
    """In the receipt, with their lines; those that do are not."""
    folder = tmp_path / "content"
    folder.mkdir()
    (folder / "post.md").write_text(POST)
    (folder / ".authors.yml").write_text("ann: {name: Ann}\n")
    (folder / "matterhouse.yaml").write_text("""\
columns:
  topics: team
  quality: ratin
  provider_domain: [{host: title}]
  excerpt: {key: title, match: 'x.*'}
  images: []
split: {tags: " ", auhtor: ","}
terms:
- {files: .authors.yml, kind: organization}
- {files: "people/*.md", kind: organization}
collections: {_posts: blog}
""")
    notes = run(Request(folder, tmp_path / "w.duckdb", history=False)).notes
    assert [note.partition("matterhouse.yaml:")[2] for note in notes] == [
        "3: no article has a value for `quality` in `ratin`",
        "4: no article has a value for `provider_domain` in `host title`",
        "5: no article has a value for `excerpt` in `title` with `x.*`",
        "7: `tags` feeds no column, so there is nothing to split",
        "7: `auhtor` feeds no column, so there is nothing to split",
        "10: no file matches `people/*.md`",
        "11: there is no folder `_posts/` with files",
    ]


def test_a_slow_expression_is_the_fault_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that it was slow on is as good as any other."""
    monkeypatch.setattr(time_limit, "SECONDS", 0.1)
    folder = tmp_path / "content"
    folder.mkdir()
    (folder / "post.md").write_text(f"---\ntitle: {'a' * 50}!\n---\n")
    (folder / "matterhouse.yaml").write_text("columns:\n  type: [{key: title, match: '^(a+)+$'}]\n")
    with pytest.raises(
        UsageError, match=r"matterhouse\.yaml:2: `\^\(a\+\)\+\$` takes more than 0.1 s"
    ):
        run(Request(folder, tmp_path / "w.duckdb", history=False), runner=Runner(1))


def test_a_column_without_sources_stays_empty(tmp_path: Path) -> None:
    """Also where a key without a name has a value."""
    folder = tmp_path / "content"
    folder.mkdir()
    (folder / "a.md").write_text('---\n"": Nameless\ntitle: One\n---\n')
    (folder / "matterhouse.yaml").write_text("columns: {title: []}\n")
    build(tmp_path)
    (kept,) = asked(tmp_path, "select title, extra::varchar from raw.articles")
    assert kept == (None, '{"": "Nameless", "title": "One"}')


@pytest.mark.usefixtures("with_reports")
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


MAPPED = """
    select column_name, key, articles, warnings
    from ops.mapping
    where run_id = (select max(run_id) from ops.runs) and column_name <> 'title'
    order by all
"""


def test_warnings_of_all_fields_below_a_key_are_added_up(tmp_path: Path) -> None:
    """Two values of one image that do not fit are two warnings under `images`."""
    folder = tmp_path / "content"
    folder.mkdir()
    image = "{url: /a.png, width: wide, height: high}"
    (folder / "a.md").write_text(f"---\ntitle: One\nimages: [{image}]\n---\n")
    build(tmp_path)
    assert asked(tmp_path, MAPPED) == [("images", "images", 1, 2)]


def test_each_run_counts_which_key_fed_which_column(tmp_path: Path) -> None:
    """Over all articles that it left loaded: those of earlier runs too, none that are gone."""
    folder = tmp_path / "content"
    (folder / "_data").mkdir(parents=True)
    (folder / "own.md").write_text("---\npublishedDateTime: 2024-05-01\ntopics: [Sea, 1: 2]\n---\n")
    (folder / "post.md").write_text(POST)
    (folder / "bad.md").write_text("---\ndate: 2024-13-01\ntaxonomies: {tags: [Sea]}\n---\n")
    (folder / "_data" / "t.yml").write_text("taxonomy: topic\nname: Sea\ntopics: [{}]\n")
    build(tmp_path)
    assert asked(tmp_path, MAPPED) == [
        ("published_at", "date", 1, 1),
        ("published_at", "publishedDateTime", 1, 0),
        ("topics", "tags", 1, 0),
        ("topics", "taxonomies.tags", 1, 0),
        ("topics", "topics", 1, 1),
    ]
    (folder / "bad.md").unlink()
    (folder / "more.md").write_text(POST)
    build(tmp_path)
    assert asked(tmp_path, MAPPED) == [
        ("published_at", "date", 2, 0),
        ("published_at", "publishedDateTime", 1, 0),
        ("topics", "tags", 2, 0),
        ("topics", "topics", 1, 1),
    ]
    assert asked(tmp_path, "select count(distinct run_id) from ops.mapping") == [(2,)]


def test_states_of_the_past_are_no_articles_of_the_mapping(tmp_path: Path) -> None:
    """The first build replays commits, and workers read: both leave the counts as they are."""
    source = Repository(tmp_path / "content")
    for line in ("date: 2024-05-01", "created: 2024-05-01", "date: 2024-05-02"):
        source.write("a.md", f"---\ntitle: A\n{line}\n---\n")
        source.write("b.md", f"---\ntitle: B\n{line}\n---\n")
        source.commit()
    request = Request(source.folder, tmp_path / "w.duckdb")
    receipt = run(request, Runner(2, pool_from=0), add_message=describe)
    assert (receipt.commits, receipt.feeds) == (3, ["published_at from `date` in 2 files"])
    assert asked(tmp_path, MAPPED) == [("published_at", "date", 2, 0)]


def test_a_receipt_says_what_feeds_columns_when_that_is_new(tmp_path: Path) -> None:
    """In the first build, and after the configuration has changed."""
    folder = tmp_path / "content"
    folder.mkdir()
    for name in ("2024-05-01-a", "2024-05-02-b"):
        (folder / f"{name}.md").write_text("---\ntags: [Sea]\nauthor: Ann\nteam: Divers\n---\n")
    (folder / "c.md").write_text("---\ndate: soon\ntags: [Sea]\n---\n")
    request = Request(folder, tmp_path / "w.duckdb", history=False)
    assert run(request, add_message=describe).feeds == [
        "published_at from `file name` in 2 files; 1 value did not fit",
        "topics from `tags` in 3 files",
        "providers from `author` in 2 files",
    ]
    (folder / "d.md").write_text("---\ncategory: Sea\n---\n")
    assert run(request, add_message=describe).feeds == []
    (folder / "matterhouse.yaml").write_text("columns: {topics: [team, category]}\n")
    assert run(request, add_message=describe).feeds == [
        "published_at from `file name` in 2 files; 1 value did not fit",
        "topics from `team` in 2 files, `category` in 1",
        "providers from `author` in 2 files",
    ]
