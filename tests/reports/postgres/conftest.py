"""One server for all tests of publishing, and a database of its own for each."""

import itertools
from collections.abc import Iterator

import psycopg
import pytest

from tests import servers

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Give the address of a running server."""
    with servers.postgres() as address:
        yield address


@pytest.fixture
def database(server: str) -> str:
    """Give the address of an empty database."""
    name = f"team{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f"create database {name}")
    return server.removesuffix("postgres") + name


@pytest.fixture
def publisher(database: str) -> str:
    """Give the address by which a role that may only create schemas enters the database."""
    server, _, name = database.rpartition("/")
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(f"create role {name}_publisher login password 'pw'")
        session.execute(f"grant create on database {name} to {name}_publisher")
    return f"postgresql://{name}_publisher:pw@{server.rpartition('@')[2]}/{name}"
