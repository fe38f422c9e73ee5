"""A team's database holds one run whole, whatever happens while the next one comes."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from flows.cli import main
from flows.reports import postgres
from flows.reports.postgres import publication, swap
from flows.reports.postgres.publication import NotOursToReplace, Publication
from flows.reports.postgres.session import DatabaseRefuses
from flows.warehouse.lock import Locked
from flows.warehouse.paths import WarehousePaths
from tests.conftest import Content, article, copy_sql, edit
from tests.servers import PASSWORD

pytestmark = pytest.mark.usefixtures("without_reports")


@pytest.fixture(scope="session")
def sql_without_reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the SQL files of the reports that are asked for here."""
    return copy_sql(
        tmp_path_factory.mktemp("sql"), "marts.topics", "marts.providers", "marts.stories"
    )


def publish(content: Content, database: str, *patterns: str, **options: Any) -> Publication:
    """Publish the warehouse of a content folder."""
    return postgres.publish(
        WarehousePaths(content.warehouse), database, patterns or ("*",), **options
    )


def next_run(content: Content) -> None:
    """Build a run that differs from the last one."""
    edit(content)
    content.build()


def ask(database: str, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query on the database."""
    with psycopg.connect(database) as session:
        return session.execute(sql.encode()).fetchall()


def do(database: str, *statements: str) -> None:
    """Carry out statements in the database."""
    with psycopg.connect(database, autocommit=True) as session:
        for statement in statements:
            session.execute(statement.encode())


def tables(database: str) -> list[str]:
    """Return the tables of the published schemas."""
    found = ask(
        database,
        """
        select schemaname || '.' || tablename from pg_tables
        where schemaname in ('marts', 'staging', 'raw', 'ops') order by 1
        """,
    )
    return [name for (name,) in found]


def articles(database: str) -> list[tuple[Any, ...]]:
    """Return what the database says of the articles and of the run they are of."""
    return ask(
        database,
        """
        select (select max(run_id) from ops.runs), array_agg(article_id order by article_id)
        from raw.articles
        """,
    )


def of_warehouse(content: Content) -> list[tuple[Any, ...]]:
    """Return the same of the warehouse."""
    return content.query(
        """
        select (select max(run_id) from ops.runs), list(article_id order by article_id)
        from raw.articles
        """
    )


@pytest.mark.usefixtures("with_reports")
def test_every_table_arrives_with_its_rows_and_comments(three: Content, database: str) -> None:
    """Names, numbers of rows, and the comments of tables and columns are those of the warehouse."""
    published = publish(three, database)
    names = [
        f"{schema}.{name}"
        for schema, name in three.query(
            "select schema_name, table_name from duckdb_tables() order by all"
        )
    ]
    rows = {name: three.query(f"select count(*) from {name}") for name in names}
    assert tables(database) == names
    assert {name: ask(database, f"select count(*) from {name}") for name in names} == rows
    assert published.rows == sum(count for ((count,),) in rows.values())
    assert set(
        ask(
            database,
            """
            select nspname || '.' || relname, attname, format_type(atttypid, null) <> '',
                obj_description(pg_class.oid), col_description(pg_class.oid, attnum)
            from pg_class
            inner join pg_namespace on pg_namespace.oid = relnamespace
            inner join pg_attribute on attrelid = pg_class.oid and attnum > 0
            where nspname in ('marts', 'staging', 'raw', 'ops') and relkind = 'r'
            """,
        )
    ) == set(
        three.query(
            """
            select schema_name || '.' || table_name, column_name, true,
                duckdb_tables.comment, duckdb_columns.comment
            from duckdb_columns()
            inner join duckdb_tables() using (schema_name, table_name)
            """
        )
    )
    assert articles(database) == of_warehouse(three)


def test_the_command_says_what_it_published(
    three: Content, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`publish` prints tables, run, rows and the address without user and password."""
    code = main(["--warehouse", str(three.warehouse), "publish", database, "--tables", "ops.runs"])
    ((run,),) = three.query("select run_id from ops.runs")
    shown = database.partition("@")[2]
    assert (code, capsys.readouterr().out) == (
        0,
        f"Published 1 table of run {run}, 1 row, to postgresql://{shown}\n",
    )


def test_only_the_tables_that_were_asked_for_stay(three: Content, database: str) -> None:
    """What an earlier publish brought and this one does not name goes: all there is one run."""
    publish(three, database)
    publish(three, database, "marts.topics", "ops.r*")
    assert tables(database) == ["marts.topics", "ops.runs"]


def test_build_publishes_each_run_once(
    three: Content,
    database: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`build --publish` brings a new run, and leaves a database alone that holds it already."""
    monkeypatch.delenv(postgres.VARIABLE, raising=False)
    command = ["--warehouse", str(three.warehouse), "build", str(three.source)]
    shown = "postgresql://" + database.partition("@")[2]

    def said() -> str:
        assert main([*command, "--publish", database]) == 0
        monkeypatch.delenv(postgres.VARIABLE)
        return capsys.readouterr().out.splitlines()[-1]

    first, second = said(), said()
    edit(three)
    third = said()
    (first_run, last_run) = (
        run for (run,) in three.query("select run_id from ops.runs order by 1")
    )
    assert f"tables of run {first_run}" in first
    assert second == f"{shown} holds run {first_run} already"
    assert f"tables of run {last_run}" in third
    assert articles(database) == of_warehouse(three)


def test_the_address_of_the_environment_serves_both_commands(
    three: Content, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither command line needs the password: MATTERHOUSE_PUBLISH holds the address."""
    monkeypatch.setenv("MATTERHOUSE_PUBLISH", database)
    assert main(["--warehouse", str(three.warehouse), "publish"]) == 0
    edit(three)
    assert main(["--warehouse", str(three.warehouse), "build", str(three.source)]) == 0
    assert articles(database) == of_warehouse(three)


def test_rights_indexes_and_views_of_others_are_found_again(three: Content, database: str) -> None:
    """What the team put on the tables stands on those of the next run."""
    publish(three, database)
    role = database.rpartition("/")[2] + "_reader"
    do(
        database,
        f"create role {role}",
        f"grant usage on schema marts to {role}",
        f"grant select on marts.topics to {role} with grant option",
        f"grant select (provider, articles) on marts.providers to {role}",
        "grant select on ops.runs to public",
        "create index by_topic on marts.topics (lower(topic))",
        "create schema bi",
        "create view bi.large with (security_barrier) as select topic, articles from marts.topics",
        "create view bi.larger as select count(*) as n from bi.large where articles > 1",
        "comment on view bi.large is 'it''s ours'",
        f"grant select on bi.large to {role}",
        "create table marts.notes as select 1 as note",
    )
    seen = f"""
        select
            (select array_agg(r order by r) from (
                select concat_ws(' ', table_schema, table_name, privilege_type, is_grantable) as r
                from information_schema.role_table_grants where grantee = '{role}') as g),
            (select array_agg(r order by r) from (
                select table_name || '.' || column_name as r
                from information_schema.column_privileges
                where grantee = '{role}' and table_name = 'providers') as g),
            has_table_privilege('public', 'ops.runs', 'select'),
            has_schema_privilege('{role}', 'marts', 'usage'),
            (select indexdef from pg_indexes where indexname = 'by_topic'),
            (select reloptions from pg_class where oid = 'bi.large'::regclass),
            obj_description('bi.large'::regclass),
            (select note from marts.notes)
    """
    before = ask(database, seen)
    next_run(three)
    publish(three, database)
    assert ask(database, seen) == before
    assert ask(database, "select * from bi.large order by 1") == three.query(
        "select topic, articles from marts.topics order by 1"
    )
    assert ask(database, "select n from bi.larger") == [(2,)]


def test_a_view_that_no_longer_fits_stops_the_publish(three: Content, database: str) -> None:
    """The view is named with its column, and the old run stays."""
    publish(three, database)
    do(
        database,
        "alter table marts.topics add column mood text",
        "create view public.moods as select mood from marts.topics",
    )
    before = articles(database)
    next_run(three)
    with pytest.raises(DatabaseRefuses, match="mood"):
        publish(three, database)
    assert articles(database) == before
    assert ask(database, "select * from public.moods limit 0") == []


def test_what_would_be_lost_stops_the_publish(three: Content, database: str) -> None:
    """A materialized view is not dropped, and rows that somebody guards are not laid open."""
    publish(three, database)
    do(database, "create materialized view public.copied as select topic from marts.topics")
    with pytest.raises(DatabaseRefuses, match=r"materialized view public\.copied depends on"):
        publish(three, database)
    do(
        database,
        "drop materialized view public.copied",
        "alter table marts.topics enable row level security",
    )
    with pytest.raises(NotOursToReplace, match=r"marts\.topics: somebody guards its rows"):
        publish(three, database)


def test_a_table_of_somebody_else_is_not_replaced(three: Content, database: str) -> None:
    """A table of the same name that no publish made stays, and so does one of ours that moved."""
    do(database, "create schema marts", "create table marts.topics as select 'mine' as topic")
    with pytest.raises(NotOursToReplace, match=r"marts\.topics: already there"):
        publish(three, database)
    assert ask(database, "select topic from marts.topics") == [("mine",)]
    do(database, "alter table marts.topics rename to mine")
    publish(three, database)
    do(database, "alter table marts.topics rename to kept")
    publish(three, database)
    assert {"marts.mine", "marts.kept", "marts.topics"} <= set(tables(database))


READ = """
    select
        (select max(run_id) from ops.runs),
        (select count(*) from raw.articles),
        (select count(*) from marts.stories),
        (select max(articles) from marts.topics)
"""


@contextmanager
def readers(database: str, read: Callable[[psycopg.Connection[Any]], None]) -> Iterator[None]:
    """Keep two sessions reading while the block runs, and raise what went wrong there."""
    done = threading.Event()
    wrong: list[BaseException] = []

    def keep_reading() -> None:
        try:
            with psycopg.connect(database) as session:
                while not done.is_set():
                    read(session)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=keep_reading) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
    if wrong:
        raise wrong[0]


def two_runs(content: Content) -> list[tuple[duckdb.DuckDBPyConnection, tuple[Any, ...]]]:
    """Return connections to two runs of a warehouse with what READ says of each."""
    runs = []
    for _ in range(2):
        edit(content)
        content.build(full=True)
        con = duckdb.connect(str(content.warehouse.resolve()), read_only=True)
        runs.append((con, con.execute(READ).fetchall()[0]))
        content.write("_news/2025-03-06-e.md", article(title="e"))
    return runs


def test_readers_see_one_run_or_the_other(three: Content, database: str) -> None:
    """While both are published in turn, no statement mixes them, fails or finds a table empty."""
    runs = two_runs(three)
    publication.publish(runs[0][0], database)
    seen = []

    def read(session: psycopg.Connection[Any]) -> None:
        seen.append(session.execute(READ).fetchone())
        session.commit()

    with readers(database, read):
        for number in range(8):
            publication.publish(runs[number % 2][0], database)
    assert set(seen) == {state for _, state in runs}


def test_a_snapshot_of_before_finds_no_empty_table(three: Content, database: str) -> None:
    """A REPEATABLE READ session goes over to the new run table by table, each of them whole."""
    (old, before), (new, after) = two_runs(three)
    publication.publish(old, database)
    with psycopg.connect(database) as session:
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        session.execute("select 1 from pg_class").fetchall()  # The snapshot is taken here.
        publication.publish(new, database)
        assert session.execute(READ).fetchone() == after
    assert before != after


def test_a_long_query_is_waited_for(
    three: Content, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody reads a table, the publish steps back and lets other readers through."""
    publish(three, database)
    next_run(three)
    before = articles(database)
    others: list[Any] = []
    with psycopg.connect(database) as dashboard:
        dashboard.execute("select * from marts.topics").fetchall()

        def sleep(_: float) -> None:
            others.append(articles(database))
            if len(others) == 2:
                dashboard.rollback()

        monkeypatch.setattr(swap.time, "sleep", sleep)
        publish(three, database)
    assert others == [before, before]
    assert articles(database) == of_warehouse(three) != before


def test_a_session_that_never_ends_is_named(
    three: Content, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The publish gives up after its patience, and the old run stays."""
    publish(three, database)
    next_run(three)
    before = articles(database)
    monkeypatch.setattr(swap, "PATIENCE_SECONDS", 0.0)
    with psycopg.connect(database) as dashboard:
        dashboard.execute("select * from marts.topics").fetchall()
        with pytest.raises(DatabaseRefuses, match="pg_stat_activity"):
            publish(three, database)
    assert articles(database) == before


def test_the_second_of_two_publishes_is_refused(three: Content, database: str) -> None:
    """While one is under way, another ends at once with the exit code of a second build."""
    with psycopg.connect(database) as first:
        first.execute("select pg_advisory_xact_lock(%s)", [0x6D617474])
        with pytest.raises(Locked) as refused:
            publish(three, database)
    assert refused.value.exit_code == 75
    assert tables(database) == []


MOMENTS = {
    "before the first table": "copy.copy",
    "between two tables": "dependents.copy_indexes",
    "before the swap": "swap.swap",
    "within the swap": "dependents.restore",
}
KILLED = """
import os, signal, sys
from importlib import import_module
from pathlib import Path
from flows.reports import postgres
from flows.reports.postgres import publication
from flows.warehouse.paths import WarehousePaths

room, _, name = sys.argv[3].partition(".")
for place in (import_module(f"flows.reports.postgres.{room}"), publication):
    if hasattr(place, name):
        setattr(place, name, lambda *given: os.kill(os.getpid(), signal.SIGKILL))
postgres.publish(WarehousePaths(Path(sys.argv[1])), sys.argv[2], ["ops.runs", "raw.articles"])
"""


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_the_old_run_stays(three: Content, database: str, moment: str) -> None:
    """After SIGKILL the old run is there, whole; the next publish finds nothing in its way."""
    publish(three, database, "ops.runs", "raw.articles")
    before, listed = articles(database), tables(database)
    next_run(three)
    arguments = [str(three.warehouse), database, MOMENTS[moment]]
    died = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert died.returncode == -signal.SIGKILL
    assert (articles(database), tables(database)) == (before, listed)
    publish(three, database, "ops.runs", "raw.articles")
    assert articles(database) == of_warehouse(three)
    assert ask(database, "select tablename from pg_tables where schemaname = 'matterhouse'") == [
        ("published",)
    ]


def test_a_warehouse_that_breaks_midway_publishes_nothing(
    three: Content, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of DuckDB in the middle of a table leaves the database as it was."""
    with duckdb.connect() as con:
        con.execute(
            "create schema ops; create table ops.runs as select 'r' as run_id, now() as started_at"
        )
        con.execute("create schema marts; create view marts.v as select 1 as a")
        con.execute("create table marts.t as select range::varchar as a from range(100000)")
        monkeypatch.setattr(
            publication,
            "describe",
            lambda table, describe=publication.describe: _with_error(describe(table)),
        )
        with pytest.raises(duckdb.Error, match="Could not convert"):
            publication.publish(con, database)
    assert tables(database) == []


def _with_error(table: Any) -> Any:
    from dataclasses import replace

    failing = "case when a = '99999' then ('x' || a)::integer else 1 end"
    columns = tuple((n, replace(c, expression=failing), said) for n, c, said in table.columns)
    return replace(table, columns=columns) if table.name == "t" else table


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("postgresql://owner:{secret}@127.0.0.1:1/reports", 1),
        ("postgresql://owner:{secret}@127.0.0.1:port/reports", 1),
        ("postgresql://owner:{secret}%@127.0.0.1/reports", 2),
        ("mysql://owner:{secret}@127.0.0.1/reports", 2),
        ("host=127.0.0.1 user=owner password={secret}", 2),
    ],
)
def test_no_error_says_the_password(
    three: Content, address: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what is wrong with an address, and none quotes its password."""
    secret = "hunter2"
    command = ["--warehouse", str(three.warehouse), "publish", address.format(secret=secret)]
    assert main(command) == code
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert secret not in said.out + said.err


def test_a_wrong_password_is_one_line(
    three: Content, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """PostgreSQL's reason is given."""
    wrong = database.replace(":%", "%", 1).replace("s3cr", "other", 1)
    assert main(["--warehouse", str(three.warehouse), "publish", wrong]) == 1
    err = capsys.readouterr().err
    assert 'password authentication failed for user "owner"' in err
    assert "other" not in err


def test_the_password_is_nowhere_beside_the_warehouse(
    three: Content, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither receipts, lock, log nor the database itself hold the address of a publish."""
    monkeypatch.setenv("MATTERHOUSE_PUBLISH", database)
    edit(three)
    assert main(["--warehouse", str(three.warehouse), "build", str(three.source), "--json"]) == 0
    secret = database.partition("owner:")[2].partition("@")[0]
    files = [path for path in three.warehouse.parent.rglob("*") if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files)
    kept += json.dumps(ask(database, "select to_jsonb(runs) from ops.runs")).encode()
    assert not [s for s in (secret, PASSWORD, database) if s.encode() in kept]
