"""The commands as they are typed: words on the screen, files, exit codes."""

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from flows.cli import app, main
from flows.reports.export import rows
from flows.warehouse.connection import connect
from flows.warehouse.generations import generation_ids
from flows.warehouse.paths import WarehousePaths, current
from flows.warehouse.run_log import read_runs
from tests.conftest import Content, article
from tests.trust.invariants import strays

pytestmark = pytest.mark.usefixtures("without_reports")


class Shell:
    """Types matterhouse commands against one warehouse."""

    def __init__(self, content: Content, capsys: pytest.CaptureFixture[str]) -> None:
        self.content = content
        self.capsys = capsys

    def run(self, *arguments: object) -> tuple[int, str, str]:
        """Run one command and return exit code, output and errors."""
        self.capsys.readouterr()
        code = main(["--warehouse", str(self.content.warehouse), *map(str, arguments)])
        said = self.capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def shell(three: Content, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Give a shell on a warehouse of three articles."""
    return Shell(three, capsys)


COMMANDS = [name for name in app if not name.startswith("-")]


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_the_examples_in_the_help_are_understood(
    command: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever `--help` shows can be typed: every command has examples, and each of them parses."""
    assert main([*filter(None, [command]), "--help"]) == 0
    examples = re.findall(r"^  matterhouse (.+)$", capsys.readouterr().out, re.MULTILINE)
    assert examples
    for example in examples:
        words = shlex.split(re.split(" [<>]", example)[0], comments=True)
        if "--help" not in words:
            app.parse_args(words, exit_on_error=False, print_error=False)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["bild"], 'Unknown command "bild". Did you mean "build"?'),
        (["build", "--qiet"], "Unknown option: --qiet. Did you mean --quiet?"),
        (
            ["build", "a", "b"],
            '"b" is too much: `matterhouse build` takes one SOURCE, in quotes if it has spaces\n'
            "See `matterhouse build --help`.",
        ),
        (
            ["sql", "select", "1", "as n"],
            '"1", "as n" is too much: `matterhouse sql` takes one QUERY',
        ),
        (["quarantine", "a.md"], '"a.md" is too much: `matterhouse quarantine` takes options only'),
        (["build", ""], "an empty path names nothing"),
        (["build", "--jobs", "0"], 'Invalid value "0" for --jobs'),
        (["build", "--runner", "spark"], 'Invalid value "spark" for --runner'),
        (["build", "--runner", "local", "--jobs", "2"], "--jobs counts workers that"),
        (["sql", "--format", "xml"], 'Invalid value "xml" for --format. Choose from: "table"'),
        (["serve"], 'Command "serve" parameter --cron requires an argument.'),
    ],
)
def test_what_is_not_understood_is_a_usage_error(shell: Shell, typed: list[str], said: str) -> None:
    """The message names what was typed and what was meant; nothing is done."""
    code, out, err = shell.run(*typed)
    assert (code, out) == (2, "")
    assert err.startswith(f"matterhouse: {said}")


def test_the_warehouse_is_named_before_or_after_the_command(shell: Shell) -> None:
    """`--warehouse` means the same in both places."""
    named = ("--warehouse", str(shell.content.warehouse))
    assert main([*named, "quarantine"]) == main(["quarantine", *named]) == 0


def test_a_query_may_begin_with_a_comment(shell: Shell) -> None:
    """What looks like an option is a query where one is expected."""
    query = "-- the answer\nselect 42 as n"
    assert shell.run("sql", query, "--format", "csv")[:2] == (0, "n\n42\n")


def test_build_prints_a_balanced_receipt_and_what_to_type_next(shell: Shell) -> None:
    """The receipt names every count, the file and the next commands."""
    shell.content.write("README.md", "No front matter.\n")
    shell.content.write("broken.md", "---\ntitle: a: b\n---\n")
    shell.content.write("logo.svg", "<svg/>")
    code, out, err = shell.run("build", shell.content.source)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0] == (
        f"{shell.content.source}: 5 files seen = 3 loaded + 1 quarantined + 1 excluded"
        " (1 other file ignored)"
    )
    assert lines[1] == ("  of these 3 unchanged, 2 new (0 returned), 0 changed, 0 renamed; 0 gone")
    assert any(line.startswith(f"Published {shell.content.warehouse} in ") for line in lines)
    # What is printed can be typed as it is: this warehouse is not where it is looked for unasked.
    command = f"  matterhouse --warehouse {shell.content.warehouse}"
    assert lines[lines.index("Next:") + 1 :] == [
        f"{command} quarantine   # 1 file to fix",
        f"{command} tables   # every table with its meaning",
        f'{command} sql "from marts.topics order by articles desc"',
    ]


