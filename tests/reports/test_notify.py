"""A command of the user's hears of failed runs, failed checks and new quarantines."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.reports.messages import notify
from tests.conftest import Content, article

pytestmark = pytest.mark.usefixtures("without_reports")

BROKEN = "---\ntitle: a: b\n---\n"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file that collects what the command was told, one JSON object per line."""
    # The option is handed on by environment; the next test must not inherit it.
    monkeypatch.setenv(notify.COMMAND_VARIABLE, "")
    return tmp_path / "told.jsonl"


def build(content: Content, command: str, *arguments: str) -> int:
    """Build as it is typed, with a command to run on bad news."""
    common = ["--warehouse", str(content.warehouse), "build", str(content.source), "--quiet"]
    return main([*common, "--on-failure", command, *arguments])


def heard(told: Path) -> list[dict[str, Any]]:
    """Return what the command was told."""
    return [json.loads(line) for line in told.read_text().splitlines()] if told.exists() else []


def test_a_refresh_without_bad_news_is_silent(three: Content, told: Path) -> None:
    """Nothing is run when all is well, nor when nothing changed."""
    three.write("_news/d.md", article(title="d"))
    assert [build(three, f"tee -a {told}") for _ in range(2)] == [0, 0]
    assert heard(told) == []


def test_a_new_quarantine_is_told_once(three: Content, told: Path) -> None:
    """The receipt names the files that this run quarantined; a later run is silent about them."""
    # With fewer articles, one broken file is more than the share that a check warns of.
    for number in range(20):
        three.write(f"_news/{number}.md", article(title=f"n{number}"))
    three.write("_news/broken.md", BROKEN)
    build(three, f"tee -a {told}")
    three.write("_news/d.md", article(title="d"))
    build(three, f"tee -a {told}", "--full")
    (receipt,) = heard(told)
    (file,) = receipt["newly_quarantined"]
    assert receipt["reasons"] == ["new_quarantines"]
    assert (file["path"], file["line"], file["column"]) == ("_news/broken.md", 2, 9)
    assert (receipt["published"], receipt["quarantined"]) == (True, 1)


def test_an_article_that_slips_into_the_excluded_files_is_told(three: Content, told: Path) -> None:
    """A file that lost its front matter is no error of the build, and somebody has to know."""
    three.write("README.md", "Never was an article.\n")
    three.write("_news/2025-03-04-a.md", "Lost its front matter.\n")
    build(three, f"tee -a {told}")
    (receipt,) = heard(told)
    assert receipt["reasons"] == ["failed_checks", "new_exclusions"]
    assert [(file["path"], file["reason_code"]) for file in receipt["newly_excluded"]] == [
        ("_news/2025-03-04-a.md", "no_front_matter")
    ]


def test_failed_checks_are_told_with_their_sentences(three: Content, told: Path) -> None:
    """A check of severity error tells what it found."""
    for name in ("a", "b"):
        (three.source / f"_news/2025-03-04-{name}.md").unlink()
    assert build(three, f"tee -a {told}") == 4
    (receipt,) = heard(told)
    assert receipt["reasons"] == ["failed", "failed_checks"]
    assert [check.split(":")[0] for check in receipt["failed_checks"]] == ["articles_shrank"]
    assert receipt["published"] is False


def test_a_failed_refresh_is_told_with_its_sentence(content: Content, told: Path) -> None:
    """An error ends in the receipt as the sentence that the terminal shows."""
    content.source.rmdir()
    assert build(content, f"tee -a {told}") == 1
    (receipt,) = heard(told)
    assert receipt["reasons"] == ["failed"]
    assert receipt["error"] == (
        f"source {content.source} does not exist: name the folder that holds the content"
    )


def test_a_command_that_fails_is_reported_and_not_fatal(
    three: Content, told: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The run keeps its own exit code; the words go through no shell."""
    three.write("_news/broken.md", BROKEN)
    assert build(three, "false ; touch /nowhere") == 0
    said = capfd.readouterr()
    assert (said.out, said.err.splitlines()[0]) == (
        "",
        "matterhouse: --on-failure: false ended with exit code 1; the run itself is not affected",
    )


def test_standard_output_stays_the_receipt(
    three: Content, told: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What the command prints does not mix with the JSON that a machine reads."""
    three.write("_news/broken.md", BROKEN)
    build(three, "echo told", "--json")
    said = capfd.readouterr()
    assert (json.loads(said.out)["quarantined"], said.err.splitlines()[0]) == (1, "told")


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("no-such-program --token s3cret", "there is no program no-such-program to run"),
        ("mail 's3cret", "no closing quotation"),
        ("TOKEN=s3cret mail", "there is no program that its first word names to run"),
        ("https://hooks.example/s3cret", "there is no program that its first word names to run"),
        ("'mail s3cret'", "there is no program that its first word names to run"),
    ],
)
def test_a_command_that_cannot_run_is_a_usage_error(
    three: Content, told: Path, capfd: pytest.CaptureFixture[str], command: str, fault: str
) -> None:
    """It is said before the refresh, not on the night of the failure, and without its secrets."""
    assert build(three, command) == 2
    assert capfd.readouterr().err == f"matterhouse: --on-failure: {fault}\n"
