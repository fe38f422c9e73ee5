"""Sessions that have the published file open, and ours that opens it."""

import subprocess
import sys

import pytest

from flows.warehouse.connection import open_readonly
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
