"""A warehouse of an earlier version goes on, with its ledger and its history."""

import re
from pathlib import Path

import duckdb
import pytest

from flows import MatterhouseError, cli
from flows.load import upgrade
from flows.load.origins import Version, trace_origins
from flows.models import build, files
from flows.warehouse.paths import WarehousePaths
from tests.conftest import Content, article
from tests.trust.invariants import faults

EARLIER = Path(__file__).with_name("version_0_1.sql").read_text()
ARTICLE = """\
---
category: news
type: article
title: {title}
publishedDateTime: 2025-02-01
{urls}
quality: {quality}
heat: {quality}
published: true
provider: {{{provider}}}
topics: [Solar]
---
"""
ARTICLES = {
    "a.md": (
        "A",
        "originalUrl: https://x.org/a\nwebUrl: https://x.org/a",
        80,
        "name: X, domain: x.org",
    ),
    "b.md": ("B", "webUrl: https://x.org/b2", 20, "name: X, domain: x.org"),
    "moved/c.md": (
        "C",
        "originalUrl: https://x.org/c\nwebUrl: https://x.org/c",
        50,
        "name: X, domain: x.org",
    ),
    "d.md": ("D", "webUrl: https://x.org/d", 45, "name: Y"),
}


@pytest.fixture
def earlier(content: Content) -> Content:
    """Give a warehouse that version 0.1 made, under its names, and the files it was made of."""
    for path, (title, urls, quality, provider) in ARTICLES.items():
        text = ARTICLE.format(title=title, urls=urls, quality=quality, provider=provider)
        content.write(path, text)
    content.write("solar.yaml", "taxonomy: topic\n_id: solar\nname: Solar\n")
    content.write("broken.md", "---\ntitle: [never closed\n---\n")
    paths = WarehousePaths(content.warehouse)
    file = paths.generation("20250303T060000000000Z")
    file.parent.mkdir(parents=True)
    with duckdb.connect(str(file)) as con:
        con.execute("set TimeZone = 'UTC'")
        for statement in EARLIER.replace("$source", f"'{content.source}'").split(";\n"):
            con.execute(statement)
    content.warehouse.symlink_to(file.relative_to(content.warehouse.parent))
    return content


def test_a_build_carries_an_earlier_version_over(earlier: Content) -> None:
    """Nothing is new, removed or changed; runs, first sights and the history are still there."""
    receipt = earlier.build()
    assert receipt.published
    assert [check.partition(":")[0] for check in receipt.failed_checks] == [
        "quarantined_over_5_percent"
    ]
    assert faults(earlier.warehouse) == []
    assert (receipt.seen, receipt.loaded, receipt.quarantined, receipt.new, receipt.gone) == (
        (6, 5, 1, 0, 0)
    )
    (note,) = receipt.notes
    assert note.startswith("the warehouse was made by an earlier version: ops.files, ops.runs, ")
    assert earlier.query("select count(*) from ops.runs") == [(4,)]
    assert earlier.query(
        "select path, status, first_seen_at = timestamptz '2025-03-01 06:00:00+00', gone_at is null"
        " from ops.files order by path"
    ) == [
        ("a.md", "loaded", True, True),
        ("b.md", "loaded", True, True),
        ("broken.md", "quarantined", True, True),
        ("c.md", "gone", True, False),
        ("d.md", "loaded", True, True),
        ("gone.md", "gone", True, False),
        ("moved/c.md", "loaded", True, True),
        ("solar.yaml", "loaded", True, True),
    ]
    assert earlier.query("select name from raw.terms") == [("Solar",)]
    assert not earlier.build().published


def test_a_history_is_filled_as_far_as_it_follows_from_what_was_kept(earlier: Content) -> None:
    """Renames are followed; a column holds back to where it is known to have changed."""
    earlier.build()
    assert earlier.query(
        """
        select
            article_id, day(observed_at), change, origin_id, quality, title_text, web_url,
            provider_name, category, is_removed
        from raw.article_versions
        order by origin_id, observed_at, change = 'renamed'
        """
    ) == [
        ("a.md", 1, "added", "a.md", 70, "A", "https://x.org/a", "X", "news", None),
        ("a.md", 2, "changed", "a.md", 80, "A", "https://x.org/a", "X", "news", None),
        ("b.md", 1, "added", "b.md", 60, "B", None, "X", "news", None),
        ("b.md", 2, "changed", "b.md", 20, "B", "https://x.org/b2", "X", "news", None),
        ("c.md", 1, "added", "c.md", 50, "C", "https://x.org/c", "X", "news", None),
        ("c.md", 2, "removed", "c.md", 50, "C", "https://x.org/c", "X", "news", None),
        ("moved/c.md", 2, "renamed", "c.md", 50, "C", "https://x.org/c", "X", "news", None),
        ("d.md", 1, "added", "d.md", 40, "D", None, None, None, None),
        ("d.md", 2, "removed", "d.md", 40, "D", None, None, None, None),
        ("d.md", 3, "returned", "d.md", 45, "D", "https://x.org/d", "Y", "news", None),
        ("gone.md", 1, "added", "gone.md", 30, "Gone", None, None, None, None),
        ("gone.md", 2, "removed", "gone.md", 30, "Gone", None, None, None, None),
    ]
    assert earlier.query(
        "select quality_change, is_different_story from marts.article_versions"
        " where article_id in ('a.md', 'b.md') and change = 'changed' order by article_id"
    ) == [(10, False), (None, True)]


