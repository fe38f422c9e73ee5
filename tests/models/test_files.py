"""Models run in the order of what they read; what cannot run is named; what no file makes goes."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.models import build, files
from flows.models.files import UnusableSqlFile

COUNT = """-- How many articles are there?
-- Grain: one row
-- Reads: {reads}
select
    count(*) as articles,  -- rows of the table
from {table}
order by articles
"""


@pytest.fixture
def sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a sql/ of its own: the shapes, the macros and our staging models, but no mart."""
    folder = tmp_path / "sql"
    for part in ("raw", "ops", "macros", "staging"):
        shutil.copytree(files.sql_folder() / part, folder / part)
    for part in ("marts", "checks"):
        (folder / part).mkdir()
    monkeypatch.setattr(files, "sql_folder", lambda: folder)
    return folder


@pytest.fixture
def con(sql: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a warehouse in memory with two articles."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        build.create_tables(connection)
        connection.execute("insert into raw.articles (article_id) values ('a.md'), ('b.md')")
        yield connection


def write(folder: Path, name: str, table: str, reads: str | None = None) -> None:
    """Write a mart that counts the rows of a table."""
    text = COUNT.format(table=table, reads=reads or table)
    (folder / "marts" / f"{name}.sql").write_text(text, encoding="utf-8")


def test_a_mart_is_made_after_the_marts_it_reads(sql: Path, con: duckdb.DuckDBPyConnection) -> None:
    """The alphabet decides nothing: a chain against it counts what this run loaded."""
    write(sql, "a", "marts.b")
    write(sql, "b", "marts.c")
    write(sql, "c", "staging.articles")
    made = build.build(con).tables
    assert [name for name in made if name.startswith("marts.")] == ["marts.c", "marts.b", "marts.a"]
    con.execute("insert into raw.articles (article_id) values ('c.md')")
    build.build(con)
    assert con.execute("from marts.c").fetchall() == [(3,)]


def test_marts_that_read_each_other_are_refused(sql: Path, con: duckdb.DuckDBPyConnection) -> None:
    """The message goes round the circle by file."""
    write(sql, "a", "marts.b")
    write(sql, "b", "marts.a")
    with pytest.raises(UnusableSqlFile) as refused:
        build.build(con)
    places = str(refused.value).split(":")[0].split(" reads ")
    assert sorted(places[:2]) == ["sql/marts/a.sql", "sql/marts/b.sql"]
    assert places[0] == places[2]


def test_a_header_that_names_other_tables_is_refused(
    sql: Path, con: duckdb.DuckDBPyConnection
) -> None:
    """The message has what is read, what is said and the line to write."""
    write(sql, "a", "staging.articles", reads="raw.articles")
    with pytest.raises(UnusableSqlFile) as refused:
        build.build(con)
    assert str(refused.value) == (
        "sql/marts/a.sql reads staging.articles, but its header says raw.articles: "
        "write `-- Reads: staging.articles`."
    )


def test_a_key_that_names_no_column_is_refused(sql: Path, con: duckdb.DuckDBPyConnection) -> None:
    """Without its columns a table could not be held against its grain."""
    write(sql, "a", "staging.articles")
    mart = sql / "marts/a.sql"
    mart.write_text(mart.read_text().replace("one row", "one row (so far) (day, articles)"))
    with pytest.raises(UnusableSqlFile) as refused:
        build.build(con)
    assert str(refused.value) == (
        "sql/marts/a.sql: the line `Grain:` ends with the columns that tell rows apart, and day is"
        " no column of marts.a."
    )


def test_a_table_that_no_file_makes_is_named(sql: Path, con: duckdb.DuckDBPyConnection) -> None:
    """A mart that reads what was there once is told so before anything is built."""
    write(sql, "a", "marts.nowhere")
    with pytest.raises(
        UnusableSqlFile, match=r"sql/marts/a.sql reads marts.nowhere, which no file"
    ):
        build.build(con)


def test_references_are_what_follows_from_and_join() -> None:
    """Subqueries count; aliases, comments, texts, the names of CTEs and what is distinct do not."""
    query = """-- Reads: raw.after_a_comma
        with a as (select raw.x from raw.one as raw where x in (from "raw"."two")),
        -- from raw.nothing
        b as (
            select * from a
            left join as_of('from raw.text') as t
                on t.x is distinct from a.x and t.x = (select max(x) from (ops.three)),
            raw.after_a_comma
        )
        select * from b union all select * from a
    """
    found = files.references(files.SqlFile("marts", "m", query))
    tables = {"raw.one", "raw.two", "raw.after_a_comma", "ops.three"}
    assert {name for name in found if "." in name} == tables
    assert "as_of()" in found


@pytest.mark.parametrize("name", ["it's", "--", "/*"])
def test_a_quoted_name_hides_no_table(name: str) -> None:
    """What begins a text or a comment elsewhere is a sign like others between double quotes."""
    query = (
        f"""-- Reads: raw.one\nselect 1 as "{name}" from raw.one where 'x' <> '*/ from raw.two'"""
    )
    assert files.references(files.SqlFile("marts", "m", query)) == {"raw.one"}


def test_a_header_names_a_table_in_full() -> None:
    """A table whose name only begins as the one that is read is not taken for read."""
    query = "-- Reads: marts.changes, marts.changes_by\nselect 1 from marts.changes_by"
    assert files.references(files.SqlFile("marts", "m", query)) == {"marts.changes_by"}


@pytest.mark.parametrize("file", files.in_order(), ids=lambda file: file.name)
def test_references_are_those_that_duckdb_parses(file: files.SqlFile) -> None:
    """What is found without parsing, and what headers name, is exactly what queries read."""
    with duckdb.connect() as con:
        ((text,),) = con.execute("select json_serialize_sql(?)", [file.query]).fetchall()
    nodes: list[dict[str, Any]] = []
    json.loads(text, object_hook=lambda node: nodes.append(node) or node)
    tables = {
        f"{node['schema_name']}.{node['table_name']}"
        for node in nodes
        if node.get("type") == "BASE_TABLE" and node["schema_name"]
    }
    macros = {macro.name for macro in files.files("macros")}
    called = {f"{node['function_name']}()" for node in nodes if "function_name" in node}
    found = files.references(file)
    assert {name for name in found if "." in name} == tables
    assert found & macros == called & macros


def test_a_mart_whose_file_is_gone_is_dropped(sql: Path, con: duckdb.DuckDBPyConnection) -> None:
    """It is named once; a table that somebody else put there is left alone."""
    write(sql, "weekly", "staging.articles")
    build.build(con)
    con.execute("""create table marts."my notes" as select 1 as note""")
    (sql / "marts" / "weekly.sql").unlink()
    assert build.build(con).dropped == ["marts.weekly"]
    assert build.build(con).dropped == []
    left = con.execute("select table_name from duckdb_tables() where schema_name = 'marts'")
    assert left.fetchall() == [("my notes",)]


def test_what_editors_and_systems_leave_is_no_model(
    sql: Path, con: duckdb.DuckDBPyConnection
) -> None:
    """Neither a resource fork nor a lock that points nowhere is read, nor any other stray."""
    before = files.fingerprint()
    (sql / "marts" / "._weekly.sql").write_bytes(b"\x00\x05\x16\x07\xff")
    (sql / "marts" / ".#weekly.sql").symlink_to("user@machine.1234")
    (sql / "marts" / "~$weekly.sql").write_bytes(b"\xff")
    (sql / "marts" / "#weekly.sql").write_text("select")
    assert files.fingerprint() == before
    ours = {f"staging.{path.stem}" for path in (sql / "staging").iterdir()}
    assert set(build.build(con).tables) == ours


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("weekly.sql", "-- Wöchentlich".encode("latin-1"), "sql/marts/weekly.sql is not UTF-8"),
        ("my notes.sql", b"select 1", "sql/marts/my notes.sql: the file's name becomes that of"),
    ],
)
def test_a_file_that_cannot_be_a_model_is_named(
    sql: Path, con: duckdb.DuckDBPyConnection, name: str, content: bytes, message: str
) -> None:
    """One sentence says which file it is and what to do."""
    (sql / "marts" / name).write_bytes(content)
    with pytest.raises(UnusableSqlFile, match=message):
        build.build(con)


def test_a_macro_is_made_after_the_table_it_reads(con: duckdb.DuckDBPyConnection) -> None:
    """as_of reads the history, and all else it is written in is there before."""
    names = [file.name for file in files.in_order()]
    assert names.index("as_of()") > names.index("staging.article_versions")
    assert names.index("provider_key()") > names.index("clean_text()")
