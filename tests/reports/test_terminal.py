"""Words reach every terminal: poor ones, plain ones, closed ones."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flows.inspect.profile import KeyProfile
from flows.reports.console import terminal, views
from tests.conftest import Content

ROOT = Path(__file__).parents[2]


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in which `$matterhouse` is the command."""
    return subprocess.run(
        ["sh", "-c", line],
        cwd=ROOT,
        env={**os.environ, "matterhouse": f"{sys.executable} -m flows", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_signs_that_a_stream_cannot_hold_are_drawn_or_spelled_out(
    three: Content, encoding: str
) -> None:
    """A table stays a table, and an arrow an arrow; letters are escaped."""
    query = "select '▲ Ω' as moved"
    done = shell(
        f'$matterhouse sql "{query}" --warehouse {three.warehouse}', PYTHONIOENCODING=encoding
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [line for line in done.stdout.splitlines() if "^" in line] == [
        line for line in done.stdout.splitlines() if line.startswith("| ^ \\u03a9 ")
    ]
    assert done.stdout.startswith("+--")


def test_closed_streams_are_no_error(three: Content) -> None:
    """Services close streams: builds work in silence, and no file is opened in a stream's place."""
    three.write("d.md", "---\ntitle: d\n---\n")
    named = f"--warehouse {three.warehouse}"
    done = shell(
        f"$matterhouse build {named} 0<&- >&- 2>&- || exit 1; $matterhouse tables {named} >&-;"
        f" echo $?; $matterhouse sql {named} <&-; echo $?"
    )
    assert (done.stdout, done.stderr) == ("0\n2\n", "matterhouse: the query is empty\n")
    assert three.query("select count(*) from raw.articles") == [(4,)]


def test_a_full_output_is_one_line(three: Content) -> None:
    """What cannot be written when the command ends is an error like any other."""
    done = shell(f"$matterhouse tables --warehouse {three.warehouse} > /dev/full")
    assert (done.returncode, done.stderr) == (
        1,
        "matterhouse: No space left on device\n",
    )


def test_a_page_without_its_folder_is_refused_in_the_words_of_the_terminal(
    three: Content, tmp_path: Path
) -> None:
    """The error names the folder that is not there; no build begins, so nobody is told of one."""
    page = tmp_path / "missing/news.html"
    named = f"--warehouse {three.warehouse} --page {page} --full --json"
    done = shell(f"$matterhouse build {named} --on-failure 'tee {tmp_path}/told.json'")
    said = f"there is no folder {page.parent}: make it first, or name another file"
    assert (done.returncode, done.stderr) == (2, f"matterhouse: {said}\n")
    assert not (tmp_path / "told.json").exists()


@pytest.mark.parametrize(
    ("environment", "is_red"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_errors_are_red_where_colour_is_wanted(
    environment: dict[str, str],
    is_red: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """NO_COLOR and terminals that know no codes are respected."""
    for name, value in {"TERM": "xterm", **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    terminal.print_error("a fault")
    said = capsys.readouterr().err
    assert said == ("\033[31mmatterhouse: a fault\033[0m\n" if is_red else "matterhouse: a fault\n")


@pytest.mark.parametrize(
    ("stage", "said"), [("history", "reading commits"), ("extract", "reading files")]
)
def test_the_bar_is_drawn_when_there_is_something_to_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stage: str, said: str
) -> None:
    """A build that ends before, with an error or without changes, draws nothing."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with terminal.show_progress(visible=True):
        pass
    assert capsys.readouterr().err == ""
    with terminal.show_progress(visible=True) as report:
        report(stage, 1, 2)
    drawn = capsys.readouterr().err
    assert said in drawn and "1/2" in drawn


@pytest.mark.parametrize(("is_terminal", "kind"), [(False, "xterm"), (True, "dumb")])
def test_no_bar_is_drawn_where_it_would_be_noise(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_terminal: bool,
    kind: str,
) -> None:
    """In a pipe or a log, and on a terminal that cannot move its cursor."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    monkeypatch.setenv("TERM", kind)
    with terminal.show_progress(visible=True) as report:
        report("history", 1, 2)
    assert capsys.readouterr().err == ""


def test_a_paragraph_that_became_a_key_does_not_push_all_columns_aside(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its beginning and its end stay."""
    key = KeyProfile("article", f"begin{' text' * 99} end", {}, 1, 1, None, None, [], {})
    views.print_profile([key], 1)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 160
    assert re.match("begin text.*….*text end ", lines[2])