def test_build_says_so_when_nothing_changed(shell: Shell) -> None:
    """A build without work is two lines of counts and one sentence."""
    _, out, _ = shell.run("build", shell.content.source)
    assert out.splitlines()[-1] == "Nothing changed: the published warehouse stays as it is."


def test_build_remembers_its_source(shell: Shell) -> None:
    """Without SOURCE the folder of the last build is read."""
    assert shell.run("build", "--json")[0] == 0


def test_the_last_published_build_is_remembered_from_any_folder(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Source and globs as they were published count; what failed or was only tried does not."""
    shell.content.write("d.mdx", article(title="d"))
    shell.content.write("node_modules/guide.md", article(title="guide"))
    monkeypatch.chdir(shell.content.source.parent)
    globs = ("--pattern", "*.md", "--pattern", "*.mdx", "--exclude", "node_modules/")
    assert shell.run("build", "content", *globs)[0] == 0
    assert shell.run("build", "nowhere", "--pattern", "*.txt", "--replace-source")[0] == 1
    assert shell.run("build", "", "--exclude", "*")[0] == 2
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert json.loads(shell.run("build", "--json")[1])["published"] is False
    titles = shell.content.query("select title from raw.articles order by title")
    assert titles == [("a",), ("b",), ("c",), ("d",)]
    read = "The next build reads {}: *.md, *.mdx without node_modules/".format
    assert shell.run("runs")[1].splitlines()[-1] == read(shell.content.source)
    assert shell.content.query("select source, patterns, exclude from ops.runs")[-1] == (
        str(shell.content.source), ["*.md", "*.mdx"], ["node_modules/"],
    )  # fmt: skip


def test_globs_are_replaced_by_globs_of_their_kind(shell: Shell) -> None:
    """`--pattern` and `--exclude` take the place of the remembered ones, each of its own."""
    shell.content.write("d.txt", article(title="d"))
    shell.content.write("drafts/e.md", article(title="e"))

    def titles(*globs: str) -> str:
        assert shell.run("build", *globs)[0] == 0
        rows = shell.content.query("select title from raw.articles order by title")
        return "".join(title for (title,) in rows)

    assert titles("--exclude", "drafts/") == "abcd"
    assert titles("--pattern", "*.md") == "abc"
    assert titles("--no-exclude") == "abce"
    assert titles("--pattern", "*.md", "--pattern", "*.txt") == "abcde"


def test_globs_that_change_nothing_yet_are_remembered(shell: Shell) -> None:
    """What is left out stays left out when it appears later."""
    assert shell.run("build", "--exclude", "drafts/")[0] == 0
    shell.content.write("drafts/d.md", article(title="d"))
    assert json.loads(shell.run("build", "--json")[1])["published"] is False


def test_another_source_takes_the_place_of_the_first_only_when_it_is_said(
    shell: Shell, tmp_path: Path
) -> None:
    """A slip of the folder's name loses nothing; said so, a smaller folder may follow a larger."""
    shell.run("build", "--pattern", "*.md")
    other = tmp_path / "other"
    other.mkdir()
    (other / "d.txt").write_text(article(title="d"))
    code, _, err = shell.run("build", other)
    assert code == 2
    assert f"was built from {shell.content.source}, not from {other}: name another" in err
    assert shell.run("build", other, "--replace-source")[0] == 0
    assert shell.content.query("select title from raw.articles") == [("d",)]
    assert shell.run("build", shell.content.source)[0] == 2


def test_a_source_behind_a_link_is_the_same_source(shell: Shell, tmp_path: Path) -> None:
    """A folder may be reached by another path."""
    (tmp_path / "link").symlink_to(shell.content.source)
    assert shell.run("build", tmp_path / "link")[0] == 0


def test_build_without_any_source_is_a_usage_error(
    content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first build has to name a folder."""
    code, _, err = Shell(content, capsys).run("build")
    assert (code, err) == (
        2,
        "matterhouse: which folder? Say `matterhouse build FOLDER`; later builds remember it\n",
    )


def test_build_json_is_one_object_with_every_count(shell: Shell) -> None:
    """A machine reads the receipt as one line of JSON."""
    shell.content.write("d.md", article(title="d"))
    code, out, _ = shell.run("build", shell.content.source, "--json")
    receipt = json.loads(out)
    assert code == 0
    assert {
        name: receipt[name]
        for name in (
            "seen", "loaded", "quarantined", "excluded", "ignored", "new", "changed",
            "unchanged", "renamed", "gone", "warnings", "published", "warehouse", "source",
        )
    } == {
        "seen": 4, "loaded": 4, "quarantined": 0, "excluded": 0, "ignored": 0, "new": 1,
        "changed": 0, "unchanged": 3, "renamed": 0, "gone": 0, "warnings": 0, "published": True,
        "warehouse": str(shell.content.warehouse), "source": str(shell.content.source),
    }  # fmt: skip
    assert {"scan", "extract", "load", "model", "check", "publish"} == set(receipt["seconds"])
    assert receipt["tables"]["raw.articles"] == 4


def test_build_quiet_prints_nothing(shell: Shell) -> None:
    """A schedule that works is silent."""
    assert shell.run("build", shell.content.source, "--quiet") == (0, "", "")


def test_build_quiet_speaks_when_there_is_something_to_mend(shell: Shell) -> None:
    """What is newly quarantined, lost or odd is said once, where cron reads it; the rest is not."""
    shell.content.write("broken.md", "---\ntitle: a: b\n---\n")
    shell.content.write("_news/2025-03-04-a.md", "No front matter any more.\n")
    code, out, err = shell.run("build", "--quiet")
    assert (code, out) == (0, "")
    lost, broken, *files = err.splitlines()
    assert lost.startswith("matterhouse: check: articles_became_excluded: Articles left")
    assert broken.startswith("matterhouse: check: quarantined_over_5_percent: More than one")
    assert [file.partition(". ")[0] for file in files] == [
        "matterhouse: newly quarantined: broken.md:2:9: The value contains a colon followed by a"
        " space",
        "matterhouse: no longer an article: _news/2025-03-04-a.md: The file does not begin with"
        " front matter",
    ]
    assert shell.run("build", "--quiet") == (0, "", "")


def test_an_article_that_is_no_article_any_more_is_to_mend(shell: Shell) -> None:
    """It is named by the build and by `quarantine`, and a strict build is not content."""
    shell.content.write("_news/2025-03-04-a.md", "No front matter any more.\n")
    shell.content.write("README.md", "Never had any.\n")
    code, out, _ = shell.run("build", "--strict")
    assert code == 3
    assert "  no longer taken for articles: _news/2025-03-04-a.md" in out.splitlines()
    assert shell.run("quarantine")[1].splitlines()[0] == "_news/2025-03-04-a.md"
    excluded = json.loads(shell.run("quarantine", "--excluded", "--json")[1])
    assert [(file["path"], file["reason_code"]) for file in excluded] == [
        ("README.md", "no_front_matter"),
        ("_news/2025-03-04-a.md", "no_front_matter"),
    ]
    assert shell.run("quarantine", "--excluded", "--values")[0] == 2
    shell.content.write("_news/d.md", article(title="d"))
    shell.run("build")
    assert shell.run("quarantine") == (0, "No file is quarantined.\n", "")


def test_a_folder_without_any_article_says_how_to_see_why(
    content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything is excluded: the build says so, and neither it nor a strict one is content."""
    content.write("a.md", "Title: A\n\nText.\n")
    shell = Shell(content, capsys)
    code, out, _ = shell.run("build", content.source, "--strict")
    assert (code, shell.run("build")[0]) == (3, 1)
    command = f"  matterhouse --warehouse {content.warehouse} quarantine --excluded"
    assert "  no file is an article" in out.splitlines()
    assert f"{command}   # why a file is not an article" in out.splitlines()
    assert shell.run("profile") == (
        0,
        "No file has front matter that can be read: a build says of each what is wrong.\n",
        "",
    )


def test_a_first_build_that_is_mostly_broken_shows_its_quarantine(
    content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is published, so the quarantine is that of the build that failed."""
    for name in ("a", "b"):
        content.write(f"{name}.md", "---\ntitle: a: b\n---\n")
    content.write("c.md", article(title="c"))
    shell = Shell(content, capsys)
    assert shell.run("build", content.source)[0] == 4
    code, out, _ = shell.run("quarantine")
    assert (code, out.splitlines()[0]) == (
        0, "No build was published yet; this is what the one that failed its checks found."
    )  # fmt: skip
    assert [line for line in out.splitlines() if line.endswith(":2:9")] == ["a.md:2:9", "b.md:2:9"]


def test_many_new_keys_are_counted_not_listed(shell: Shell) -> None:
    """Ten are named, of the others their number is said."""
    keys = "".join(f"key{number:02}: 1\n" for number in range(12))
    shell.content.write("d.md", article(title="d").replace("type: article\n", keys))
    _, out, _ = shell.run("build")
    named = ", ".join(f"key{number:02}" for number in range(10))
    assert f"  new keys, kept in `extra`: {named} and 2 more" in out.splitlines()


def test_strict_exits_with_3_when_files_are_quarantined(shell: Shell) -> None:
    """The warehouse is published all the same."""
    shell.content.write("broken.md", "---\ntitle: a: b\n---\n")
    assert shell.run("build", shell.content.source, "--strict", "--quiet")[0] == 3
    assert shell.content.query("select count(*) from ops.files") == [(4,)]


def test_failed_checks_exit_with_4_and_show_their_rows(shell: Shell) -> None:
    """The names of the checks and the first rows are printed."""
    for file in sorted(shell.content.source.rglob("*.md"))[:2]:
        file.unlink()
    code, _, err = shell.run("build", shell.content.source)
    assert code == 4
    assert "articles_shrank" in err
    assert "warehouse.duckdb.failed.duckdb" in err
    rows = re.findall(r"^    earlier_run (\S+), earlier_articles 3, articles_now 1$", err, re.M)
    assert rows == generation_ids(WarehousePaths(shell.content.warehouse))


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("within", ["a statement", "Python"])
def test_a_build_that_is_asked_to_end_ends_as_after_any_failure(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, within: str
) -> None:
    """One line, a receipt, a message, no strays, and the exit code of the signal."""
    number = getattr(signal, name)
    previous = signal.signal(number, signal.SIG_DFL)

    def interrupt(*args: object) -> None:
        if within == "Python":
            os.kill(os.getpid(), number)
        threading.Timer(0.2, os.kill, (os.getpid(), number)).start()
        connect().execute("select count(*) from range(1000000) a, range(1000000) b")

    monkeypatch.setattr("flows.load.merge.finish", interrupt)
    before = shell.content.warehouse.readlink()
    shell.content.write("new.md", article(title="new"))
    try:
        code, out, err = shell.run(
            "build", shell.content.source, "--on-failure", f"tee {tmp_path}/told.json"
        )
    finally:
        signal.signal(number, previous)
    said = f"interrupted by {name}"
    assert (code, out) == (128 + number, "")
    assert err.startswith(f"matterhouse: {said}: runs are published whole")
    assert err.count("\n") == 1
    assert shell.content.warehouse.readlink() == before
    assert strays(shell.content.warehouse) == []
    last = read_runs(WarehousePaths(shell.content.warehouse))[-1]
    assert (last["published"], last["error"]) == (False, said)
    assert json.loads((tmp_path / "told.json").read_text())["error"] == said


@pytest.mark.skipif(
    duckdb.__version__.startswith("1."), reason="a relation of DuckDB 1 hears no signal"
)
def test_a_query_that_is_asked_to_end_leaves_no_file(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ctrl-C within a statement of `sql` is one line as well."""

    def write(*given: Any) -> None:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        rows.write(*given)

    monkeypatch.setattr("flows.reports.query._write", write)
    # Where the suite runs in the background, a shell has it ignore Ctrl-C.
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    endless = "select count(*) from range(1000000) a, range(1000000) b"
    out = tmp_path / "out"
    out.mkdir()
    try:
        code, said, err = shell.run("sql", endless, "-o", out / "n.csv")
    finally:
        signal.signal(signal.SIGINT, previous)
    assert (code, said, err.count("\n")) == (130, "", 1)
    assert list(out.iterdir()) == []


def test_a_reader_of_the_output_who_had_enough_is_no_error(shell: Shell) -> None:
    """As `matterhouse runs | head -1`: no traceback, exit code 0."""
    command = [sys.executable, "-m", "flows", "--warehouse", str(shell.content.warehouse), "runs"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


def test_a_missing_source_is_one_line(shell: Shell) -> None:
    """An error of the user's is a sentence, not a traceback."""
    code, out, err = shell.run("build", "nowhere")
    assert (code, out) == (1, "")
    assert err == (
        "matterhouse: source nowhere does not exist: name the folder that holds the content\n"
    )


def test_patterns_choose_the_files(content: Content, capsys: pytest.CaptureFixture[str]) -> None:
    """A pattern without a slash matches names, one with a slash matches paths."""
    content.write("_news/a.md", article(title="a"))
    content.write("_drafts/b.md", article(title="b"))
    content.write("c.txt", article(title="c"))
    patterns = ("--pattern", "_news/*.md", "--pattern", "*.txt")
    Shell(content, capsys).run("build", content.source, *patterns)
    assert content.query("select title from raw.articles order by title") == [("a",), ("c",)]


def test_sql_prints_a_table(shell: Shell) -> None:
    """The rows come in a box with their types."""
    code, out, _ = shell.run("sql", "select title, quality from raw.articles order by title")
    assert code == 0
    assert " a       │      80 " in out


def test_sql_reads_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a query the query is read from standard input; several statements may be given."""
    query = "set variable n = 2; select count(*) as n from raw.articles where quality > $n;"
    query = query.replace("$n", "getvariable('n')")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(query.encode())))
    assert shell.run("sql", "--format", "csv") == (0, "n\n3\n", "")


def test_sql_json_and_files(shell: Shell, tmp_path: Path) -> None:
    """Rows are written as JSON or Parquet where -o says, and nothing else is left there."""
    query = "select title, published_at from raw.articles order by title limit 1"
    folder = tmp_path / "out"
    folder.mkdir()
    assert shell.run("sql", query, "--format", "json", "-o", folder / "rows.json")[0] == 0
    assert shell.run("sql", query, "--format", "parquet", "-o", folder / "rows.parquet")[0] == 0
    assert json.loads((folder / "rows.json").read_text()) == [
        {"title": "a", "published_at": "2025-03-04T05:06:07+00:00"}
    ]
    rows = duckdb.sql(f"select title from '{folder / 'rows.parquet'}'").fetchall()
    assert rows == [("a",)]
    assert sorted(p.name for p in folder.iterdir()) == ["rows.json", "rows.parquet"]


def test_sql_shows_duckdbs_message_and_caret(shell: Shell) -> None:
    """A slip in the query is pointed at, without a traceback."""
    code, out, err = shell.run("sql", "select titel from raw.articles")
    assert (code, out) == (1, "")
    assert err.startswith('matterhouse: Binder Error: Referenced column "titel" not found')
    assert "^" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "query",
    [
        "delete from raw.articles",
        "create table raw.mine as select 1",
        "select * from read_text('/etc/hostname')",
        "copy (select 1) to '/tmp/matterhouse-must-not-appear.csv'",
        "attach ':memory:' as other",
        "set enable_external_access = true",
        "install httpfs",
    ],
)
def test_sql_can_neither_write_nor_reach_out(shell: Shell, query: str) -> None:
    """Whatever is pasted into `sql` cannot change the warehouse or touch files."""
    code, out, _ = shell.run("sql", query)
    assert (code, out) == (1, "")
    assert not Path("/tmp/matterhouse-must-not-appear.csv").exists()
    assert shell.content.query("select count(*) from raw.articles") == [(3,)]


def test_sql_reads_files_when_allowed(shell: Shell, tmp_path: Path) -> None:
    """`--allow-external` opens the way to files for those who want to join them."""
    (tmp_path / "names.csv").write_text("title,owner\na,Ada\n")
    query = f"select owner from raw.articles join '{tmp_path / 'names.csv'}' using (title)"
    assert shell.run("sql", query, "--format", "csv", "--allow-external") == (
        0,
        "owner\nAda\n",
        "",
    )


def test_cells_that_a_spreadsheet_would_run_are_guarded_if_asked_for(shell: Shell) -> None:
    """A title that begins like a formula is text for Excel, a number is one, and CSV is true."""
    shell.content.write("d.md", article(title="=1+1", quality=-5))
    shell.run("build")
    query = "select title, quality from raw.articles where quality < 0"
    assert shell.run("sql", query, "--format", "csv")[1] == "title,quality\n=1+1,-5\n"
    assert shell.run("sql", query, "--format", "excel")[1] == "\ufefftitle,quality\n'=1+1,-5\n"


def test_an_empty_query_is_a_usage_error(shell: Shell) -> None:
    """Nothing to run is said as such."""
    assert shell.run("sql", " ") == (2, "", "matterhouse: the query is empty\n")


@pytest.mark.usefixtures("with_reports")
def test_tables_lists_every_table_with_rows_and_meaning(shell: Shell) -> None:
    """Each table appears once with its count and its comment."""
    code, out, _ = shell.run("tables")
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines() if line.startswith("raw.articles ")] == [
        ["raw.articles", "3"]
    ]
    names = shell.content.query("select schema_name || '.' || table_name from duckdb_tables()")
    for (name,) in names:
        assert sum(line.startswith(f"{name} ") for line in out.splitlines()) == 1


def test_tables_with_a_name_explains_the_columns(shell: Shell) -> None:
    """Every column comes with type and comment."""
    _, out, _ = shell.run("tables", "raw.article_topics")
    assert [line.split()[:2] for line in out.splitlines()[2:]] == [
        ["article_id", "VARCHAR"],
        ["position", "INTEGER"],
        ["topic", "VARCHAR"],
    ]


@pytest.mark.usefixtures("with_reports")
@pytest.mark.parametrize(
    ("typed", "guess"),
    [
        ("raw.artikles", " Did you mean raw.articles?"),
        ("topics", " Did you mean marts.topics?"),
        ("Marts.Topic_Trend", " Did you mean marts.topic_trends?"),
        ("weather", ""),
    ],
)
def test_an_unknown_table_is_an_error(shell: Shell, typed: str, guess: str) -> None:
    """A slip, or a name without its schema, prints no empty table but what may be meant."""
    said = f"matterhouse: there is no table {typed}.{guess} `matterhouse tables` lists them all\n"
    assert shell.run("tables", typed) == (1, "", said)


def test_quarantine_says_where_why_and_how_to_mend(shell: Shell) -> None:
    """Each file comes as path:line:column with reason and fix, as words and as JSON."""
    shell.content.write("broken.md", "---\ntitle: a: b\n---\n")
    shell.run("build")
    _, out, _ = shell.run("quarantine")
    assert out.splitlines()[0].startswith("broken.md:2:")
    assert out.splitlines()[2].startswith("  fix: ")
    (entry,) = json.loads(shell.run("quarantine", "--json")[1])
    assert set(entry) == {"path", "line", "column", "reason_code", "reason", "hint", "since"}
    assert (entry["path"], entry["line"]) == ("broken.md", 2)


def test_quarantine_of_values_lists_what_did_not_fit(shell: Shell) -> None:
    """`--values` lists single values that were set to null."""
    shell.content.write("d.md", article(title="d", quality="high"))
    shell.run("build")
    _, out, _ = shell.run("quarantine", "--values")
    assert out.splitlines()[0] == "d.md:9"
    assert 'quality is "high", not a whole number; left out.' in out


def test_an_empty_quarantine_says_so(shell: Shell) -> None:
    """No news is said as good news."""
    assert shell.run("quarantine")[1] == "No file is quarantined.\n"


def test_runs_lists_refreshes_and_rolls_back(shell: Shell) -> None:
    """The runs are listed with their outcome, and an earlier one can be published again."""
    paths = WarehousePaths(shell.content.warehouse)
    first = current(paths)
    shell.content.write("d.md", article(title="d"))
    shell.run("build")
    _, out, _ = shell.run("runs")
    assert [line.split()[0] for line in out.splitlines()[2:]] == generation_ids(paths)
    assert shell.run("runs", "--rollback", first)[0] == 0
    assert current(paths) == first
    assert "current" in shell.run("runs")[1].splitlines()[2]


def test_a_run_shows_what_it_read_and_which_key_fed_which_column(shell: Shell) -> None:
    """By the beginning of its id; a name that is none is refused with those that are."""
    run_id = str(current(WarehousePaths(shell.content.warehouse)))
    code, out, _ = shell.run("runs", run_id[:-1])
    assert code == 0
    assert out.startswith(f"{run_id}: published, kept, current\nread ")
    assert ["title", "title", "3", "0"] in [line.split() for line in out.splitlines()]
    found = json.loads(shell.run("runs", run_id, "--json")[1])
    fed = {row["column"]: (row["key"], row["articles"]) for row in found["columns"]}
    assert (found["run_id"], fed["published_at"]) == (run_id, ("publishedDateTime", 3))
    code, _, err = shell.run("runs", "1999")
    assert (code, f"run 1999 is not among the receipts; the latest are {run_id}" in err) == (
        1,
        True,
    )


@pytest.mark.usefixtures("with_reports")
def test_diff_tells_what_entered_left_and_changed_score(shell: Shell) -> None:
    """Two runs are compared article by article, and the marts that moved are named."""
    paths = WarehousePaths(shell.content.warehouse)
    shell.content.write("_news/2025-03-04-a.md", article(title="a", quality=10))
    (shell.content.source / "_news/2025-03-04-b.md").unlink()
    shell.content.write("d.md", article(title="d"))
    shell.run("build")
    found = json.loads(shell.run("diff", *generation_ids(paths), "--json")[1])
    assert [
        (a["what"], a["article_id"], a["quality_before"], a["quality_after"])
        for a in found["articles"]
    ] == [
        ("changed score", "_news/2025-03-04-a.md", 80, 10),
        ("entered", "d.md", None, 80),
        ("left", "_news/2025-03-04-b.md", 80, None),
    ]
    assert "marts.topics" in found["marts"]
    code, out, _ = shell.run("diff", *generation_ids(paths))
    assert code == 0
    assert re.search(r"^marts\.articles +2 removed, 2 added *$", out, re.MULTILINE)


@pytest.mark.usefixtures("with_reports")
def test_diff_passes_over_a_mart_that_only_one_run_has(shell: Shell) -> None:
    """A report that was added in between is named as not comparable, the others are compared."""
    published = shell.content.warehouse.resolve()
    published.chmod(0o644)
    shell.content.write("d.md", article(title="d"))
    shell.run("build")
    with duckdb.connect(str(published)) as con:
        con.execute("drop table marts.topics")
    found = json.loads(shell.run("diff", "--json")[1])
    assert found["marts"]["marts.topics"] is None
    assert found["marts"]["marts.topic_trends"] is not None


def test_diff_of_dates_before_the_first_run_does_not_call_them_equal(shell: Shell) -> None:
    """Nothing was observed then, which is not the same as no difference."""
    assert shell.run("diff", "2001-01-01", "2001-07-01") == (
        0,
        "From 2001-01-01 to 2001-07-01:\n"
        "  nothing is known of that time: no run or commit that was read is so old\n",
        "",
    )


def test_a_single_run_is_compared_with_nothing(shell: Shell) -> None:
    """Nobody named one: the message says what to do instead."""
    assert shell.run("diff") == (
        1,
        "",
        "matterhouse: there is only one run to compare: build again after a change, or name two"
        " commits or dates\n",
    )


def test_values_to_look_at_are_named_with_their_option(shell: Shell) -> None:
    """Without a file in quarantine the command alone would list nothing."""
    shell.content.write("d.md", "---\nquality: high\n---\n")
    _, out, _ = shell.run("build")
    assert "quarantine --values   # 1 value to look at\n" in out
    assert "to mend" not in out


def test_diff_of_an_unknown_run_is_an_error(shell: Shell) -> None:
    """The message names the runs that there are."""
    code, _, err = shell.run("diff", "1999", "2000")
    assert code == 1
    assert err.startswith(
        "matterhouse: 1999: no run, commit or date has this name; the latest runs are "
    )


@pytest.mark.usefixtures("with_reports")
def test_export_writes_every_mart_with_a_manifest(shell: Shell, tmp_path: Path) -> None:
    """All marts come as Parquet that pandas reads, described by a manifest."""
    code, out, _ = shell.run("export", tmp_path / "exports")
    manifest = json.loads((tmp_path / "exports/manifest.json").read_text())
    marts = shell.content.query(
        "select 'marts.' || table_name from duckdb_tables() where schema_name = 'marts' order by 1"
    )
    assert code == 0
    assert [table["table"] for table in manifest["tables"]] == [name for (name,) in marts]
    assert out.splitlines()[-1].startswith(f"Wrote {len(marts)} tables of run ")
    file = tmp_path / "exports/marts.topics.parquet"
    rows = duckdb.sql(f"select topic from '{file}' order by topic").fetchall()
    assert rows == shell.content.query("select topic from marts.topics order by topic")


@pytest.mark.parametrize("file_format", ["csv", "json"])
def test_export_knows_other_formats(shell: Shell, tmp_path: Path, file_format: str) -> None:
    """CSV and JSON files hold the same rows."""
    shell.run("export", tmp_path / "out", "--format", file_format, "--tables", "raw.articles")
    file = tmp_path / f"out/raw.articles.{file_format}"
    read = pd.read_csv if file_format == "csv" else pd.read_json
    assert list(read(file)["title"]) == ["a", "b", "c"]


@pytest.mark.usefixtures("with_reports")
def test_export_does_not_replace_a_folder_that_is_no_export(shell: Shell, tmp_path: Path) -> None:
    """A folder with other things in it is left alone."""
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.txt").write_text("years of work")
    code, _, err = shell.run("export", tmp_path / "thesis")
    assert code == 1
    assert "name another folder" in err
    assert (tmp_path / "thesis/chapter.txt").read_text() == "years of work"


def test_export_of_no_table_is_an_error(shell: Shell, tmp_path: Path) -> None:
    """A pattern that matches nothing is a mistake, not an empty export."""
    code, _, err = shell.run("export", tmp_path / "out", "--tables", "mart.*")
    assert code == 1
    assert err.startswith("matterhouse: no table matches 'mart.*'")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "command",
    [
        *(["sql", "select 1"], ["tables"], ["export"], ["quarantine"], ["diff", "1", "2"]),
        *(["runs"], ["runs", "2025"]),
    ],
)
def test_reading_needs_a_warehouse(
    content: Content, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """Every reading command says how to make a warehouse when there is none."""
    code, _, err = Shell(content, capsys).run(*command)
    assert code == 1
    assert "make one with `matterhouse build FOLDER`" in err


def test_terminal_escapes_in_file_names_are_spelled_out(shell: Shell) -> None:
    """A file name cannot send commands to the terminal, nor forge lines of a log."""
    shell.content.write("evil\x1b[31m\nname.md", "---\ntitle: a: b\n---\n")
    shell.run("build")
    _, out, _ = shell.run("quarantine")
    assert out.splitlines()[0].startswith("evil\\x1b[31m\\nname.md:2")


@pytest.mark.usefixtures("with_reports")
def test_page_is_written_and_opened(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`page` names the file, and with --open hands it to the browser."""
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    file = tmp_path / "page.html"
    assert shell.run("page", file) == (0, f"Wrote {file}\n", "")
    assert shell.run("page", file, "--open") == (0, f"Wrote {file}\n", "")
    assert opened == [file.as_uri()]
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.usefixtures("with_reports")
def test_build_writes_the_page_and_names_it_last(shell: Shell, tmp_path: Path) -> None:
    """Also when nothing changed; --quiet writes it and says nothing."""
    file = tmp_path / "page.html"
    code, out, _ = shell.run("build", "--page", file)
    assert (code, out.splitlines()[-1]) == (0, f"Wrote {file}")
    file.unlink()
    assert shell.run("build", "--quiet", "--page", file) == (0, "", "")
    assert file.exists()


@pytest.mark.usefixtures("with_reports")
def test_a_page_in_the_place_of_something_else_is_refused(shell: Shell, tmp_path: Path) -> None:
    """A folder and somebody's own file stay as they are, with a sentence."""
    (tmp_path / "mine.html").write_text("<p>mine")
    code, _, err = shell.run("page", tmp_path / "mine.html")
    assert (code, err.startswith("matterhouse: "), "is no page of matterhouse" in err) == (
        1,
        True,
        True,
    )
    assert shell.run("page", tmp_path)[0] == 2
    # What a power failure has left of a page.
    for left in (b"", b"\0" * 4096):
        (tmp_path / "left.html").write_bytes(left)
        assert shell.run("page", tmp_path / "left.html")[0] == 0
        assert (tmp_path / "left.html").stat().st_size > 4096


def test_a_report_on_an_older_warehouse_says_to_build_once(shell: Shell, tmp_path: Path) -> None:
    """Its tables lack what this version reads; a table that is lacking otherwise is a fault."""
    published = shell.content.warehouse.resolve()
    published.chmod(0o644)
    assert (
        "matterhouse: DuckDB gave up: Catalog Error: " in shell.run("page", tmp_path / "p.html")[2]
    )
    with duckdb.connect(str(published)) as con:
        con.execute("update ops.runs set sql_hash = 'earlier'")
    code, _, said = shell.run("page", tmp_path / "p.html")
    assert code == 1
    assert f"{shell.content.warehouse} was made by an earlier version of matterhouse" in said
    assert "build once, with `matterhouse build` (Catalog Error: " in said
