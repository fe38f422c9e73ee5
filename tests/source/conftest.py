"""A bucket for tests of sources beyond folders, and builds that leave the reports out."""

import itertools
from collections.abc import Iterator

import pytest

from tests import servers

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def no_reports(without_reports: None) -> None:
    """Build no models: what is read and loaded is what counts here."""


@pytest.fixture(scope="session")
def s3_port() -> Iterator[int]:
    """Run one S3 server for all tests."""
    with servers.s3() as port:
        yield port


@pytest.fixture
def bucket(s3_port: int) -> Iterator[servers.Bucket]:
    """Give an empty bucket."""
    with servers.bucket(s3_port, f"bucket-{next(_numbers)}") as made:
        yield made
