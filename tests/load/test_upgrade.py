"""A warehouse of an earlier version goes on, with its ledger and its history."""

import re

import duckdb
import pytest

from flows import MatterhouseError
from flows.load import upgrade
from flows.models import build, files
from flows.pipeline.context import Request
from flows.pipeline.run import run
from tests.conftest import Content, article


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
    monkeypatch.setattr("flows.pipeline.run.fingerprint", lambda: "another")
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


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("add column mood varchar", "raw.article_versions has mood"),
        ("alter quality type varchar using 'good'", "Could not convert string 'good' to INT32"),
    ],
)
def test_a_history_that_does_not_fit_is_given_up_on_request_alone(
    three: Content, monkeypatch: pytest.MonkeyPatch, statement: str, fault: str
) -> None:
    """One sentence says so and names the command; nothing is lost without `--full`."""
    with duckdb.connect(str(three.warehouse.resolve())) as con:
        con.execute(f"alter table raw.article_versions {statement}")
    monkeypatch.setattr("flows.pipeline.run.fingerprint", lambda: "another")
    before = three.warehouse.readlink()
    with pytest.raises(MatterhouseError, match=f"{fault}.*`matterhouse build --full`"):
        three.build()
    assert three.warehouse.readlink() == before
    receipt = run(Request(None, three.warehouse, full=True))
    assert (receipt.new, receipt.loaded) == (3, 3)
    assert three.query("select quality from raw.article_versions") == [(80,)] * 3
    assert three.query("select count(*) from ops.runs") == [(1,)]


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
    monkeypatch.setattr("flows.pipeline.run.fingerprint", lambda: "another")
    (note,) = three.build().notes
    assert note.startswith("an earlier version of matterhouse took new articles for others")
    assert three.query("from raw.article_versions order by all") == sound
    monkeypatch.setattr("flows.pipeline.run.fingerprint", lambda: "a third")
    assert three.build().notes == []
