"""Statements of several sessions run side by side, and end together when one fails."""

from collections.abc import Iterator
from threading import Barrier

import duckdb
import pytest

from flows.warehouse.connection import connect
from flows.warehouse.sessions import sessions

HOURS = "select count(*) from range(1_000_000_000_000) where hash(range) = 0"
DEADLINE = 600  # seconds, for a machine on which something is broken


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give an attached database, as a build works on one."""
    with connect() as connection:
        connection.execute("""attach ':memory:' as "a house" """)
        connection.execute("""use "a house" """)
        yield connection


def test_two_sessions_work_at_the_same_time(con: duckdb.DuckDBPyConnection) -> None:
    """Each waits until the other one is there as well."""
    meeting = Barrier(2, timeout=DEADLINE)
    with sessions(con, 2) as submit:
        first, second = (submit(lambda session: meeting.wait()) for _ in range(2))
        assert {first.result(), second.result()} == {0, 1}


def test_a_session_sees_the_database_in_utc(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one session has made, the next one reads, whatever the machine's time zone is."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with sessions(con, 2) as submit:
        submit(lambda session: session.execute("create table made as select 1 as x")).result()
        query = "select current_database(), current_setting('TimeZone'), x from made"
        rows = submit(lambda session: session.execute(query).fetchall()).result()
    assert rows == [("a house", "UTC", 1)]
    assert con.execute("from made").fetchall() == [(1,)]


def test_an_error_ends_what_runs_beside_it(con: duckdb.DuckDBPyConnection) -> None:
    """A statement of hours does not keep the error waiting."""
    started = Barrier(2, timeout=DEADLINE)

    def count(session: duckdb.DuckDBPyConnection) -> None:
        started.wait()
        session.execute(HOURS)

    def sleep(session: duckdb.DuckDBPyConnection) -> None:
        session.execute(HOURS)

    def fail(session: duckdb.DuckDBPyConnection) -> None:
        started.wait()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), sessions(con, 2) as submit:
        running, failing = submit(count), submit(fail)
        waiting = [submit(sleep) for _ in range(3)]
        failing.result()
    # The failing one's session may have begun the first of those that waited.
    assert all(future.cancelled() for future in waiting[1:])
    assert isinstance(running.exception(), duckdb.InterruptException)