def test_tables_and_macros_that_went_by_another_name_are_gone(earlier: Content) -> None:
    """Nothing that reads the tables of yesterday is left."""
    earlier.build()
    assert (
        earlier.query(
            "select schema_name, table_name from duckdb_tables()"
            " where table_name in ('taxonomy', 'score_history') or table_name like 'earlier%'"
        )
        == []
    )
    assert (
        earlier.query(
            "select function_name from duckdb_functions()"
            " where not internal and function_name in ('topic_names', 'movement', 'calendar')"
        )
        == []
    )


def test_the_upgraded_warehouse_is_compared_and_rolled_back_from(earlier: Content) -> None:
    """The generation of the earlier version stays, and diff tells what it can."""
    (before,) = earlier.query("select run_id from ops.runs order by started_at desc")[:1]
    run_id = earlier.build().run_id
    named = ["--warehouse", str(earlier.warehouse)]
    assert cli.main([*named, "diff", *before, run_id, "--json"]) == 0


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Give a place for other texts of SQL files."""
    texts: dict[str, str] = {}
    read = files.files

    def files_with(folder: str) -> list[files.SqlFile]:
        return [
            files.SqlFile(file.folder, file.stem, texts.get(file.name, file.sql))
            for file in read(folder)
        ]

    for module in (upgrade, build):
        monkeypatch.setattr(module, "files", files_with)
    return texts


def test_another_shape_in_the_sql_files_reaches_a_warehouse(
    three: Content, added: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows come along by name, whatever the order and the type, and so do comments alone."""
    before = three.query("select article_id, quality, heat from raw.article_versions order by all")
    (sql,) = [file.sql for file in files.files("raw") if file.name == "raw.article_versions"]
    quality, heat = re.findall(r" +(?:quality|heat) integer.*\n", sql)
    added["raw.article_versions"] = sql.replace(quality, "").replace(
        heat, f"{heat}{quality.replace('integer', 'bigint')}"
    )
    (sql,) = [file.sql for file in files.files("ops") if file.name == "ops.runs"]
    added["ops.runs"] = sql.replace("-- start of the run\n", "-- when it began\n")
    monkeypatch.setattr("flows.pipeline.context.fingerprint", lambda: "another")
    receipt = three.build()
    assert "earlier version: raw.article_versions were carried over" in receipt.notes[0]
    assert three.query(
        """
        select column_name, data_type from duckdb_columns()
        where table_name = 'article_versions' and schema_name = 'raw'
            and column_name in ('quality', 'heat')
        order by column_index
        """
    ) == [("heat", "INTEGER"), ("quality", "BIGINT")]
    assert three.query(
        "select comment from duckdb_columns()"
        " where table_name = 'runs' and column_name = 'started_at'"
    ) == [("when it began",)]
    assert (
        three.query("select article_id, quality, heat from raw.article_versions order by all")
        == before
    )


def test_nothing_of_a_history_is_dropped(
    three: Content, added: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column that the files no longer have, or a type that rows do not fit, stops the build."""
    (sql,) = [file.sql for file in files.files("raw") if file.name == "raw.article_versions"]
    before = three.warehouse.readlink()
    monkeypatch.setattr("flows.pipeline.context.fingerprint", lambda: "another")
    added["raw.article_versions"] = re.sub(r" +heat integer.*\n", "", sql)
    with pytest.raises(MatterhouseError, match=r"has columns that .* has not: heat"):
        three.build()
    added["raw.article_versions"] = sql.replace("change varchar", "change integer")
    with pytest.raises(MatterhouseError, match=r"rows of raw\.article_versions do not fit"):
        three.build()
    assert three.warehouse.readlink() == before


def test_an_article_on_a_path_that_another_left_is_a_new_one() -> None:
    """Moves, returns and new arrivals are told apart as a build tells them apart."""
    day = 86_400_000_000
    versions = [
        Version(0, 0, "p", "added", None),
        Version(1, day, "p", "removed", None),
        Version(2, day, "q", "renamed", "p"),
        Version(3, 2 * day, "p", "returned", None),
        Version(4, 3 * day, "q", "removed", None),
        Version(5, 3 * day, "r", "renamed", "q"),
        Version(6, 4 * day, "r", "removed", None),
        Version(7, 5 * day, "r", "returned", None),
    ]
    assert dict(trace_origins(versions)) == {
        0: "p",
        1: "p",
        2: "p",
        3: "p@1970-01-03T00:00:00.000000Z",
        4: "p",
        5: "p",
        6: "p",
        7: "p",
    }


def test_articles_that_an_earlier_version_took_for_one_are_parted(
    three: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new article on a path that another had left had gone on with that one's history."""
    (three.source / "_news/2025-03-04-a.md").rename(three.source / "moved.md")
    three.build()
    three.write("_news/2025-03-04-a.md", article(title="another", quality=40))
    three.build()
    sound = three.query("from raw.article_versions order by all")
    with duckdb.connect(str(three.warehouse.resolve())) as con:
        con.execute("update raw.article_versions set origin_id = split_part(origin_id, '@', 1)")
    assert three.query("from raw.article_versions order by all") != sound
    monkeypatch.setattr("flows.pipeline.context.fingerprint", lambda: "another")
    (note,) = three.build().notes
    assert note.startswith("an earlier version of matterhouse took new articles for others")
    assert three.query("from raw.article_versions order by all") == sound
    monkeypatch.setattr("flows.pipeline.context.fingerprint", lambda: "a third")
    assert three.build().notes == []
