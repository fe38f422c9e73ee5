"""Every SQL file keeps the house style, and what it says about itself is true."""

import re

import duckdb
import pytest

from flows.models import build, files
from flows.models.files import SqlFile
from tests import models as cases

README = files.sql_folder() / "README.md"
LAYERS = ("raw", "ops", "staging", "marts")
MODELS = [*files.files("staging"), *files.files("marts")]
MACROS = files.files("macros")
CHECKS = files.files("checks")


def said(file: SqlFile) -> dict[str, str]:
    """Return what the header says: question, Grain, Reads, Note."""
    first, *rest = file.paragraphs
    return {"question": first, **dict(line.split(": ", 1) for line in rest)}


def catalogue() -> str:
    """Return sql/README.md as the headers say it should be."""
    lines = ["| table | grain | reads |", "|---|---|---|"]
    for file in (file for layer in LAYERS for file in files.files(layer)):
        header = said(file)
        source = header.get("Reads", "the files" if file.folder == "raw" else "the run")
        lines.append(f"| `{file.name}` | {header['Grain']} | {source} |")
    macros = ["| macro | answers |", "|---|---|"]
    macros += [f"| `{file.stem}` | {said(file)['question']} |" for file in MACROS]
    checks = ["| check | severity | says |", "|---|---|---|"]
    for file in CHECKS:
        message, severity = file.header
        checks.append(f"| `{file.stem}` | {severity.removeprefix('severity: ')} | {message} |")
    intro = README.read_text(encoding="utf-8").split("\n| table |")[0]
    return "\n".join([intro, *lines, "", *macros, "", *checks, ""])


def name(file: SqlFile) -> str:
    """Name a file in the list of tests."""
    return file.name


@pytest.mark.parametrize("file", MODELS, ids=name)
def test_a_header_has_question_grain_reads_and_note(file: SqlFile) -> None:
    """A model's first six lines at most ask its question and say grain, reads and the trap."""
    assert [label for label in said(file) if label not in ("Key", "Sums by")] == [
        "question",
        "Grain",
        "Reads",
        "Note",
    ]
    assert said(file)["question"].endswith("?")
    assert len(file.header) <= 6
    assert file.reads == sorted(file.reads)


@pytest.mark.parametrize("file", MODELS, ids=name)
def test_a_model_reads_no_later_layer(file: SqlFile) -> None:
    """Staging is cleaned from raw and ops, and never from a report."""
    later = {"staging": {"marts"}, "marts": set()}[file.folder]
    assert {name.split(".")[0] for name in file.reads}.isdisjoint(later)


@pytest.mark.parametrize("file", [*MODELS, *CHECKS], ids=name)
def test_a_query_is_one_select(file: SqlFile) -> None:
    """Models and checks hold one select without a semicolon."""
    code = re.sub(r"--.*", "", file.sql)
    assert ";" not in code
    assert re.search(r"^(with|select)\b", code.strip())


@pytest.mark.parametrize("file", [*files.files("marts"), *CHECKS], ids=name)
def test_what_people_look_at_is_ordered(file: SqlFile) -> None:
    """The rows of reports and checks do not change their places from run to run."""
    assert re.search(r"^order by ", re.sub(r"--.*", "", file.sql), re.MULTILINE)


@pytest.mark.parametrize("file", CHECKS, ids=name)
def test_a_check_says_what_is_wrong_and_how_bad(file: SqlFile) -> None:
    """A check's two header lines are a sentence and its severity."""
    message, severity = file.header
    assert message.endswith(".")
    assert severity in ("severity: error", "severity: warn")


def test_every_table_and_column_has_a_comment() -> None:
    """An analyst who opens the file cold finds a comment on every table and column."""
    with duckdb.connect() as con:
        build.create_tables(con)
        build.build(con)
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
    """sql/README.md is what the headers say (`python -m tests.models.test_sql_style` writes it)."""
    assert README.read_text(encoding="utf-8") == catalogue()


if __name__ == "__main__":
    README.write_text(catalogue(), encoding="utf-8")
