"""What `secured` holds leaves the file by no way; what values hold runs nowhere."""

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

CANARY = "Kanarienvogel0123456789"

# Each is a whole file; in each the canary stands below `secured` (or where that key was broken).
HIDING_PLACES = {
    "plain": f"---\ntitle: a\nsecured: {CANARY}\n---\n",
    "upper case": f"---\ntitle: a\nSecured: {CANARY}\nSECURED : {CANARY}\n---\n",
    "in a mapping": f"---\ntitle: a\nsecured:\n  {CANARY}: {CANARY}\n  - {CANARY}\n---\n",
    "in a list": f"---\ntitle: a\nsecured: [{CANARY}, {{k: {CANARY}}}]\n---\n",
    "in the provider": f"---\ntitle: a\nprovider:\n  name: b\n  secured: {CANARY}\n---\n",
    "in a related item": f"---\nrelated:\n  - title: b\n    secured: {CANARY}\n---\n",
    "in an image": f"---\nimages:\n  - url: b\n    secured: {CANARY}\n---\n",
    "in an unknown key": f"---\nextra:\n  deep:\n    - secured: {CANARY}\n---\n",
    "as a wrong provider": f"---\nprovider:\n  - secured: {CANARY}\n---\n",
    "through an alias": f"---\nsecured: &s {CANARY}\ntitle: *s\n---\n",
    "through an alias of a number column": f"---\nsecured: &s {CANARY}\nquality: *s\n---\n",
    "through a merge": f"---\nsecured: &s\n  title: {CANARY}\n<<: *s\n---\n",
    "as an anchor": f"---\nsecured: &{CANARY} x\n---\n",
    "as an unknown alias": f"---\nsecured: *{CANARY}\n---\n",
    "as a tag": f"---\nsecured: !{CANARY} x\n---\n",
    "unclosed quote": f'---\ntitle: a\nsecured: "{CANARY}\nquality: 3\n---\n',
    "unquoted colon": f"---\ntitle: a\nsecured: {CANARY}: {CANARY}\n---\n",
    "twice": f"---\nsecured: {CANARY}\nsecured: {CANARY}\n---\n",
    "twice below": f"---\nsecured:\n  {CANARY}: 1\n  {CANARY}: 2\n---\n",
    "a tab": f"---\ntitle: a\nsecured:\n\t- {CANARY}\n---\n",
    "a merge conflict": f"---\n<<<<<<< ours\nsecured: {CANARY}\n=======\n>>>>>>> theirs\n---\n",
    "no closing fence": f"---\ntitle: a\nsecured: {CANARY}\n",
    "wrong encoding": f"---\nsecured: {CANARY}\n".encode() + b"title: caf\xe9\n---\n",
    "control character": f"---\nsecured: {CANARY}\x01\n---\n",
    "toml": f'+++\ntitle = "a"\nsecured = "{CANARY}"\n+++\n',
    "broken toml": f'+++\nsecured = "{CANARY}\n+++\n',
    "json": json.dumps({"title": "a", "secured": {"k": CANARY}}),
    "broken json": f'{{"title": "a", "secured": "{CANARY}"',
    "taxonomy": f"---\ntaxonomy: organization\n_id: a\nsecured: {CANARY}\n---\n",
}


def everything_written(folder: Path) -> bytes:
    """Return the bytes of every file below a folder, one after the other."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert files
    return b"".join(path.read_bytes() for path in files)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Build from all hiding places and use every command; return the files and the words."""
    folder = tmp_path_factory.mktemp("secrets")
    content = Content(folder)
    for name, text in HIDING_PLACES.items():
        content.write(f"{name}.md", text)
    content.write("taxonomy.yaml", f"taxonomy: topic\n_id: t\nname: T\nsecured: {CANARY}\n")
    words = []
    out = folder / "written"
    for arguments in (
        ["build", content.source],
        ["build", content.source, "--full", "--json"],
        ["build", content.source, "--jobs", "1"],
        ["quarantine"],
        ["quarantine", "--json"],
        ["quarantine", "--values"],
        ["profile", content.source],
        ["profile", content.source, "--json"],
        ["tables"],
        ["runs"],
        ["runs", "--json"],
        ["diff"],
        ["export", out / "parquet", "--tables", "*"],
        ["export", out / "csv", "--tables", "*", "--format", "csv"],
        ["export", out / "json", "--tables", "*", "--format", "json"],
        ["sql", "from raw.articles", "--format", "json"],
        ["sql", "from ops.files", "--format", "json"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "flows", "--warehouse", content.warehouse, *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        words.append(done.stdout + done.stderr)
    content.source.rename(folder.parent / f"{folder.name}-content")
    return folder, "".join(words)


def test_a_secret_is_in_no_file_that_is_written(told: tuple[Path, str]) -> None:
    """Warehouse, generations, receipts and exports hold no byte of what `secured` held."""
    folder, _ = told
    assert CANARY.encode() not in everything_written(folder)


def test_a_secret_is_in_no_word_that_is_printed(told: tuple[Path, str]) -> None:
    """No error, hint, receipt, profile or table shows it."""
    assert CANARY not in told[1]


def test_a_secret_is_looked_for_where_it_would_be_found(tmp_path: Path) -> None:
    """The search itself works: a value that may be stored is found in the same places."""
    content = Content(tmp_path)
    content.write("a.md", f"---\ntitle: {CANARY}\n---\n")
    content.build()
    content.write("a.md", "")
    assert CANARY.encode() in everything_written(tmp_path)


def test_the_length_of_a_secret_is_kept(content: Content) -> None:
    """What is known of the payload is how long it is, and that it was there."""
    content.write("a.md", f"---\nsecured: {CANARY}\n---\n")
    content.write("b.md", "---\ntitle: b\n---\n")
    content.build()
    assert content.query(
        "select article_id, secured_chars, extra from raw.articles order by article_id"
    ) == [("a.md", len(CANARY), None), ("b.md", None, None)]


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
