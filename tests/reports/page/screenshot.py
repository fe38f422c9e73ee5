"""The picture of the page in the README: `make page-screenshot` takes it anew from the sample."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from flows.reports.page.render import write_page
from tests.reports.page.conftest import SAMPLE, built

PICTURE = Path(__file__).parents[3] / "docs" / "page.png"
# Wide enough for the columns of the page, high enough for its first two sections.
SIZE = {"width": 1080, "height": 1000}


def main() -> None:
    """Build the sample, write its page and take its picture."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        page_file = Path(name) / "page.html"
        write_page(built(SAMPLE, Path(name)), page_file)
        executable = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=executable)
        page = browser.new_page(viewport=SIZE)
        page.goto(page_file.as_uri())
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
