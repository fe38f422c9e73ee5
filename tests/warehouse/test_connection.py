"""How DuckDB is opened and spoken to, and sessions of others on the published file."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from flows.warehouse.connection import (
    build_memory,
    connect,
    fingerprint,
    half_of_memory,
    limit_memory,
    open_readonly,
    row_counts,
    sql_identifier,
    sql_literal,
    with_room,
)
from flows.warehouse.paths import WarehousePaths
from tests.conftest import Content, edit

# An analyst's session in a process of its own: open, query, say so, wait, query again.
SESSION = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "ro") as con:
    if sys.argv[2] == "rw":
        con.execute("create table if not exists mine as select 42 as answer")
    print(con.execute("select count(*) from raw.articles").fetchall()[0][0], flush=True)
    sys.stdin.readline()
    print(con.execute("select count(*) from raw.articles").fetchall()[0][0], flush=True)
"""


@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_an_open_session_and_a_build_do_not_disturb_each_other(three: Content, mode: str) -> None:
    """A session in another process, even one that writes, never blocks a build, nor is blocked."""
    # The generations are read-only; whoever may write to them all the same must do no harm.
    three.warehouse.resolve().chmod(0o644)
    with subprocess.Popen(
        [sys.executable, "-c", SESSION, str(three.warehouse), mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as session:
        assert session.stdout
        assert session.stdin
        assert session.stdout.readline() == "3\n"
        edit(three)
        assert three.build().published
        assert three.query("select count(*) from raw.articles") == [(4,)]
        session.stdin.write("\n")
        session.stdin.flush()
        assert session.stdout.readline() == "3\n"
    assert session.returncode == 0
    edit(three)
    assert three.query("select count(*) from raw.articles") == [(4,)]


def test_our_own_reading_is_not_shut_out_by_a_write_session(three: Content) -> None:
    """Where somebody has the published file open for writing, our readers read its bytes."""
    three.warehouse.resolve().chmod(0o644)
    with subprocess.Popen(
        [sys.executable, "-c", SESSION, str(three.warehouse), "rw"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as session:
        assert session.stdout
        assert session.stdout.readline() == "3\n"
        with open_readonly(WarehousePaths(three.warehouse)) as con:
            assert con.execute("select count(*) from raw.articles").fetchall() == [(3,)]
        session.communicate("\n")


def test_nothing_else_opens_duckdb_or_quotes_for_it() -> None:
    """Options are set in one place, and so are quotes."""
    ours = Path("flows/warehouse/connection.py")
    others = [path for path in Path("flows").rglob("*.py") if path != ours]
    wanted = ("duckdb.connect(", "TimeZone = 'UTC'", 'replace("\'"', "replace('\"'")
    assert len(others) > 20
    assert [(path, w) for path in others for w in wanted if w in path.read_text()] == []


def test_every_connection_is_offline_silent_in_utc_and_bounded(three: Content) -> None:
    """The options of a new database and of the published one are the same."""
    options = (
        "autoinstall_known_extensions",
        "autoload_known_extensions",
        "enable_progress_bar",
        "TimeZone",
    )
    asked = ", ".join(f"current_setting('{option}')" for option in options)
    with connect() as new, open_readonly(WarehousePaths(three.warehouse)) as published:
        for con in (new, published):
            assert con.execute(f"select {asked}").fetchall() == [(False, False, False, "UTC")]
            assert limit(con) == limit_of(half_of_memory())


def limit_of(size: int) -> str:
    """Return a size as DuckDB says it."""
    with duckdb.connect() as con:
        limit_memory(con, size)
        return limit(con)


def test_a_reader_spills_into_the_temporary_folder(three: Content) -> None:
    """A reader need not be allowed to write beside the warehouse, and leaves nothing there."""
    with open_readonly(WarehousePaths(three.warehouse)) as con:
        ((folder,),) = con.execute("select current_setting('temp_directory')").fetchall()
        assert three.warehouse.parent not in Path(folder).parents
        limit_memory(con, 40_000_000)
        con.execute("create temp table large as select hash(i) from range(9_000_000) as n (i)")
        assert Path(folder).exists()
    assert not Path(folder).parent.exists()


@pytest.mark.parametrize("name", ["plain", "my notes", 'a "quoted" one', "it's", "select", "a.b"])
def test_a_name_of_any_signs_is_the_name_of_a_table(name: str) -> None:
    """Schemas, tables and columns are quoted, and text is."""
    with connect() as con:
        con.execute(f"create schema {sql_identifier(name[:4])}")
        table = sql_identifier("main", name)
        con.execute(f"create table {table} as select 1 as {sql_identifier(name)}")
        con.execute(f"comment on table {table} is {sql_literal(name)}")
        assert con.execute("select table_name, comment from duckdb_tables()").fetchall() == [
            (name, name)
        ]
        assert con.execute(f"from {table}").description[0][0] == name  # type: ignore[index]
        assert row_counts(con, [f"main.{name}"]) == {f"main.{name}": 1}


@pytest.mark.parametrize("name", ["t", "row_hash", "rows", "columns"])
def test_a_fingerprint_covers_every_column_whatever_the_columns_are_called(name: str) -> None:
    """A table with another value in any column has another fingerprint."""
    with connect() as con:
        found = {
            fingerprint(con, f"(select {first} as {name}, {second} as other)")
            for first, second in [("1", "2"), ("1", "3"), ("2", "2"), ("null", "2")]
        }
    assert len(found) == 4


def groups(root: Path, listing: str) -> Path:
    """Write which control groups the kernel says this process is in."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(listing)
    return root


def test_the_memory_of_a_container_counts(tmp_path: Path) -> None:
    """The smallest limit of the process's own control group and those around it is halved."""
    machine = half_of_memory(tmp_path / "nothing there")
    second = groups(tmp_path / "2", "0::/a/b\n")
    inner = second / "sys/fs/cgroup/a/b/memory.max"
    inner.parent.mkdir(parents=True)
    inner.write_text("max\n")
    assert half_of_memory(second) == machine
    (second / "sys/fs/cgroup/a/memory.max").write_text("200000000\n")
    assert half_of_memory(second) == 100_000_000
    first = groups(tmp_path / "1", "9:cpu:/x\n4:memory:/host/path\n0::/\n")
    whole = first / "sys/fs/cgroup/memory/memory.limit_in_bytes"
    whole.parent.mkdir(parents=True)
    whole.write_text("9223372036854771712\n")
    assert half_of_memory(first) == machine
    whole.write_text("300000000\n")
    assert half_of_memory(first) == 150_000_000


# A list is built in memory as a whole: nothing of it can spill.
LONG_LIST = "select len(list(i)) from range(8_000_000) as numbers (i)"


def limit(con: duckdb.DuckDBPyConnection) -> str:
    """Return what DuckDB may take."""
    return str(con.execute("select current_setting('memory_limit')").fetchall()[0][0])


@pytest.fixture
def tight() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that may take very little."""
    with connect() as con:
        con.execute("set memory_limit = '30MiB'")
        yield con


def test_the_bound_grows_with_the_source(tight: duckdb.DuckDBPyConnection) -> None:
    """250 MB, and a kilobyte more for each file."""
    found = []
    for files in (0, 1_000_000):
        limit_memory(tight, build_memory(files))
        found.append(limit(tight))
    assert found == ["238.4 MiB", "1.1 GiB"]


def test_a_statement_that_cannot_spill_gets_room_once(tight: duckdb.DuckDBPyConnection) -> None:
    """It is carried out after all, and the bound holds again for the next one."""
    with pytest.raises(duckdb.OutOfMemoryException):
        tight.execute(LONG_LIST)
    found = with_room(tight, lambda: tight.execute(LONG_LIST).fetchall())
    assert (found, limit(tight)) == ([(8_000_000,)], "30.0 MiB")


def test_a_limit_that_cannot_be_put_back_ends_nothing(tight: duckdb.DuckDBPyConnection) -> None:
    """What another session needs in memory in the meantime keeps the limit up."""
    tight.execute("set temp_directory = ''")  # A table in memory then stays there.

    def work() -> list[tuple[int]]:
        tight.cursor().execute("create table held as select random() from range(9_000_000)")
        return tight.execute(LONG_LIST).fetchall()

    assert with_room(tight, work) == [(8_000_000,)]


def test_other_errors_are_not_tried_again(tight: duckdb.DuckDBPyConnection) -> None:
    """A statement that is wrong is wrong at once."""
    tried = []

    def fails() -> None:
        tried.append(limit(tight))
        tight.execute("select nothing")

    with pytest.raises(duckdb.BinderException):
        with_room(tight, fails)
    assert tried == ["30.0 MiB"]
