"""Values and queries that try to be more than data."""

import csv
import json
import os
import sys
from pathlib import Path

import duckdb
import pytest

from flows import cli
from flows.reports.messages import markdown
from flows.warehouse.paths import WarehousePaths
from flows.warehouse.run_log import read_runs
from tests.conftest import Content, article

PAYLOADS = [
    "'; drop table raw.articles; --",
    '"); drop schema raw cascade; --',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@sum(1)",
    "<script>alert(1)</script>",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b2J \u202egnp.exe \u2066",
    "line\r\nmatterhouse: forged",
    "${jndi:x} {{7*7}} %s %n",
]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Content:
    """Give a warehouse whose values, keys and topics are payloads."""
    content = Content(tmp_path_factory.mktemp("payloads"))
    for number, payload in enumerate(PAYLOADS):
        said = json.dumps(payload)
        content.write(
            f"{number:02}.md",
            f"---\ntitle: {said}\ntopics: [{said}]\nprovider: {{name: {said}}}\n"
            f"quality: {said}\n{said}: 1\n---\n",
        )
    content.build()
    return content


def test_values_arrive_as_they_were_typed(loaded: Content) -> None:
    """SQL in a value is text: nothing is spliced, dropped or changed."""
    assert loaded.query("select title from raw.articles order by article_id") == [
        (payload,) for payload in PAYLOADS
    ]


def test_cells_for_a_spreadsheet_begin_no_formula(loaded: Content, tmp_path: Path) -> None:
    """Each cell that it would run begins with an apostrophe."""
    file = tmp_path / "q.csv"
    query = ["sql", "--format", "excel", "-o", str(file), "from raw.articles"]
    assert cli.main(["--warehouse", str(loaded.warehouse), *query]) == 0
    rows = csv.reader(file.open(newline="", encoding="utf-8-sig"))
    cells = [cell for row in rows for cell in row]
    assert {cell[:2] for cell in cells} >= {"'=", "'+", "'@"}
    assert [c for c in cells if c[:1] in ("=", "@", "+") or c[:2] == "-1"] == []


