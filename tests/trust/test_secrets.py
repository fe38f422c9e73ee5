"""What is below a secret key, in whatever shape and however broken the file, stays in the file."""

import itertools
import json
from pathlib import Path

import duckdb
import pytest

from flows import cli
from flows.reports.messages import markdown
from flows.warehouse.paths import WarehousePaths
from flows.warehouse.run_log import read_runs
from tests.conftest import Content, article

CANARY = "kanarienvogel"
FILES = {
    "top.md": f"---\ntitle: a\nsecured: {CANARY}\n---\n",
    "upper.md": f"---\ntitle: a\nSECURED: {CANARY}\n Secured : {CANARY}\n---\n",
    "spelled.md": f'---\n"SeCured": {CANARY}\n"secured ": {CANARY}\n---\n',
    "mapping.md": f"---\nsecured:\n  deep:\n    - key: {CANARY}\n---\n",
    "key.md": f"---\nsecured:\n  {CANARY}: 1\n---\n",
    "provider.md": f"---\nprovider:\n  name: a\n  secured: {CANARY}\n---\n",
    "related.md": f"---\nrelated:\n  - title: a\n    secured: {CANARY}\n---\n",
    "image.md": f"---\nimages:\n  - url: a\n    secured: [{CANARY}]\n---\n",
    "extra.md": f"---\nother:\n  list:\n    - secured: {CANARY}\n---\n",
    "tag.md": f"---\nsecured: !{CANARY} x\n---\n",
    "anchor.md": f"---\nsecured: &{CANARY} x\n---\n",
    "alias.md": f"---\nsecured: &s {CANARY}\ntitle: *s\n---\n",
    "alias-before.md": f"---\nother: &s {{secured: {CANARY}}}\ntitle: *s\n---\n",
    "alias-list.md": f"---\nsecured: &s [{CANARY}]\ntopics: *s\n---\n",
    "alias-key.md": f"---\nsecured: &s {CANARY}\n*s : x\n---\n",
    "alias-number.md": f"---\nsecured: &s [0, {CANARY}]\nquality: *s\n---\n",
    "merge.md": f"---\nsecured: &s\n  title: {CANARY}\n<<: *s\n---\n",
    "unclosed-quote.md": f'---\nsecured: "{CANARY}\n---\n',
    "unclosed-list.md": f"---\nsecured: [{CANARY}\n---\n",
    "unclosed-fence.md": f"---\nsecured: {CANARY}\n",
    "tab.md": f"---\nsecured: {CANARY}\n\ttitle: a\n---\n",
    "colon.md": f"---\nsecured: {CANARY}: {CANARY}\n---\n",
    "twice.md": f"---\nsecured: {CANARY}\nsecured: {CANARY}\n---\n",
    "undefined.md": f"---\nsecured: *{CANARY}\n---\n",
    "escape.md": f'---\nsecured: "\\q{CANARY}"\n---\n',
    "twice-inside.md": f"---\nsecured:\n  {CANARY}: 1\n  {CANARY}: 2\n---\n",
    "toml.md": f'+++\ntitle = "a"\nsecured = "{CANARY}"\n+++\n',
    "toml-broken.md": f"+++\nsecured = {CANARY}\n+++\n",
    "json.md": f'{{"title": "a", "secured": "{CANARY}"}}\n',
    "json-broken.md": f'{{"title": "a", "secured": {CANARY}}}\n',
    "topic.yaml": f"taxonomy: topic\nname: a\nsecured: {CANARY}\n",
}
FILES |= {f"password-{name}": text.replace("secured", "password") for name, text in FILES.items()}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Content:
    """Give a warehouse of files with secrets, twice built so that it has a history."""
    content = Content(tmp_path_factory.mktemp("told"))
    for name, text in FILES.items():
        content.write(name, text)
    for number in range(30):
        content.write(f"good-{number:02}.md", article(title=f"good {number}"))
    content.build()
    content.write("top.md", FILES["top.md"] + "changed")
    content.build()
    return content


