"""Every SQL file keeps the house style, and what it says about itself is true."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.models import build
from tests import models as cases

README = build.sql_folder() / "README.md"
LAYERS = ("raw", "ops", "staging", "marts")
MODELS = [*build.files("staging"), *build.files("marts")]
MACROS = build.macros()
FUNCTIONS = build.files("functions")
CHECKS = build.files("checks")


def reads(sql: str) -> set[str]:
    """Return the tables and macros of ours that a select reads."""
    with duckdb.connect() as con:
        ((tree,),) = con.execute("select json_serialize_sql(?)", [sql]).fetchall()
    nodes = list(walk(json.loads(tree)))
    tables = {
        f"{node['schema_name']}.{node['table_name']}"
        for node in nodes
        if node.get("type") == "BASE_TABLE" and node["schema_name"]
    }
    functions = {node["function"]["function_name"] for node in nodes if "function" in node}
    return tables | {f"{path.stem}()" for path in MACROS if path.stem in functions}


def walk(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a syntax tree."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for item in tree:
            yield from walk(item)


def said(path: Path) -> dict[str, str]:
    """Return what the header says: question, Grain, Reads, Note."""
    first, *rest = build.paragraphs(path.read_text(encoding="utf-8"))
    return {"question": first, **dict(line.split(": ", 1) for line in rest)}


def catalogue() -> str:
    """Return sql/README.md as the headers say it should be."""
    lines = ["| table | grain | reads |", "|---|---|---|"]
    for path in (path for layer in LAYERS for path in build.files(layer)):
        header = said(path)
        source = header.get("Reads", "the files" if path.parent.name == "raw" else "the refresh")
        lines.append(f"| `{build.table_name(path)}` | {header['Grain']} | {source} |")
    macros = ["| macro | answers |", "|---|---|"]
    macros += [f"| `{path.stem}` | {said(path)['question']} |" for path in MACROS]
    functions = ["| function | answers |", "|---|---|"]
    functions += [f"| `{path.stem}` | {said(path)['question']} |" for path in FUNCTIONS]
    checks = ["| check | severity | says |", "|---|---|---|"]
    for path in CHECKS:
        message, severity = build.header(path.read_text(encoding="utf-8"))
        checks.append(f"| `{path.stem}` | {severity.removeprefix('severity: ')} | {message} |")
    intro = README.read_text(encoding="utf-8").split("\n| table |")[0]
    return "\n".join([intro, *lines, "", *macros, "", *functions, "", *checks, ""])


@pytest.mark.parametrize("path", MODELS, ids=build.table_name)
def test_a_header_has_question_grain_reads_and_note(path: Path) -> None:
    """A model's first five lines at most ask its question and say grain, reads and the trap."""
    sql = path.read_text(encoding="utf-8")
    assert list(said(path)) == ["question", "Grain", "Reads", "Note"]
    assert said(path)["question"].endswith("?")
    assert len(build.header(sql)) <= 5


@pytest.mark.parametrize("path", MODELS, ids=build.table_name)
def test_reads_names_what_a_model_reads(path: Path) -> None:
    """`Reads:` lists, sorted, exactly the tables and table macros of the query."""
    found = reads(path.read_text(encoding="utf-8"))
    assert said(path)["Reads"].split(", ") == sorted(found)


@pytest.mark.parametrize("path", MODELS, ids=build.table_name)
def test_a_model_reads_only_earlier_layers(path: Path) -> None:
    """A model never reads its own layer, so the order of the files in it does not matter."""
    earlier = ["raw", "ops"] + (["staging"] if path.parent.name == "marts" else [])
    layers = {name.split(".")[0] for name in reads(path.read_text(encoding="utf-8")) if "." in name}
    assert layers <= set(earlier)


def test_reads_sees_tables_in_subqueries_and_no_ctes() -> None:
    """The walker that proves `Reads:` finds nested tables and macros, and no name of a CTE."""
    sql = """
        with a as (select 1 as x from raw.one where x in (select x from raw.two)),
        b as (select * from a left join topic_names() as t on t.x = (select max(x) from ops.three))
        select * from b union all select * from a
    """
    assert reads(sql) == {"raw.one", "raw.two", "ops.three", "topic_names()"}


@pytest.mark.parametrize("path", [*MODELS, *CHECKS], ids=build.table_name)
def test_a_query_is_one_ordered_select(path: Path) -> None:
    """Models and checks hold one select, ordered, without a semicolon."""
    code = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
    assert ";" not in code
    assert re.search(r"^(with|select)\b", code.strip())
    assert re.search(r"^order by ", code, re.MULTILINE), "unordered rows change from run to run"


@pytest.mark.parametrize("path", CHECKS, ids=build.table_name)
def test_a_check_says_what_is_wrong_and_how_bad(path: Path) -> None:
    """A check's two header lines are a sentence and its severity."""
    message, severity = build.header(path.read_text(encoding="utf-8"))
    assert message.endswith(".")
    assert severity in ("severity: error", "severity: warn")


def test_every_table_and_column_has_a_comment() -> None:
    """An analyst who opens the file cold finds a comment on every table and column."""
    with cases.warehouse({}) as con:
        silent = con.execute("""
            select schema_name, table_name, null as column_name, comment from duckdb_tables()
            union all
            select schema_name, table_name, column_name, comment from duckdb_columns()
            where not internal
        """).fetchall()
    assert len(silent) > len(MODELS)
    assert [row for row in silent if not row[3]] == []


def test_every_mart_can_be_exported() -> None:
    """No staging or mart column has a type that other readers of Parquet refuse."""
    with cases.warehouse({}) as con:
        refused = con.execute("""
            select schema_name, table_name, column_name, data_type from duckdb_columns()
            where schema_name in ('staging', 'marts')
                and regexp_matches(data_type, 'HUGEINT|INTERVAL|JSON|UUID|TIME$|_NS|"NULL"')
        """).fetchall()
    assert refused == []


def test_the_readme_lists_every_table_macro_and_check() -> None:
    """sql/README.md is what the headers say (`python -m tests.test_sql_style` writes it)."""
    assert README.read_text(encoding="utf-8") == catalogue()


if __name__ == "__main__":
    README.write_text(catalogue(), encoding="utf-8")
