"""DuckDB is given little memory, and more where it cannot do without."""

from collections.abc import Iterator

import duckdb
import pytest

from flows.warehouse import memory

# A list is built in memory as a whole: nothing of it can spill.
LONG_LIST = "select len(list(i)) from range(8_000_000) as numbers (i)"


def limit(con: duckdb.DuckDBPyConnection) -> str:
    """Return what DuckDB may take."""
    return str(con.execute("select current_setting('memory_limit')").fetchall()[0][0])


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that may take very little."""
    with duckdb.connect() as con:
        con.execute("set memory_limit = '30MiB'")
        yield con


def test_the_bound_grows_with_the_source(con: duckdb.DuckDBPyConnection) -> None:
    """250 MB, and a kilobyte more for each file."""
    found = []
    for files in (0, 1_000_000):
        memory.bound(con, files)
        found.append(limit(con))
    assert found == ["238.4 MiB", "1.1 GiB"]


def test_a_statement_that_cannot_spill_gets_room_once(con: duckdb.DuckDBPyConnection) -> None:
    """It is carried out after all, and the bound holds again for the next one."""
    with pytest.raises(duckdb.OutOfMemoryException):
        con.execute(LONG_LIST)
    found = memory.with_room(con, lambda: con.execute(LONG_LIST).fetchall())
    assert (found, limit(con)) == ([(8_000_000,)], "30.0 MiB")


def test_other_errors_are_not_tried_again(con: duckdb.DuckDBPyConnection) -> None:
    """A statement that is wrong is wrong at once."""
    tried = []

    def fails() -> None:
        tried.append(limit(con))
        con.execute("select nothing")

    with pytest.raises(duckdb.BinderException):
        memory.with_room(con, fails)
    assert tried == ["30.0 MiB"]
