"""Runs are ordered by a start that never goes back, whatever the clock does."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flows.load import ledger
from flows.models import checks
from flows.models.files import fingerprint
from flows.pipeline import run as pipeline
from flows.pipeline import scope
from flows.warehouse.generations import roll_back
from flows.warehouse.paths import WarehousePaths
from flows.warehouse.working_copy import STORAGE_VERSION, open_working_copy
from tests.conftest import Content, article, copy_sql

pytestmark = pytest.mark.usefixtures("without_reports")


@pytest.fixture(scope="session")
def sql_without_reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the SQL files of the history."""
    return copy_sql(tmp_path_factory.mktemp("sql"), "marts.article_versions")


NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)


class Clock:
    """What the pipeline takes for `datetime`."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self, _: object) -> datetime:
        """Return what the clock shows, which may be anything."""
        return self.time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give a clock to set."""
    found = Clock()
    monkeypatch.setattr(pipeline, "datetime", found)
    return found


def test_a_clock_that_was_ahead_and_put_right_stops_no_build(
    content: Content, clock: Clock
) -> None:
    """The next runs start right after the last one, say so, and leave the right state last."""
    for quality, days in ((10, 0), (20, 10), (30, 0), (40, 0), (50, 11)):
        clock.time = NOON + timedelta(days=days, minutes=quality)
        content.write("a.md", article(title="a", quality=quality))
        receipt = content.build()
        assert receipt.published
        assert receipt.failed_checks == []
        is_put_back = quality in (30, 40)
        assert [note.startswith("the clock says 2025-03-10") for note in receipt.notes] == (
            [True] * is_put_back
        )
        assert content.query(
            "select quality from marts.article_versions where valid_to is null"
        ) == [(quality,)]
    starts = content.query("select epoch_us(started_at) from ops.runs order by run_id")
    assert [start for (start,) in starts] == sorted(start for (start,) in starts)
    ahead = NOON + timedelta(days=10, minutes=20)
    assert [ahead + timedelta(microseconds=n) for n in range(3)] == [
        datetime.fromtimestamp(0, UTC) + timedelta(microseconds=us)
        for (us,) in content.query(
            "select epoch_us(started_at) from ops.runs order by started_at limit 3 offset 1"
        )
    ]


def test_a_run_after_a_rollback_takes_no_id_of_a_rejected_one(
    content: Content, clock: Clock
) -> None:
    """With a clock that stands still the ids are told apart all the same."""
    content.write("a.md", article(title="a"))
    good = content.build().run_id
    content.write("a.md", article(title="a", quality=1))
    rejected = content.build().run_id
    roll_back(WarehousePaths(content.warehouse), good)
    assert len({good, rejected, content.build().run_id}) == 3


EARLIER, LATER = ("20261125T090000000000Z", "20261125T100000000000Z")


def test_duckdb_may_sort_text_wrongly_where_a_limit_follows(tmp_path: Path) -> None:
    """Why nothing here does: the row that comes back may be the wrong one, without an error.

    It needs rows on disk beside newer ones in memory, of texts that begin with the same 8 signs.
    """
    found = []
    for run_id in (LATER, EARLIER):
        con = duckdb.connect()
        con.execute(
            f"attach '{tmp_path / 'w.duckdb'}' as w"
            + (f" (storage_version '{STORAGE_VERSION}')" if run_id == LATER else "")
        )
        con.execute("create table if not exists w.runs (run_id varchar)")
        con.execute("insert into w.runs values ($run_id)", {"run_id": run_id})
        found = con.execute("select run_id from w.runs order by run_id desc limit 1").fetchall()
        if run_id == LATER:
            con.execute("checkpoint w")
        con.close()
    if duckdb.__version__ == "2.0.0":
        assert found == [(EARLIER,)]
    else:
        assert found in ([(EARLIER,)], [(LATER,)])


def test_the_newest_run_is_found_beside_an_older_one_that_was_written_later(
    three: Content,
) -> None:
    """Also in the state in which DuckDB sorts text wrongly: by starts, which are numbers."""
    paths = WarehousePaths(three.warehouse)
    with open_working_copy(paths) as con:
        ((newest,),) = con.execute("select run_id from ops.runs").fetchall()
        con.execute(
            """
            insert into ops.runs
            select * replace (
                run_id[:9] || '000000000000Z' as run_id,
                started_at - interval 1 day as started_at,
                'another' as sql_hash,
                '/elsewhere' as source,
                0 as loaded,
                map {'raw.articles': 1000::bigint} as table_rows
            )
            from ops.runs
            """
        )
        ((newest_start,),) = con.execute(
            "select epoch_us(started_at) from ops.runs where run_id = $newest", {"newest": newest}
        ).fetchall()
        known = scope.read_last(con)
        assert known is not None
        assert known.source == three.source
        assert not ledger.is_outdated(con, fingerprint())
        started = ledger.begin_run(con, datetime.fromtimestamp(0, UTC)).started_at
        assert started == datetime.fromtimestamp(0, UTC) + timedelta(microseconds=newest_start + 1)
        failed = {check.name: check.rows for check in checks.run(con)}
        assert "ledger_balances" not in failed
        assert [row[0][:9] for row in failed["articles_shrank"]] == [newest[:9]]


def test_no_statement_orders_runs_by_their_ids_or_sorts_text_with_a_limit() -> None:
    """Ids are text, and text can lie about time; `limit` is for the queries of readers."""
    sql = [*Path("sql").glob("*/*.sql")]
    python = [*Path("flows").rglob("*.py")]
    by_id = re.compile(r"order by run_id|\b(max|min)\(run_id\)|run_id (<(?!>)|>)")
    assert len(sql) > 30
    assert [path for path in sql + python if by_id.search(path.read_text())] == []
    # Where rows are counted first, or sorted by a number, a limit does no harm.
    by_text = re.compile(r"order by (?!count\(|sum\()[^;]*?\blimit\b")
    assert [path for path in sql if by_text.search(path.read_text())] == []