def test_no_secret_is_on_the_disk(told: Content) -> None:
    """Not a byte of it in the warehouse, in what is beside it, nor in any value of a table."""
    files = [f for f in told.warehouse.parent.rglob("*") if f.is_file()]
    outside = [file for file in files if told.source not in file.parents]
    assert len(outside) >= 4
    assert [str(f) for f in outside if CANARY.encode() in f.read_bytes()] == []
    with duckdb.connect(str(told.warehouse), read_only=True) as con:
        names = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() order by all"
        ).fetchall()
        for (name,) in names:
            # Compressed blocks hide bytes from a search: ask for the rows, too.
            found = con.execute(
                f"select count(*) from {name} as t where contains(t::text, $1)", [CANARY]
            )
            assert (name, found.fetchall()) == (name, [(0,)])
    assert {path for path, _, _ in told.ledger()} >= FILES.keys()


@pytest.mark.parametrize(
    "command",
    [
        "build --full --accept-loss",
        "build --full --json --accept-loss",
        "quarantine",
        "quarantine --json",
        "quarantine --values",
        "runs --json",
        "diff",
        "sql --format json from(raw.articles)",
        "sql --format csv from(ops.files)",
        "profile",
        "profile --json",
    ],
)
def test_no_command_says_a_secret(
    told: Content, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    """Neither standard output nor standard error has it, whatever the exit code is."""
    arguments = command.split()
    if arguments[0] in ("build", "profile"):
        arguments.insert(1, str(told.source))
    cli.main(["--warehouse", str(told.warehouse), *arguments])
    said = capfd.readouterr()
    assert said.out + said.err
    assert CANARY not in said.out + said.err


@pytest.mark.parametrize("file_format", ["parquet", "csv", "json"])
def test_no_export_holds_a_secret(told: Content, tmp_path: Path, file_format: str) -> None:
    """All tables of all schemas, read back."""
    target = tmp_path / "out"
    options = ["export", str(target), "--format", file_format, "--tables", "*"]
    assert cli.main(["--warehouse", str(told.warehouse), *options]) == 0
    written = sorted(target.iterdir())
    tables = json.loads((target / "manifest.json").read_text())["tables"]
    assert {table["file"] for table in tables} < {file.name for file in written}
    for file in written:
        assert CANARY.encode() not in file.read_bytes()
        if file_format == "parquet" and file.suffix == ".parquet":
            found = duckdb.sql(
                f"select count(*) from '{file}' as t where contains(t::text, '{CANARY}')"
            )
            assert found.fetchall() == [(0,)]


def test_no_artifact_holds_a_secret(told: Content) -> None:
    """What an orchestrator is given to show: the receipt's page and the tables beside it."""
    paths = WarehousePaths(told.warehouse)
    receipt = read_runs(paths)[0]
    tables = markdown.read_tables(paths, receipt)
    quarantined = next(table.rows for table in tables if table.key == "quarantine")
    assert len(quarantined) > 5
    assert CANARY not in markdown.to_markdown(receipt) + repr(tables)


def test_failed_checks_keep_secrets_too(
    content: Content, capfd: pytest.CaptureFixture[str]
) -> None:
    """The warehouse that is set aside for a look, and the words of the failure, have none."""
    for name, text in FILES.items():
        content.write(name, text)
        content.write(f"broken-{name}", f"---\nsecured: [{CANARY}\n---\n")
    command = ["--warehouse", str(content.warehouse), "build", str(content.source)]
    assert cli.main(command) == 4, "too many of the files are quarantined"
    aside = WarehousePaths(content.warehouse).failed
    assert CANARY.encode() not in aside.read_bytes()
    said = capfd.readouterr()
    assert CANARY not in said.out + said.err


def test_described_terms_keep_their_secrets(content: Content) -> None:
    """Neither an entry below a secret key nor another spelling of one becomes a term."""
    content.write(
        "matterhouse.yaml",
        "terms: [{files: authors.yaml, kind: organization, id: pass-word, name: nick}]\n",
    )
    entries = {"ada": "{nick: Ada, password: " + CANARY + "}", "secured": f"{{nick: {CANARY}}}"}
    content.write("authors.yaml", "".join(f"{key}: {text}\n" for key, text in entries.items()))
    content.build()
    assert content.query("select term_id, name, extra from raw.terms") == [
        (None, "Ada", '{"nick": "Ada"}')
    ]


def test_every_kind_of_secret_was_met(told: Content) -> None:
    """The files above are of all outcomes: a test of rejects only would prove little."""
    kinds = itertools.groupby(sorted(status for _, status, _ in told.ledger()))
    assert {status: len(list(rows)) > 5 for status, rows in kinds} == {
        "loaded": True,
        "quarantined": True,
    }
