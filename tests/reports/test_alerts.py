"""Who operates the thing hears once that something is wrong, and once that all is well again."""

import json
import os
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.reports.messages import alerts, notify, send
from flows.reports.messages.problems import News
from flows.warehouse.paths import WarehousePaths
from tests.conftest import Content, article
from tests.reports.services import MailServer, WebHook
from tests.servers import free_port

pytestmark = pytest.mark.usefixtures("without_reports")

TOKEN = "s3cret-t0ken"


@pytest.fixture(autouse=True)
def nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options are handed on by environment; the next test must not inherit them."""
    for name in (notify.COMMAND_VARIABLE, send.ADDRESSES_VARIABLE, send.ALWAYS_VARIABLE):
        monkeypatch.setenv(name, "")


@pytest.fixture
def hook() -> Iterator[WebHook]:
    """Give a server on loopback that keeps what is posted to it."""
    with WebHook() as server:
        yield server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """Give a mail server on loopback that keeps what it is given."""
    with MailServer() as server:
        yield server


def receipt(folder: Path, **entries: Any) -> dict[str, Any]:
    """Return a receipt as a run reports it."""
    return {"warehouse": str(folder / "news.duckdb"), "published": False, **entries}


def test_a_week_of_runs_wakes_somebody_only_when_something_changes(
    content: Content, hook: WebHook, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each day's messages, by their titles and first lines, of runs as they are typed."""
    address = f"json://127.0.0.1:{hook.port}/{TOKEN}"

    def day() -> list[str]:
        hook.received.clear()
        common = ["--warehouse", str(content.warehouse), "build", str(content.source), "--quiet"]
        main([*common, "--notify", address])
        return [f"{post['title']}: {post['message']}".splitlines()[0] for post in hook.received]

    for number in range(30):
        content.write(f"_news/{number}.md", article(title=f"n{number}"))
    wrong = "warehouse.duckdb: something is wrong: "
    well = "warehouse.duckdb: all is well again: "
    assert day() == []  # Monday: thirty articles, nothing to say.
    content.write("_news/broken.md", "---\ntitle: a: b\n---\n")
    assert day() == [f"{wrong}31 files: 1 new; 1 newly quarantined."]
    content.write("_news/30.md", article(title="n30"))
    assert day() == []  # It is still broken, and that was said.
    hidden = content.source.rename(content.source.with_name("hidden"))
    missing = f"The run failed: source {content.source} does not exist: name the folder that holds"
    assert day() == [f"{wrong}{missing} the content"]
    assert day() == []
    hidden.rename(content.source)
    # The failure is over; the broken file alone keeps nobody awake.
    assert day() == [f"{well}Nothing changed in 32 files."]
    content.write("_news/broken.md", article(title="mended"))
    assert day() == [f"{well}32 files: 1 changed."]
    assert day() == []
    said = capsys.readouterr()
    beside = [file for file in content.warehouse.parent.rglob("*") if file.is_file()]
    assert TOKEN not in said.out + said.err
    assert [file for file in beside if TOKEN.encode() in file.read_bytes()] == []


@pytest.mark.usefixtures("with_reports")
def test_a_message_has_the_sentence_and_at_most_three_lines(three: Content, hook: WebHook) -> None:
    """What to fix first comes with file, line and hint; then what moves, and how good it is."""
    three.write("broken.md", "---\ntitle: a: b\n---\n")
    common = ["--warehouse", str(three.warehouse), "build", "--quiet"]
    main([*common, "--notify", f"json://127.0.0.1:{hook.port}"])
    (post,) = hook.received
    sentence, *details = post["message"].splitlines()
    assert sentence == "4 files: 1 new; 1 newly quarantined; 1 check found something."
    assert details[0] == (
        "Fix broken.md:2:9 first: The value contains a colon followed by a space. Put the whole"
        " value in straight double quotes."
    )
    assert len(details) <= 3
    assert post["type"] == "failure"


