"""A query → its rows in each format, where they were asked for, and nothing else touched."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from flows import UsageError
from flows.reports import query
from flows.warehouse.paths import WarehousePaths


@pytest.fixture
def paths(tmp_path: Path) -> WarehousePaths:
    """Give a database with one table."""
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute("create table numbers as select range as n from range(3)")
    return WarehousePaths(file)


def rows_of(paths: WarehousePaths, sql: str, file_format: str, **options: str) -> str:
    """Return what a query writes into a file."""
    output = paths.warehouse.with_name("out")
    query.run(paths, sql, file_format=file_format, output=output, **options)
    return output.read_bytes().decode()


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select 1.5 as x, 0.1 * 123 as y, 2::hugeint as z", [{"x": 1.5, "y": 12.3, "z": 2}]),
        ("select 1 as n, 2 as n, 3 as N", [{"n": 1, "n_1": 2, "N_2": 3}]),
        ("select n from numbers where false", []),
        ("""select '{"a": [1]}'::json as j, '1' as t""", [{"j": {"a": [1]}, "t": "1"}]),
        (
            "select 'nan'::double as n, '-inf'::float as f, ['inf'::double, 1] as l,"
            " {'a': 'nan'::double, 'b c': [1.5::double]} as s, map([1], ['nan'::double]) as m,"
            " null::struct(a double) as z, [['nan'::double]] as ll,"
            " ['inf'::double]::double[1] as y",
            [
                {
                    "n": None,
                    "f": None,
                    "l": [None, 1.0],
                    "s": {"a": None, "b c": [1.5]},
                    "m": {"1": None},
                    "z": None,
                    "ll": [[None]],
                    "y": [None],
                }
            ],
        ),
        (
            "select map([date '2024-01-01'], [1]) as days, [date '2024-01-02', null] as l,"
            " [{'at': timestamptz '2024-01-01 00:00:00.5+00'}] as t, timestamp '2024-01-03' as u",
            [
                {
                    "days": {"2024-01-01": 1},
                    "l": ["2024-01-02", None],
                    "t": [{"at": "2024-01-01T00:00:00.5+00:00"}],
                    "u": "2024-01-03T00:00:00",
                }
            ],
        ),
        ("show tables", [{"name": "numbers"}, {"name": "rows to write"}]),
        ("pivot numbers on n using sum(n)", [{"0": 0, "1": 1, "2": 2}]),
    ],
)
def test_json_keeps_every_value_and_column(
    paths: WarehousePaths, sql: str, rows: list[dict[str, object]]
) -> None:
    """Numbers are numbers, NaN and infinity are null, nested values are JSON, names are unique."""

    def fail(word: str) -> None:
        raise AssertionError(word)

    assert json.loads(rows_of(paths, sql, "json"), parse_constant=fail) == rows


def test_csv_is_what_duckdb_writes(paths: WarehousePaths) -> None:
    """Nested values and truth values look as in an export, and lines end with LF alone."""
    sql = (
        "select [date '2024-01-01', null] as days, {'a': 1.50} as price, true as yes, null as n,"
        " 'a\nb' as text, -1 as minus, '-1' as \"=x\""
    )
    assert rows_of(paths, sql, "csv") == (
        'days,price,yes,n,text,minus,=x\n"[2024-01-01, NULL]",{\'a\': 1.50},true,,"a\nb",-1,-1\n'
    )


def test_parquet_reads_back_as_it_was_asked_for(paths: WarehousePaths) -> None:
    """Two columns of one name both arrive."""
    output = paths.warehouse.with_name("rows.parquet")
    query.run(paths, "select 1 as n, 'x' as n", output=output)
    assert duckdb.sql(f"from '{output}'").fetchall() == [(1, "x")]


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 as n; from numbers",
        "from numbers; -- the rows; all of them",
        "set variable least = 0; from numbers where n >= getvariable('least');",
        "select 'ü; -- ' as t; from numbers ; /* c; */ ; \n",
        "explain from numbers; from numbers",
    ],
)
def test_the_last_statement_gives_the_rows(paths: WarehousePaths, sql: str) -> None:
    """Statements before it run, and its semicolon and comments are no part of it."""
    assert rows_of(paths, sql, "csv") == "n\n0\n1\n2\n"
    assert "│     2 │" in rows_of(paths, sql, "table")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (" ", "the query is empty"),
        (";-- nothing", "the query is empty"),
        ("set variable n = 1", "the last statement gives no rows: end with a select"),
        pytest.param(
            "update extensions",
            "the last statement gives no rows: end with a select",
            marks=pytest.mark.skipif(
                duckdb.__version__.startswith("1."), reason="DuckDB 1 refuses it by itself"
            ),
        ),
    ],
)
def test_a_query_without_rows_is_refused(paths: WarehousePaths, sql: str, words: str) -> None:
    """A sentence says so, and no file is written."""
    with pytest.raises(UsageError, match=words):
        rows_of(paths, sql, "csv")
    assert [path.name for path in paths.warehouse.parent.iterdir()] == ["warehouse.duckdb"]


def test_an_error_among_the_rows_leaves_the_earlier_file(paths: WarehousePaths) -> None:
    """The file of the last query stays whole, and the message is about the query alone."""
    rows_of(paths, "select 1 as n", "csv")
    with pytest.raises(duckdb.ConversionException) as caught:
        rows_of(paths, "select ('x' || n)::int as m from numbers", "csv")
    assert "copy" not in str(caught.value)
    assert paths.warehouse.with_name("out").read_text() == "n\n1\n"
    assert len(list(paths.warehouse.parent.iterdir())) == 2


@pytest.mark.parametrize("name", ["rows.csv", "ROWS.CSV", "rows.json", "rows.parquet"])
def test_the_format_follows_the_ending(paths: WarehousePaths, name: str) -> None:
    """All rows are there, however many; no drawing cuts them."""
    output = paths.warehouse.with_name(name)
    query.run(paths, "from range(1000)", output=output)
    read = duckdb.sql(f"select count(*) from read_{output.suffix[1:].lower()}('{output}')")
    if name.endswith(".json"):
        read = duckdb.sql(f"select count(*) from read_json('{output}')")
    assert read.fetchall() == [(1000,)]


def test_an_ending_that_is_no_format_is_refused(paths: WarehousePaths) -> None:
    """Nobody gets the drawing of a table in a file without asking for it."""
    with pytest.raises(UsageError, match="say --format"):
        query.run(paths, "from numbers", output=paths.warehouse.with_name("rows.txt"))


def test_times_are_shown_in_the_zone_asked_for(paths: WarehousePaths) -> None:
    """Hours and offset are the zone's, in CSV and JSON."""
    sql = "select timestamptz '2024-07-01 00:00:00+00' as at"
    zone = {"timezone": "Europe/Berlin"}
    assert rows_of(paths, sql, "csv", **zone) == "at\n2024-07-01 02:00:00+02\n"
    assert json.loads(rows_of(paths, sql, "json", **zone)) == [{"at": "2024-07-01T02:00:00+02:00"}]


