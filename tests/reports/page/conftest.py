"""Warehouses to draw: the sample, one of hostile texts, and some that lack what a figure needs."""

from pathlib import Path

import pytest

from flows.pipeline.context import Request
from flows.pipeline.run import run
from flows.warehouse.paths import WarehousePaths
from tests.reports.page import corpora
from tests.repositories import Repository

SAMPLE = Path(__file__).parents[3] / "data" / "content"


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> WarehousePaths:
    """Give the warehouse of the sample corpus."""
    return built(SAMPLE, tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> WarehousePaths:
    """Give a warehouse whose every text tries to be something else than text."""
    folder = tmp_path_factory.mktemp("hostile")
    corpora.write_hostile(folder / "content")
    return built(folder / "content", folder)


@pytest.fixture(scope="session")
def tended(tmp_path_factory: pytest.TempPathFactory) -> WarehousePaths:
    """Give the warehouse of a git work tree: the sample as it came month by month."""
    folder = tmp_path_factory.mktemp("tended")
    corpora.commit_sample(SAMPLE, Repository(folder / "content"))
    return built(folder / "content", folder)


def built(content: Path, folder: Path) -> WarehousePaths:
    """Build the warehouse of a folder."""
    paths = WarehousePaths(folder / "warehouse.duckdb")
    run(Request(content, paths.warehouse))
    return paths
