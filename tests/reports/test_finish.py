"""What a run leaves beside the warehouse, and who hears when that fails."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from flows import launch
from flows.cli import main
from flows.reports import postgres
from flows.reports.messages import alerts, notify, send
from flows.warehouse.paths import WarehousePaths
from tests.conftest import Content, article
from tests.reports.services import WebHook
from tests.servers import free_port

pytestmark = pytest.mark.usefixtures("without_reports")


@pytest.fixture(autouse=True)
def nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options are handed on by environment; the next test must not inherit them."""
    for name in (
        notify.COMMAND_VARIABLE,
        send.ADDRESSES_VARIABLE,
        send.ALWAYS_VARIABLE,
        postgres.ADDRESS_VARIABLE,
    ):
        monkeypatch.setenv(name, "")


def build(content: Content, *options: str) -> int:
    """Build as it is typed."""
    common = ["--warehouse", str(content.warehouse), "build", str(content.source)]
    return main([*common, *map(str, options)])


def test_a_database_that_cannot_be_reached_is_told_and_the_run_stands(
    three: Content, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The new article is published here; the command hears why it is not published there."""
    told, database = tmp_path / "told.json", f"postgresql://u:s3cret@127.0.0.1:{free_port()}/x"
    three.write("_news/d.md", article(title="d"))
    assert build(three, "--publish", database, "--on-failure", f"tee {told}") == 1
    said, receipt = capsys.readouterr(), json.loads(told.read_text())
    assert receipt["reasons"] == ["failed"]
    assert receipt["published"] is True
    assert receipt["message"].startswith("The warehouse is published, but postgresql://127.0.0.1:")
    assert "Published" in said.out
    assert said.err.startswith("matterhouse: postgresql://127.0.0.1:")
    assert "s3cret" not in said.out + said.err + told.read_text()
    assert three.query("select count(*) from raw.articles") == [(4,)]


@pytest.mark.usefixtures("with_reports")
def test_a_page_that_cannot_be_written_is_told_and_the_run_stands(
    three: Content,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Somebody's own file stays where it is, no mail takes it along, and the run is published."""
    mine, told, begin = tmp_path / "mine.html", tmp_path / "told.json", launch.build
    three.write("_news/d.md", article(title="d"))

    def begin_too_late(*request: Any, **options: Any) -> Any:
        mine.write_text("<p>mine")
        return begin(*request, **options)

    monkeypatch.setattr(launch, "build", begin_too_late)
    with WebHook() as hook:
        services = ("--on-failure", f"tee {told}", "--notify", f"json://127.0.0.1:{hook.port}")
        assert build(three, "--page", str(mine), *services, "--notify-always") == 1
    assert [post["attachments"] for post in hook.received] == [[]]
    fault = f"{mine} is no page of matterhouse: move it away, or name another file"
    assert json.loads(told.read_text())["error"] == fault
    assert capsys.readouterr().err.splitlines()[-1] == f"matterhouse: {fault}"
    assert mine.read_text() == "<p>mine"
    assert three.query("select count(*) from raw.articles") == [(4,)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--page", "missing/news.html"], "there is no folder {}/missing: make it first"),
        (["--page", "mine.html"], "mine.html is no page of matterhouse: move it away"),
        (["--page", "."], ". is a folder: name a file in it"),
        (["--publish", "mysql://u:s3cret@host/x"], "the address is not one of PostgreSQL: say"),
    ],
)
def test_what_can_never_be_written_stops_a_build_before_it_begins(
    three: Content,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    said: str,
) -> None:
    """A slip of the address costs no build, and is answered with what to write."""
    monkeypatch.chdir(tmp_path)
    Path("mine.html").write_text("<p>mine")
    three.write("_news/d.md", article(title="d"))
    assert build(three, *options) in (1, 2)
    assert capsys.readouterr().err.startswith(f"matterhouse: {said.format(tmp_path)}")
    assert three.query("select count(*) from raw.articles") == [(3,)]


@pytest.mark.usefixtures("with_reports")
def test_a_page_may_lie_in_the_folder_that_the_build_makes(
    content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of a first warehouse is not there before the build, and that above it neither."""
    content.write("a.md", article())
    monkeypatch.chdir(tmp_path)
    for page in ("new/site/page.html", "other/page.html"):
        warehouse = f"{Path(page).parts[0]}/site/news.duckdb"
        named = ["--warehouse", warehouse, "build", str(content.source)]
        assert main([*named, "--page", page]) == 0
        assert Path(page).is_file()


def test_another_database_is_refused_whatever_is_installed(
    three: Content, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is missing is named only to those whom it would help."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    common = ["--warehouse", str(three.warehouse), "publish"]
    assert main([*common, "mysql://host/x"]) == main([*common, "postgresql://host/x"]) == 2
    refused, missing = capsys.readouterr().err.splitlines()
    assert refused.startswith("matterhouse: the address is not one of PostgreSQL: say postgresql:")
    assert missing == (
        "matterhouse: publishing to PostgreSQL is an extra: pip install 'matterhouse[postgres]'"
    )


@pytest.mark.usefixtures("with_reports")
def test_the_page_says_that_a_run_failed(three: Content, tmp_path: Path) -> None:
    """What it shows is still the published warehouse, and its last section why it is old."""
    page, other = tmp_path / "news.html", tmp_path / "other.duckdb"
    three.source.rename(tmp_path / "hidden")
    common = ["--warehouse", str(other), "build", str(three.source)]
    assert main([*common, "--page", str(page)]) == 1
    assert not page.exists()
    assert build(three, "--page", str(page)) == 1
    assert "UTC failed: source " in page.read_text()


def test_another_failure_is_news_and_the_same_one_is_not(tmp_path: Path) -> None:
    """Numbers in its words make no failure another one; what was told once is told once."""
    with WebHook() as hook:
        for error in ("disk full, 3 left", "disk full, 2 left", "no network", "disk full, 1 left"):
            receipt = {"warehouse": str(tmp_path / "n.duckdb"), "error": error, "published": False}
            found = notify.find_news(receipt)
            send.send([f"json://127.0.0.1:{hook.port}"], receipt, found, pytest.fail)
        assert [post["message"] for post in hook.received] == ["disk full, 3 left", "no network"]
    paths = WarehousePaths(tmp_path / "n.duckdb")
    assert alerts.read_open_problems(paths) == {"failed: disk full, … left", "failed: no network"}
