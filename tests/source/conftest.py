"""A bucket for tests of sources beyond folders."""

import itertools
from collections.abc import Iterator

import pytest

from tests import servers

_numbers = itertools.count(1)


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
