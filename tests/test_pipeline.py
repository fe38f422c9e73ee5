"""A run as its users see it: what the receipt says, and what the warehouse holds."""

import os
import time
from pathlib import Path

import pytest

from flows.pipeline.check import ChecksFailed
from flows.source.folder import SourceMissing
from flows.warehouse.paths import WarehousePaths
from tests.conftest import Content, article, counts

pytestmark = pytest.mark.usefixtures("without_reports")


@pytest.fixture(params=["fast", "pyyaml"])
def content(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Content:
    """Give an empty content folder, once for each parser: a run must not tell them apart."""
    if request.param == "pyyaml":
        # What the fast reader does not take goes to the other.
        monkeypatch.setattr("flows.frontmatter.read_lines", lambda text: None)
    return Content(tmp_path)


VERSIONS = """
select article_id, change, changed_fields, quality
from raw.article_versions
order by observed_at, article_id, change
"""


def test_the_first_build_loads_every_file(three: Content) -> None:
    """A folder becomes a warehouse with one row per article and a balanced ledger."""
    assert three.query("select article_id, title, quality from raw.articles order by all") == [
        ("_news/2025-03-04-a.md", "a", 80),
        ("_news/2025-03-04-b.md", "b", 80),
        ("_news/2025-03-04-c.md", "c", 80),
    ]
    assert three.query(
        "select seen, loaded, quarantined, excluded, new, changed, unchanged from ops.runs"
    ) == [(3, 3, 0, 0, 3, 0, 0)]


def test_a_second_build_publishes_nothing(three: Content) -> None:
    """A build over unchanged files leaves the published file and no stray file behind."""
    before = three.warehouse.readlink()
    receipt = three.build()
    assert counts(receipt) == {"seen": 3, "loaded": 3, "unchanged": 3}
    assert not receipt.published
    assert three.warehouse.readlink() == before
    assert [
        p.name for p in (three.warehouse.parent / "warehouse.duckdb.generations").iterdir()
    ] == [before.parent.name]


def test_a_second_build_parses_nothing(three: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unchanged files are not read again; touched ones are hashed, and make no frames."""

    def fail(*args: object, **options: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr("flows.frontmatter.read", fail)
    monkeypatch.setattr("flows.pipeline.load.frames_of", fail)
    os.utime(three.source / "_news/2025-03-04-a.md", (1, 1))
    assert not three.build().published


def test_a_touched_file_is_unchanged(three: Content) -> None:
    """The content decides, not the modification time."""
    os.utime(three.source / "_news/2025-03-04-a.md", (1, 1))
    receipt = three.build()
    assert (counts(receipt), receipt.published) == ({"seen": 3, "loaded": 3, "unchanged": 3}, False)


def test_an_edit_that_keeps_size_and_time_is_found_by_a_full_build(three: Content) -> None:
    """`--full` reads the bytes even where the file system says that nothing happened."""
    file = three.source / "_news/2025-03-04-a.md"
    past = time.time_ns() - 60_000_000_000
    for each in three.source.rglob("*.md"):
        os.utime(each, ns=(past, past))
    three.build(full=True)
    text = file.read_text()
    file.write_text(text.replace("quality: 80", "quality: 81"))
    os.utime(file, ns=(past, past))
    receipt = three.build(full=True)
    assert counts(receipt) == {"seen": 3, "loaded": 3, "unchanged": 2, "changed": 1}


def test_an_edited_score_makes_a_version(three: Content) -> None:
    """A changed score is loaded and recorded with the names of the changed columns."""
    three.write("_news/2025-03-04-a.md", article(title="a", quality=90))
    receipt = three.build()
    assert counts(receipt) == {"seen": 3, "loaded": 3, "unchanged": 2, "changed": 1}
    assert three.query(VERSIONS) == [
        ("_news/2025-03-04-a.md", "added", [], 80),
        ("_news/2025-03-04-b.md", "added", [], 80),
        ("_news/2025-03-04-c.md", "added", [], 80),
        ("_news/2025-03-04-a.md", "changed", ["quality", "heat"], 90),
    ]


@pytest.mark.parametrize(
    "noise",
    [
        article(title="a", secured="b3RoZXI="),
        article(title="a").replace("\n", "\r\n"),
        article(title="a", body="A body that no table holds.\n"),
        article(title="a")
        .replace("category: news\n", "")
        .replace("type: article\n", "type: article\ncategory: news\n"),
    ],
    ids=["secured", "line ends", "body", "key order"],
)
def test_an_edit_that_no_report_uses_makes_no_version(three: Content, noise: str) -> None:
    """Rewrites of `secured`, line ends, body or key order are changes, but not versions."""
    three.write("_news/2025-03-04-a.md", noise)
    receipt = three.build()
    assert counts(receipt) == {"seen": 3, "loaded": 3, "unchanged": 2, "changed": 1}
    assert len(three.query(VERSIONS)) == 3


def test_topics_are_part_of_a_version(three: Content) -> None:
    """A topic that is taken off an article makes a version."""
    three.write("_news/2025-03-04-a.md", article(title="a").replace("  - Solar\n", ""))
    three.build()
    assert three.query(
        "select changed_fields, topics from raw.article_versions where change = 'changed'"
    ) == [(["topics"], ["Energy"])]


def test_a_score_that_returns_is_a_version_of_its_own(three: Content) -> None:
    """A-B-A gives three versions: each state is compared with the last one only."""
    for quality in (90, 80):
        three.write("_news/2025-03-04-a.md", article(title="a", quality=quality))
        three.build()
    assert three.query(
        """
        select change, quality from raw.article_versions
        where article_id = '_news/2025-03-04-a.md' order by observed_at
        """
    ) == [("added", 80), ("changed", 90), ("changed", 80)]


def test_a_renamed_file_keeps_its_history(three: Content) -> None:
    """Equal bytes under a new path are a rename: first_seen_at stays, both ids are versioned."""
    seen = three.query("select min(first_seen_at) from raw.articles")
    old, new = "_news/2025-03-04-a.md", "_archive/2025-03-04-a.md"
    three.write(new, (three.source / old).read_bytes())
    (three.source / old).unlink()
    receipt = three.build()
    assert counts(receipt) == {"seen": 3, "loaded": 3, "unchanged": 2, "renamed": 1}
    assert three.query(f"select first_seen_at from raw.articles where article_id = '{new}'") == seen
    assert three.query(
        """
        select article_id, change, renamed_from from raw.article_versions
        where change <> 'added' order by change
        """
    ) == [(old, "removed", None), (new, "renamed", old)]
    assert three.ledger() == [
        (new, "loaded", None),
        (old, "gone", None),
        ("_news/2025-03-04-b.md", "loaded", None),
        ("_news/2025-03-04-c.md", "loaded", None),
    ]


def test_a_copied_file_is_new(three: Content) -> None:
    """Equal bytes beside the first file are no rename."""
    three.write("_news/copy.md", (three.source / "_news/2025-03-04-a.md").read_bytes())
    assert counts(three.build()) == {"seen": 4, "loaded": 4, "unchanged": 3, "new": 1}


def test_equal_files_that_move_together_pair_off(content: Content) -> None:
    """Two equal files that move are two renames, not one rename and one new file."""
    for folder in ("x", "y"):
        content.write(f"{folder}/1.md", article())
    content.build()
    (content.source / "x").rename(content.source / "v")
    (content.source / "y").rename(content.source / "w")
    assert counts(content.build()) == {"seen": 2, "loaded": 2, "renamed": 2}
    assert content.query(
        "select article_id, renamed_from from raw.article_versions where change = 'renamed'"
        " order by all"
    ) == [("v/1.md", "x/1.md"), ("w/1.md", "y/1.md")]


def test_a_deleted_file_leaves_and_can_return(three: Content) -> None:
    """A deleted article leaves the tables, stays in the ledger, and is told apart when back."""
    file = three.source / "_news/2025-03-04-a.md"
    text = file.read_bytes()
    file.unlink()
    assert counts(three.build()) == {"seen": 2, "loaded": 2, "unchanged": 2, "gone": 1}
    assert three.query("select count(*) from raw.article_topics") == [(4,)]
    file.write_bytes(text)
    assert counts(three.build()) == {
        "seen": 3,
        "loaded": 3,
        "unchanged": 2,
        "new": 1,
        "returned": 1,
    }
    assert three.query(
        """
        select change from raw.article_versions
        where article_id = '_news/2025-03-04-a.md' order by observed_at
        """
    ) == [("added",), ("removed",), ("returned",)]


def test_a_file_that_breaks_is_quarantined_and_returns_when_mended(three: Content) -> None:
    """A broken file leaves the tables with a reason, and comes back as soon as it is mended."""
    three.write("_news/2025-03-04-a.md", article(title="a").replace('"a"', "a: b", 1))
    assert counts(three.build()) == {
        "seen": 3,
        "loaded": 2,
        "quarantined": 1,
        "unchanged": 2,
        "changed": 1,
    }
    assert three.query("select count(*) from raw.articles") == [(2,)]
    assert three.query(
        "select line, hint is not null from ops.files where status = 'quarantined'"
    ) == [(3, True)]
    assert counts(three.build()) == {"seen": 3, "loaded": 2, "quarantined": 1, "unchanged": 3}
    three.write("_news/2025-03-04-a.md", article(title="a"))
    assert counts(three.build()) == {"seen": 3, "loaded": 3, "unchanged": 2, "changed": 1}


def test_a_newer_parser_reads_quarantined_files_again(
    content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that an older reader refused gets a second chance, the others are left alone."""
    content.write("good.md", article())
    content.write("bad.md", article().replace('"A day in the sun"', "A day: in the sun"))
    content.build()
    monkeypatch.setattr("flows.frontmatter.PARSER_VERSION", 10_000)
    receipt = content.build()
    assert counts(receipt) == {"seen": 2, "loaded": 1, "quarantined": 1, "unchanged": 2}


def test_an_article_that_loses_its_front_matter_is_a_warning(three: Content) -> None:
    """It leaves the warehouse as a file that is not ours, and the receipt says so once."""
    three.write("_news/2025-03-04-a.md", "a word\n" + article(title="a"))
    three.write("notes.md", "never an article")
    receipt = three.build()
    assert counts(receipt) == {
        "seen": 4, "loaded": 2, "excluded": 2, "new": 1, "changed": 1, "unchanged": 2
    }  # fmt: skip
    (warned,) = receipt.failed_checks
    assert warned.startswith("articles_became_excluded: ")
    assert "(warn, 1 row, first: path _news/2025-03-04-a.md, reason_code no_front_matter" in warned
    three.write("more notes.md", "")
    assert three.build().failed_checks == []


def test_a_wrong_value_is_null_with_a_warning(content: Content) -> None:
    """A value of the wrong type never keeps the rest of the article out."""
    content.write("a.md", article(quality="high"))
    content.build()
    assert content.query("select title, quality, heat from raw.articles") == [
        ("A day in the sun", None, None)
    ]
    assert content.query("select field, code, message, line, hint from ops.warnings") == [
        (
            "quality",
            "wrong_type",
            'quality is "high", not a whole number; left out.',
            9,
            "Write a whole number, or leave the key out.",
        ),
        (
            "heat",
            "wrong_type",
            'heat is "high", not a whole number; left out.',
            10,
            "Write a whole number, or leave the key out.",
        ),
    ]


def test_a_missing_source_is_refused(three: Content) -> None:
    """A source that is not there never empties the warehouse."""
    three.source.rename(three.source.with_name("elsewhere"))
    with pytest.raises(SourceMissing, match="content does not exist"):
        three.build()
    assert three.query("select count(*) from raw.articles") == [(3,)]


def test_an_empty_source_is_refused(three: Content) -> None:
    """A source without a single matching file never empties the warehouse."""
    for file in three.source.rglob("*.md"):
        file.unlink()
    with pytest.raises(SourceMissing, match="the warehouse holds 3 files from it"):
        three.build()
    assert three.query("select count(*) from raw.articles") == [(3,)]


def test_losing_more_than_half_is_refused_unless_accepted(three: Content) -> None:
    """A source that lost most of its files keeps yesterday's warehouse until somebody agrees."""
    for name in "ab":
        (three.source / f"_news/2025-03-04-{name}.md").unlink()
    with pytest.raises(ChecksFailed, match="articles_shrank"):
        three.build()
    assert three.query("select count(*) from raw.articles") == [(3,)]
    assert WarehousePaths(three.warehouse).failed.exists()
    assert counts(three.build(accept_loss=True)) == {
        "seen": 1,
        "loaded": 1,
        "unchanged": 1,
        "gone": 2,
    }


def test_a_full_build_reads_everything_and_keeps_history(three: Content) -> None:
    """`--full` parses every file again and adds no version."""
    versions = three.query(VERSIONS)
    receipt = three.build(full=True)
    assert (counts(receipt), receipt.published) == ({"seen": 3, "loaded": 3, "unchanged": 3}, True)
    assert three.query(VERSIONS) == versions


def test_articles_of_an_unreadable_folder_stay(
    three: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that cannot be listed is a fault of the folder: its articles are not gone."""
    three.write("_open/d.md", article(title="d"))
    three.build()
    scandir = os.scandir

    def refuse(folder: str) -> object:
        if str(folder).endswith("_news"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr("os.scandir", refuse)
    receipt = three.build()
    assert counts(receipt) == {
        "seen": 5,
        "loaded": 4,
        "quarantined": 1,
        "unchanged": 4,
        "new": 1,
    }
    assert three.ledger()[0] == ("_news/", "quarantined", "unreadable_folder")
