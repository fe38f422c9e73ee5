"""The lines of docs/tools.md are typed here, where the tool that they are for can be had."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml

from flows.pipeline.context import Request
from flows.pipeline.run import run

ROOT = Path(__file__).parent.parent
TOOLS = (ROOT / "docs/tools.md").read_text(encoding="utf-8")


def blocks(section: str, language: str) -> list[str]:
    """Return the code blocks of a language below a heading."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", TOOLS, re.MULTILINE | re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that holds the warehouse of the sample corpus where the lines expect it."""
    folder = tmp_path_factory.mktemp("tools")
    (folder / "data").mkdir()
    run(Request(ROOT / "data/content", folder / "data/warehouse.duckdb", history=False))
    return folder


def type_in(folder: Path, *command: str) -> str:
    """Run a command in the folder with the code of this checkout and return what it prints."""
    bin_folder = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "MATTERHOUSE_WAREHOUSE": "data/warehouse.duckdb",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def query(folder: Path, sql: str) -> list[tuple[object, ...]]:
    """Return the rows of a query on the warehouse."""
    with duckdb.connect(str(folder / "data/warehouse.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


SHOWN_TOPICS = "\nprint(*sorted(topics['topic']), sep='|', end='')"


def topics(folder: Path) -> str:
    """Return the names of all topics as `SHOWN_TOPICS` prints those of a frame."""
    rows = query(folder, "select topic from marts.topics order by topic")
    return "|".join(str(name) for (name,) in rows)


def test_duckdb_shell(folder: Path) -> None:
    """The shell prints the largest topics."""
    (line,) = blocks("DuckDB's shell and its notebook", "sh")
    assert "Batteries" in type_in(folder, "bash", "-euc", line)


def test_pandas(folder: Path) -> None:
    """A query gives a frame of all topics."""
    lines, _ = blocks("pandas and polars", "python")
    assert type_in(folder, sys.executable, "-c", lines + SHOWN_TOPICS) == topics(folder)


def test_pandas_reads_an_export(folder: Path) -> None:
    """The exported file gives the same frame."""
    pytest.importorskip("pyarrow", reason="pandas needs it for Parquet: pip install pyarrow")
    (line,) = blocks("pandas and polars", "sh")
    _, lines = blocks("pandas and polars", "python")
    type_in(folder, "bash", "-euc", line)
    assert type_in(folder, sys.executable, "-c", lines + SHOWN_TOPICS) == topics(folder)


def test_sqlalchemy(folder: Path) -> None:
    """The engine reads the marts, lists their schema, and cannot write."""
    (lines,) = blocks("SQLAlchemy and Superset", "python")
    shown = """
print(len(best), "marts" in str(sqlalchemy.inspect(engine).get_schema_names()))
try:
    with engine.connect() as con:
        con.execute(sqlalchemy.text("create table marts.t as select 1"))
except sqlalchemy.exc.DBAPIError as error:
    print("read-only" in str(error))
"""
    ((count,),) = query(folder, "select count(*) from marts.topics")
    assert type_in(folder, sys.executable, "-c", lines + shown) == f"{count} True\nTrue\n"


def test_dbt_builds_a_model_on_the_sources(folder: Path) -> None:
    """dbt takes the profile, the printed sources and a model as the page gives them."""
    if shutil.which("dbt") is None:
        pytest.skip("dbt is not installed: pip install dbt-duckdb")
    (profile,), (line,), (model,) = (blocks("dbt", kind) for kind in ("yaml", "sh", "sql"))
    (folder / "models").mkdir()
    (folder / "dbt_project.yml").write_text("name: reports\nversion: '1.0'\nprofile: reports\n")
    (folder / "profiles.yml").write_text(profile)
    (folder / "models/large_topics.sql").write_text(model)
    type_in(folder, "bash", "-euc", line)
    type_in(folder, "dbt", "build", "--profiles-dir", ".")
    with duckdb.connect(str(folder / "reports.duckdb"), read_only=True) as con:
        built = con.execute("from large_topics order by topic").fetchall()
    assert built == query(
        folder, "select topic, articles from marts.topics where articles > 20 order by topic"
    )


def test_dbt_sources_carry_every_comment(folder: Path) -> None:
    """The printed sources name each table and column with its type and its comment."""
    printed = yaml.safe_load(type_in(folder, "matterhouse", "tables", "--dbt"))
    assert [source["name"] for source in printed["sources"]] == ["marts", "staging", "raw", "ops"]
    assert {
        (source["schema"], table["name"], table["description"], column["name"],
         column["data_type"], column["description"])
        for source in printed["sources"]
        for table in source["tables"]
        for column in table["columns"]
    } == set(
        query(
            folder,
            """
            select schema_name, table_name, tables.comment, column_name, data_type, columns.comment
            from duckdb_columns() as columns
            inner join duckdb_tables() as tables using (schema_name, table_name)
            """,
        )
    )  # fmt: skip


def test_excel_reads_utf_8(folder: Path) -> None:
    """The CSV begins with the byte order mark, once, and then with its header."""
    (line,) = blocks("Excel", "sh")
    type_in(folder, "bash", "-euc", line)
    text = (folder / "topics.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbftopic,") and text.count(b"\xef\xbb\xbf") == 1