def test_what_nobody_heard_is_said_again(tmp_path: Path, hook: WebHook) -> None:
    """A dead service is a warning; the next run tells what it did not take."""
    failed = receipt(tmp_path, error="the disk is full", message="The run failed: the disk is full")
    warnings: list[str] = []
    dead = f"json://127.0.0.1:{free_port()}/{TOKEN}"
    send.send([dead], failed, News("the disk is full"), warnings.append)
    assert warnings == ["--notify: the service at address 1 did not take the message"]
    live = f"json://127.0.0.1:{hook.port}"
    for _ in range(2):
        send.send([dead, live], failed, News("the disk is full"), warnings.append)
    assert [post["message"] for post in hook.received] == ["The run failed: the disk is full"]
    told = alerts.read_open_problems(WarehousePaths(tmp_path / "news.duckdb"))
    assert told == {"failed: the disk is full"}


def test_a_mail_has_a_subject_and_carries_the_page(tmp_path: Path, mail: MailServer) -> None:
    """With `--notify-always` the page comes with the morning's mail."""
    page = tmp_path / "news.html"
    page.write_text("<h1>News</h1>")
    address = f"mailto://127.0.0.1:{mail.port}?from=matter@example.org&to=editor@example.org"
    told = receipt(tmp_path, message="Nothing changed in 3 files.", details=["One line."])
    send.send([address], told, News(), pytest.fail, page=page, always=True)
    sender, recipients, data = mail.received[0]
    letter = message_from_bytes(data)
    assert (sender, recipients) == ("matter@example.org", ["editor@example.org"])
    assert letter["subject"] == "news.duckdb: the news"
    parts = {part.get_filename() or part.get_content_type(): part for part in letter.walk()}
    assert "Nothing changed in 3 files." in text_of(parts)
    assert parts["news.html"].get_payload(decode=True) == b"<h1>News</h1>"


def text_of(parts: dict[str, Message]) -> str:
    """Return the words of a letter."""
    kinds = ("text/plain", "text/html")
    return " ".join(str(parts[k].get_payload(decode=True), "utf-8") for k in kinds if k in parts)


def test_an_address_that_cannot_work_is_refused_before_anything_is_done(
    content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named by its place alone: an address is a secret."""
    common = ["--warehouse", str(content.warehouse), "build", str(content.source)]
    assert main([*common, "--notify", "json://127.0.0.1", "--notify", f"nowhere://{TOKEN}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("matterhouse: --notify: address 2 is not one that messages can be sent")
    assert TOKEN not in said
    assert not content.warehouse.parent.joinpath("warehouse.duckdb.lock").exists()


@pytest.mark.parametrize(
    ("told", "now", "kind"),
    [
        ([], {"error": "full"}, "wrong"),
        (["failed: full"], {"error": "full"}, None),
        (["failed: full"], {"error": "no network"}, "wrong"),
        (["failed: full"], {}, "well"),
        (["failed: full", "file a.md"], {}, "well"),
        (["file a.md"], {}, None),
        (["check a"], {"error": "full"}, "wrong"),
        ([], {}, None),
    ],
)
def test_a_run_is_worth_a_message_when_its_problems_are_other_ones(
    tmp_path: Path, told: list[str], now: dict[str, Any], kind: str | None
) -> None:
    """What was told and lasts is not told again; files that stay broken keep nobody awake."""
    paths = WarehousePaths(tmp_path / "news.duckdb")
    alerts.remember(paths, told)
    found = alerts.find_alert(receipt(tmp_path, **now), News(str(now.get("error", ""))))
    assert (found.kind if found else None) == kind


def test_a_torn_note_of_what_was_told_is_no_error(tmp_path: Path) -> None:
    """The worst that follows is a message that is sent twice."""
    paths = WarehousePaths(tmp_path / "news.duckdb")
    (tmp_path / "news.duckdb.told.json").write_text(json.dumps(["failed"])[:5])
    assert alerts.read_open_problems(paths) == frozenset()


def test_apprise_is_imported_for_messages_only(three: Content) -> None:
    """It takes longer to import than a run without changes takes."""
    import subprocess
    import sys

    code = (
        "import sys; from flows.cli import main;"
        f"main(['--warehouse', {str(three.warehouse)!r}, 'build', '--quiet']);"
        "print('apprise' in sys.modules)"
    )
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