@pytest.mark.parametrize(
    "command", ["build --full", "quarantine", "quarantine --values", "runs", "profile", "diff"]
)
def test_nothing_printed_moves_the_terminal_or_forges_a_line(
    loaded: Content, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    """Control characters are spelled out in every report."""
    arguments = command.split()
    if arguments[0] in ("build", "profile"):
        arguments.insert(1, str(loaded.source))
    cli.main(["--warehouse", str(loaded.warehouse), *arguments])
    said = capfd.readouterr()
    assert "\x1b" not in said.out + said.err
    assert not [
        line
        for line in (said.out + said.err).splitlines()
        if line.startswith("matterhouse: forged")
    ]


@pytest.mark.parametrize("file_format", ["table", "csv", "json"])
def test_a_query_does_not_move_the_terminal(
    loaded: Content,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    file_format: str,
) -> None:
    """Rows on a screen have their control characters spelled out, in each format."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    query = ["sql", "--format", file_format, "select title, 1 as n from raw.articles"]
    assert cli.main(["--warehouse", str(loaded.warehouse), *query]) == 0
    said = capsys.readouterr().out
    assert "owned" in said
    assert [c for c in said if not c.isprintable() and c not in "\r\n"] == []


@pytest.mark.parametrize("file_format", ["parquet", "json"])
def test_other_formats_hold_the_values_as_they_are(
    loaded: Content, tmp_path: Path, file_format: str
) -> None:
    """Only a spreadsheet has formulas: what is exported reads back as what was typed."""
    target = tmp_path / "out"
    options = ["export", str(target), "--format", file_format, "--tables", "raw.articles"]
    assert cli.main(["--warehouse", str(loaded.warehouse), *options]) == 0
    file = target / f"raw.articles.{file_format}"
    assert duckdb.sql(f"select title from '{file}' order by article_id").fetchall() == [
        (payload,) for payload in PAYLOADS
    ]


@pytest.mark.parametrize("command", ["build --full --json", "quarantine --json", "runs --json"])
def test_json_is_one_value_without_control_characters(
    loaded: Content, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    """A machine reads it whole, and a terminal that shows it is not moved."""
    arguments = command.split()
    if arguments[0] == "build":
        arguments.insert(1, str(loaded.source))
    assert cli.main(["--warehouse", str(loaded.warehouse), *arguments]) == 0
    said = capfd.readouterr().out
    assert json.loads(said) is not None
    assert [c for c in said if not c.isprintable() and c != "\n"] == []


def test_artifacts_hold_no_control_characters(content: Content) -> None:
    """An orchestrator's page shows paths and topics with theirs spelled out."""
    content.write("bad\x1b[2J\n.md", "---\ntitle: [\n---\n")
    for number, payload in enumerate(PAYLOADS):
        said = json.dumps(payload)
        dated = f"publishedDateTime: 2025-03-{number + 1:02}\nprovider: {{name: {said}}}"
        content.write(f"{number}.md", f"---\ntitle: x\ntopics: [{said}]\n{dated}\n---\n")
        content.write(f"{number}-b.md", f"---\ntitle: y\n{dated}\n---\n")
    content.build()
    paths = WarehousePaths(content.warehouse)
    receipt = read_runs(paths)[-1]
    tables = markdown.read_tables(paths, receipt)
    cells = [cell for table in tables for row in table.rows for cell in row.values()]
    assert any("[2J" in str(cell) for cell in cells)
    assert [cell for cell in cells if isinstance(cell, str) and not cell.isprintable()] == []
    assert [c for c in markdown.to_markdown(receipt) if not c.isprintable() and c != "\n"] == []


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "a/b"])
def test_an_export_stays_in_its_folder(
    content: Content, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A table that somebody gave the name of a path is refused, and nothing is written."""
    content.write("a.md", article())
    content.build()
    content.warehouse.resolve().chmod(0o644)
    with duckdb.connect(str(content.warehouse)) as con:
        con.execute(f'create table marts."{name}" as select 1 as a')
    before = sorted(tmp_path.rglob("*"))
    export = ["export", str(tmp_path / "out"), "--tables", "*"]
    assert cli.main(["--warehouse", str(content.warehouse), *export]) == 1
    assert f"no file can be named after 'marts.{name}'" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "query",
    [
        "create table x as select 1",
        "drop table raw.articles",
        "from read_text('/etc/passwd')",
        "from read_blob('/etc/passwd')",
        "from '/etc/passwd'",
        "from glob('/*')",
        "attach '{file}' as x",
        "copy raw.articles to '{file}'",
        "export database '{file}'",
        "install httpfs",
        "load httpfs",
        "from 'https://localhost:1/x.csv'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "pragma enable_external_access",
        "reset enable_external_access",
        "from cli",
        "update raw.articles set title = 'x'",
        "create or replace macro raw.f() as 1",
        "set memory_limit = '1TB'",
        "with gone as (delete from raw.articles returning *) from gone",
    ],
)
def test_a_query_stays_inside(
    loaded: Content, tmp_path: Path, capfd: pytest.CaptureFixture[str], query: str
) -> None:
    """Writing, files, the network and Python's variables are refused; the file stays as it was."""
    before = loaded.warehouse.read_bytes()
    file = tmp_path / "out"
    command = ["--warehouse", str(loaded.warehouse), "sql", query.format(file=file)]
    assert cli.main(command) == 1
    assert "root:" not in "".join(capfd.readouterr())
    assert not file.exists()
    assert loaded.warehouse.read_bytes() == before


def test_a_query_cannot_read_the_environment(
    loaded: Content, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable of the process (a token, say) does not come out through SQL."""
    monkeypatch.setenv("TOKEN", "kanarienvogel")
    cli.main(["--warehouse", str(loaded.warehouse), "sql", "select getenv('TOKEN')"])
    assert "kanarienvogel" not in "".join(capfd.readouterr())


def test_written_files_honour_the_umask(content: Content, tmp_path: Path) -> None:
    """With a strict umask nobody else may read the warehouse, its receipts or an export."""
    content.write("a.md", article())
    earlier = os.umask(0o077)
    try:
        content.build()
        cli.main(["--warehouse", str(content.warehouse), "export", str(tmp_path / "out")])
    finally:
        os.umask(earlier)
    paths = WarehousePaths(content.warehouse)
    written = [content.warehouse.resolve(), paths.receipts, paths.lock]
    written += [tmp_path / "out", *(tmp_path / "out").iterdir()]
    assert [file for file in written if file.stat().st_mode & 0o077] == []
