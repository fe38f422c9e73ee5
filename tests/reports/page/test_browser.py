"""The page in a real browser, as a reader opens it from disk: wide, on a phone, dark, on paper."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.reports.page.render import write_page
from flows.warehouse.paths import WarehousePaths

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: apt-get install chromium"
)
# Kept to be looked at; git ignores the folder.
SCREENSHOTS = Path(__file__).parents[3] / "build" / "page"
WAYS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    "phone-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    """Give a browser; nothing it is asked to open may leave this machine."""
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM)
        yield launched
        launched.close()


@pytest.fixture(scope="module", params=["sample", "tended", "hostile"])
def page_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the page of each warehouse."""
    paths: WarehousePaths = request.getfixturevalue(request.param)
    file: Path = tmp_path_factory.mktemp("page") / f"{request.param}.html"
    write_page(paths, file)
    return file


@pytest.mark.parametrize("way", WAYS)
def test_a_reader_sees_all_of_it(browser: "sync_api.Browser", page_file: Path, way: str) -> None:
    """Nothing is fetched, runs, complains, breaks a rule of accessibility or sticks out."""
    context = browser.new_context(**WAYS[way])
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto(page_file.as_uri())
    width = WAYS[way]["viewport"]["width"]
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{page_file.stem}-{way}.png", full_page=True)
    assert requests == [page_file.as_uri()]
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    # axe is a script: the owner of the browser may put it into a page that allows none.
    violations = axe.Axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in violations] == []
    context.close()


def test_paper_has_all_that_is_folded_away(browser: "sync_api.Browser", page_file: Path) -> None:
    """On A4 nothing sticks out; numbers are there without a click, and SQL is left out."""
    context = browser.new_context(viewport={"width": 718, "height": 1046})
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") == 718
    cut = page.evaluate(
        """() => [...document.querySelectorAll('table, pre, svg')]
            .filter(found => found.getBoundingClientRect().right > innerWidth + 1)
            .map(found => found.textContent.slice(0, 80))"""
    )
    assert cut == []
    shown = page.evaluate(
        """() => ['pre', 'details table'].map(kind => [...document.querySelectorAll(kind)]
            .map(found => found.offsetHeight > 0))"""
    )
    assert [set(of_a_kind) for of_a_kind in shown] == [{False}, {True}]
    page.pdf(path=SCREENSHOTS / f"{page_file.stem}.pdf", format="A4", print_background=True)
    context.close()


def test_the_keyboard_reaches_every_fold(browser: "sync_api.Browser", page_file: Path) -> None:
    """Tab goes on to a fold's name, and Enter opens it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(page_file.as_uri())
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open")
    context.close()