def test_a_link_is_followed(paths: WarehousePaths) -> None:
    """The file behind it gets the rows and keeps its mode; the link stays, also one to nothing."""
    folder = paths.warehouse.parent
    (folder / "disk").mkdir()
    target, link = folder / "disk/real.csv", folder / "rows.csv"
    link.symlink_to(target)
    for _ in range(2):
        query.run(paths, "from numbers", output=link)
        target.chmod(0o640)
    assert (link.readlink(), target.read_text()) == (target, "n\n0\n1\n2\n")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(path.name for path in folder.rglob("*.csv")) == ["real.csv", "rows.csv"]


def test_a_pipe_stays_a_pipe(paths: WarehousePaths) -> None:
    """Its reader gets the rows, also when the pipe is reached through a link."""
    pipe, link = paths.warehouse.with_name("pipe"), paths.warehouse.with_name("link")
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for output in (pipe, link):
        with ThreadPoolExecutor() as pool:
            read = pool.submit(pipe.read_text)
            query.run(paths, "from numbers", file_format="csv", output=output)
            assert read.result() == "n\n0\n1\n2\n"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert link.is_symlink()


def test_a_device_stays_a_device(paths: WarehousePaths) -> None:
    """Root, who could replace /dev/null, writes into it as everybody does."""
    query.run(paths, "from numbers", file_format="csv", output=Path("/dev/null"))
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("output", [".", "/", ".."])
def test_a_folder_is_no_output(paths: WarehousePaths, output: str) -> None:
    """A sentence asks for the name of a file."""
    with pytest.raises(UsageError, match="is a folder: name a file in it"):
        query.run(paths, "from numbers", file_format="csv", output=Path(output))


def test_a_missing_folder_is_named(paths: WarehousePaths, tmp_path: Path) -> None:
    """The error names what was typed, not the file that would have been renamed to it."""
    output = tmp_path / "missing/rows.csv"
    with pytest.raises(UsageError, match=f"there is no folder {output.parent}: make it first"):
        query.run(paths, "from numbers", file_format="csv", output=output)


RUN = """
import sys
from pathlib import Path
from flows.reports import query
from flows.warehouse.paths import WarehousePaths
query.run(WarehousePaths(Path(sys.argv[1])), sys.argv[2], file_format="csv", output=None)
"""


def test_a_redirected_file_is_appended_to(paths: WarehousePaths) -> None:
    """What stood in the file before stays, as with any command."""
    with paths.warehouse.with_name("log").open("w+b") as log:
        log.write(b"before\n")
        log.flush()
        command = [sys.executable, "-c", RUN, str(paths.warehouse), "from numbers"]
        subprocess.run(command, stdout=log, check=True)
        subprocess.run(["/bin/echo", "after"], stdout=log, check=True)
        log.seek(0)
        assert log.read() == b"before\nn\n0\n1\n2\nafter\n"


def test_a_reader_who_had_enough_ends_the_query(paths: WarehousePaths) -> None:
    """A query of a million million rows stops when nobody reads on."""
    command = [sys.executable, "-c", RUN, str(paths.warehouse), "from range(1_000_000_000_000)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        assert running.stdout.readline() == b"range\n"
        running.stdout.close()
        assert running.stderr.read().splitlines()[-1].startswith(b"BrokenPipeError")
        assert running.wait() == 1


def test_rows_pass_through_bounded_memory(paths: WarehousePaths) -> None:
    """300 MB of CSV are written within 100 MB more than an empty answer takes."""
    measure = "\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    peaks = []
    for sql in ("from range(0)", "select range, range::varchar, hash(range) from range(8_000_000)"):
        code = RUN.replace("output=None", "output=Path('/dev/null')") + measure
        command = [sys.executable, "-c", code, str(paths.warehouse), sql]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 100_000


@pytest.mark.parametrize("typed", [True, False])
def test_a_query_that_is_not_utf_8_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, typed: bool
) -> None:
    """The sentence names the line, on standard input and on the command line."""
    data = "select 1,\n'café'".encode("latin-1")
    (tmp_path / "query.sql").write_bytes(data)
    with (tmp_path / "query.sql").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        with pytest.raises(UsageError, match=r"not UTF-8 \(line 2\)"):
            query.read_query(os.fsdecode(data) if typed else None)


def test_a_byte_order_mark_is_no_part_of_a_query() -> None:
    """Editors on Windows begin files with one."""
    assert query.read_query("\ufeffselect 1") == "select 1"
