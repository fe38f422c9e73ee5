"""A content folder that tests write to, and builds of it."""

import functools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import settings

from flows.models import files
from flows.pipeline.context import Request
from flows.pipeline.receipt import Receipt
from flows.pipeline.run import run

# The same examples in each run, so that a failing test is the fault of what was changed last.
# `HYPOTHESIS_PROFILE=random make test` looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest property last: where a model is wrong, a case says so sooner."""
    items.sort(key=lambda item: item.path.name == "test_changes.py")


ARTICLE = """\
---
category: news
title: "{title}"
excerpt: "What happened, in one sentence."
publishedDateTime: {published}
originalUrl: "https://news.example.org/{title}"
webUrl: "https://news.example.org/{title}"
type: article
quality: {quality}
heat: {quality}
published: true

provider:
  name: Example News
  domain: news.example.org

topics:
  - Solar
  - Energy

secured: "{secured}"
---
{body}"""


def article(
    title: str = "A day in the sun",
    quality: int | str = 80,
    published: str = "2025-03-04T05:06:07Z",
    secured: str = "c2VjcmV0",
    body: str = "",
) -> str:
    """Return the text of an article file."""
    return ARTICLE.format(
        title=title, quality=quality, published=published, secured=secured, body=body
    )


class Content:
    """A content folder and the warehouse that is built from it."""

    def __init__(
        self, folder: Path, source: str = "content", warehouse: str = "warehouse.duckdb"
    ) -> None:
        self.source = folder / source
        self.warehouse = folder / warehouse
        self.source.mkdir(exist_ok=True)

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file below the source."""
        file = self.source / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def build(self, **options: Any) -> Receipt:
        """Build the warehouse."""
        return run(Request(self.source, self.warehouse, **options))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the published warehouse."""
        with duckdb.connect(str(self.warehouse), read_only=True) as con:
            con.execute("set TimeZone = 'UTC'")
            return con.execute(sql).fetchall()

    def ledger(self) -> list[tuple[Any, ...]]:
        """Return path, status and reason code of every file."""
        return self.query("select path, status, reason_code from ops.files order by path")


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """Give each test its environment: a command leaves there what flow runs are to find.

    Builds of a developer who has a Prefect server keep away from it.
    """
    before = os.environ.copy()
    os.environ.pop("PREFECT_API_URL", None)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True, scope="session")
def own_templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what the tests' SQL files make away from the templates of real builds."""
    folder = tmp_path_factory.mktemp("templates")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.warehouse.template._places", lambda: [folder])
        yield


@pytest.fixture
def content(tmp_path: Path) -> Content:
    """Give an empty content folder."""
    return Content(tmp_path)


@pytest.fixture(scope="session")
def as_built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Build three articles once for each set of SQL files, in a folder that tests get copies of."""

    @functools.cache
    def made(sql: Path) -> Path:
        folder = tmp_path_factory.mktemp("three")
        content = Content(folder)
        for name in ("a", "b", "c"):
            content.write(f"_news/2025-03-04-{name}.md", article(title=name))
        content.build()
        folder.rename(folder.with_name(f"{folder.name}_as_built"))
        return folder

    return made


@pytest.fixture
def three(as_built: Callable[[Path], Path]) -> Iterator[Content]:
    """Give a content folder of three articles, already built.

    Each test gets it at the same path: a warehouse remembers the one of its source.
    """
    folder = as_built(files.sql_folder())
    shutil.copytree(folder.with_name(f"{folder.name}_as_built"), folder, symlinks=True)
    yield Content(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def sql_without_reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the SQL files without those of the reports."""
    return copy_sql(tmp_path_factory.mktemp("sql"))


@pytest.fixture
def without_reports(
    request: pytest.FixtureRequest, sql_without_reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leave the reports out, which take most of a build, in tests that say nothing of them."""
    if "with_reports" not in request.fixturenames:
        monkeypatch.setattr(files, "sql_folder", lambda: sql_without_reports)


@pytest.fixture
def with_reports() -> None:
    """Build the reports all the same, in a module that leaves them out."""


def copy_sql(folder: Path, *tables: str) -> Path:
    """Copy raw, ops, what makes some tables and macros, and the checks that read nothing else."""
    ordered = files.in_order()
    needed = set(tables)
    for file in reversed(ordered):
        if file.name in needed:
            needed |= files.references(file)
    shapes = [*files.files("raw"), *files.files("ops")]
    kept = [*shapes, *(file for file in ordered if file.name in needed)]
    absent = {file.name for file in (*ordered, *shapes)} - {file.name for file in kept}
    checks = files.files("checks")
    kept += [check for check in checks if absent.isdisjoint(files.references(check))]
    for file in kept:
        copy = folder / file.folder / f"{file.stem}.sql"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.sql)
    return folder


def counts(receipt: Receipt) -> dict[str, int]:
    """Return the counts of a receipt that are not zero."""
    names = (
        "seen",
        "loaded",
        "quarantined",
        "excluded",
        "ignored",
        "new",
        "changed",
        "unchanged",
        "renamed",
        "returned",
        "gone",
        "warnings",
    )
    return {name: getattr(receipt, name) for name in names if getattr(receipt, name)}


def edit(content: Content) -> None:
    """Give the next build something to do."""
    content.write("_news/2025-03-05-d.md", article(title="d"))
