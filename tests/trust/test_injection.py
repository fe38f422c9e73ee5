"""Hostile values run nowhere, and a query of `sql` reaches nothing but the tables."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli import main
from tests.conftest import Content, article

PAYLOADS = {
    "sql": "'); drop table raw.articles; --",
    "html": "<script>alert(1)</script>",
    "formula": '=HYPERLINK("http://example.org","x")',
    "dde": "@SUM(1+9)*cmd|' /C calc'!A0",
    "terminal": "\x1b]0;owned\x07\x1b[2J",
    "log": "a\nmatterhouse: Published everything",
    "path": "../../etc/passwd",
    "null": "a\x00b",
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_a_hostile_value_is_only_a_value(
    content: Content,
    payload: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Titles, topics, providers and keys come out as what they are, and do nothing."""
    text = json.dumps(payload)
    content.write(
        "a.md",
        f"---\ntitle: {text}\ntopics: [{text}]\nprovider: {{name: {text}, domain: {text}}}\n"
        f"publishedDateTime: 2025-01-01\nquality: {text}\n{text}: {text}\n---\n",
    )
    content.build()
    assert content.query("select title from raw.articles") == [(payload,)]
    warehouse = ["--warehouse", str(content.warehouse)]
    capsys.readouterr()
    for command in (["quarantine", "--values"], ["sql", "from raw.articles"], ["diff"], ["runs"]):
        main([*warehouse, *command])
    said = capsys.readouterr()
    assert [c for c in said.out + said.err if not c.isprintable() and c not in "\n\t"] == []
    assert "\nmatterhouse: Published" not in said.out + said.err

    main([*warehouse, "sql", "select title from raw.articles", "--format", "csv"])
    (_, (cell,)) = csv.reader(io.StringIO(capsys.readouterr().out))
    assert cell in (payload, f"'{payload}")
    assert cell[0] not in "=+-@\t\r"

    main([*warehouse, "export", str(tmp_path / "out"), "--format", "csv", "--tables", "raw.*"])
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert [name for name in names if not name.startswith(("raw.", "manifest."))] == []


def test_written_files_honour_the_umask(content: Content, tmp_path: Path) -> None:
    """Nobody else reads what an account with a strict umask writes."""
    content.write("a.md", article())
    code = (
        "import os, sys; os.umask(0o077); from flows.cli import main;"
        "w, s, o = sys.argv[1:]; main(['--warehouse', w, 'build', s, '--quiet']);"
        "main(['--warehouse', w, 'export', o])"
    )
    out = tmp_path / "out"
    arguments = [content.warehouse, content.source, out]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, stdout=subprocess.DEVNULL)
    written = [content.warehouse.resolve(), content.warehouse.with_name("warehouse.runs.jsonl")]
    modes = {path.name: path.stat().st_mode & 0o077 for path in [*written, *out.iterdir()]}
    assert modes == dict.fromkeys(modes, 0)


@pytest.mark.parametrize(
    "query",
    [
        "from read_blob('/etc/hostname')",
        "from read_csv('/etc/passwd')",
        "from glob('/etc/*')",
        "from '/etc/passwd'",
        "attach '/tmp/elsewhere.duckdb'",
        "export database '/tmp/elsewhere'",
        "load httpfs",
        "from 'http://127.0.0.1:9/x.parquet'",
        "pragma database_list; copy raw.articles to '/tmp/elsewhere.csv'",
        "set memory_limit = '1TB'",
        "reset enable_external_access",
        "select getenv('HOME')",
        "from content",
        "create or replace macro raw.f() as 1",
        "update raw.articles set title = 'x'",
    ],
)
def test_a_query_reaches_nothing_but_the_tables(
    three: Content, query: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files, network, environment, Python's variables and settings are out of a query's reach."""
    before = three.warehouse.resolve().read_bytes()
    code = main(["--warehouse", str(three.warehouse), "sql", query])
    said = capsys.readouterr()
    assert code == 1
    assert said.err.startswith("matterhouse: ")
    assert "Traceback" not in said.err
    assert os.environ["HOME"] not in said.out
    assert three.warehouse.resolve().read_bytes() == before
    assert list(Path("/tmp").glob("elsewhere*")) == []
