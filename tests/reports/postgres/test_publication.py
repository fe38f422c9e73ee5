"""A team's database holds one run whole, whatever happens while the next one comes."""

import json
import re
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

from flows import MatterhouseError
from flows.cli import main
from flows.reports import postgres
from flows.reports.output import NotOursToReplace
from flows.reports.postgres import columns, publication, session
from flows.reports.postgres.publication import Publication
from flows.reports.postgres.session import DatabaseRefuses
from flows.warehouse.lock import Locked
from flows.warehouse.paths import WarehousePaths
from tests.conftest import Content, article, copy_sql, edit
from tests.reports.postgres.test_types import publish_table
from tests.servers import PASSWORD, Proxy

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
    monkeypatch.delenv(postgres.ADDRESS_VARIABLE, raising=False)
    command = ["--warehouse", str(three.warehouse), "build", str(three.source)]
    shown = "postgresql://" + database.partition("@")[2]

    def said() -> str:
        assert main([*command, "--publish", database]) == 0
        monkeypatch.delenv(postgres.ADDRESS_VARIABLE)
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


def test_what_others_put_on_the_tables_stays(three: Content, database: str, publisher: str) -> None:
    """Whatever hangs on a table hangs on it after the next run, views of other roles as well."""
    publish(three, publisher)
    role = database.rpartition("/")[2] + "_reader"
    do(
        database,
        f"create role {role}",
        f"grant usage on schema marts to {role}",
        f"grant select on marts.topics to {role} with grant option",
        f"grant select (provider, articles) on marts.providers to {role}",
        "create index by_topic on marts.topics (lower(topic))",
        "comment on index marts.by_topic is 'ours'",
        "alter table marts.providers add primary key (provider), add column note text default 'x'",
        "create statistics marts.together on topic, status from marts.topics",
        f"create schema bi authorization {role}",
        f"set role {role}",
        "create view bi.large with (security_barrier) as select topic, articles from marts.topics",
        "comment on column bi.large.articles is 'how many'",
        "reset role",
        "create materialized view public.copied as select topic from marts.topics",
        "create table public.seen (topic text)",
        """
        create function public.see() returns trigger language plpgsql security definer
        as 'begin insert into public.seen values (new.topic); return new; end'
        """,
        "create trigger seen after insert on marts.topics for each row execute function see()",
        "alter table marts.stories enable row level security",
        "create publication feed for table marts.providers",
        "create table marts.notes as select 1 as note",
    )
    depends = """
        select classid::regclass::text, objid, refobjid::regclass::text, refobjsubid
        from pg_depend inner join pg_class on pg_class.oid = refobjid
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where refclassid = 'pg_class'::regclass and nspname in ('marts', 'bi')
        union all select relname, oid, relacl::text, 0 from pg_class where relacl is not null
        union all select classoid::regclass::text, objoid, description, objsubid
        from pg_description where objoid >= 16384
    """
    before = set(ask(database, depends))
    next_run(three)
    publish(three, publisher)
    assert set(ask(database, depends)) == before
    topics = three.query("select topic, articles from marts.topics order by 1")
    assert ask(database, "select * from bi.large order by 1") == topics
    assert ask(database, "select topic from public.seen order by 1") == [(t,) for t, _ in topics]
    assert ask(database, "select distinct note from marts.providers") == [("x",)]


@pytest.mark.parametrize(
    ("statements", "obstacle"),
    [
        (
            [
                "alter table marts.topics add unique (topic)",
                "create table bi.notes (t text references marts.topics (topic) on delete cascade)",
            ],
            "bi.notes refers to marts.topics with the foreign key notes_t_fkey: drop the key",
        ),
        (
            ["create rule keep as on delete to marts.topics do instead nothing"],
            "marts.topics has the rule keep: make it a trigger",
        ),
        (
            ["create publication feed for all tables"],
            "marts.topics is in the publication feed: alter table marts.topics replica identity"
            " full",
        ),
        (
            [
                "create function bi.keep() returns trigger language plpgsql"
                " as 'begin return null; end'",
                "create trigger keep before delete on marts.topics for each row"
                " execute function bi.keep()",
            ],
            "marts.topics does not hold the 2 rows that were written: look at its triggers",
        ),
        (
            ["alter table marts.topics enable row level security, force row level security"],
            "marts.topics: query would be affected by row-level security policy",
        ),
    ],
)
def test_what_would_be_lost_or_in_the_way_stops_the_publish(
    three: Content, database: str, publisher: str, statements: list[str], obstacle: str
) -> None:
    """It is named with what helps, and nothing is written."""
    publish(three, publisher)
    before = articles(database)
    do(database, "create schema bi", *statements)
    next_run(three)
    with pytest.raises(MatterhouseError, match=re.escape(obstacle)):
        publish(three, publisher)
    assert articles(database) == before


def test_a_view_of_a_column_that_goes_is_named(database: str) -> None:
    """Columns come, change their type and go, except from under a view; those of others stay."""
    publish_table(database, "select 1 as a, 2 as b, 3 as c")
    do(
        database,
        "alter table marts.t add column note text",
        "create view public.of_b as select b from marts.t",
        "create view public.of_c as select c from marts.t",
    )
    for select, view in (
        ("select 'x' as a, 3 as c", r"view public\.of_b depends on column b of table marts\.t"),
        ("select 'x' as a, 2 as b, 'z' as c", r'view public\.of_c depends on column "c"'),
    ):
        with pytest.raises(DatabaseRefuses, match=view):
            publish_table(database, select)
        assert ask(database, "select * from marts.t") == [(1, 2, 3, None)]
    publish_table(database, "select ['x'] as a, 2 as b, 3 as c, 4 as d")
    assert ask(database, "select * from marts.t") == [(["x"], 2, 3, None, 4)]
    assert ask(database, "select b from of_b") == [(2,)]


def test_another_warehouse_is_refused(three: Content, database: str, tmp_path: Path) -> None:
    """A second one takes the place of the first only if that is said; one built anew does not."""
    publish(three, database)
    other = Content(tmp_path, "others", "other.duckdb")
    other.write("_news/a.md", article(title="a"))
    other.build()
    command = ["--warehouse", str(other.warehouse), "publish", database]
    before = articles(database)
    assert main(command) == 1
    assert articles(database) == before
    assert main([*command, "--replace"]) == 0
    assert articles(database) == of_warehouse(other)
    other.warehouse.unlink()
    other.build()
    publish(other, database)
    assert articles(database) == of_warehouse(other)


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


def test_a_snapshot_of_before_keeps_the_old_run(three: Content, database: str) -> None:
    """A REPEATABLE READ session sees one run until it ends."""
    (old, before), (new, after) = two_runs(three)
    publication.publish(old, database)
    with psycopg.connect(database) as session:
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        session.execute("select 1 from pg_class").fetchall()  # The snapshot is taken here.
        publication.publish(new, database)
        assert session.execute(READ).fetchone() == before
        session.commit()
        assert session.execute(READ).fetchone() == after
    assert before != after


def test_a_long_query_is_in_nobodys_way(
    three: Content, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are written while a table is read; if its columns change, the publish steps back."""
    publish(three, database)
    next_run(three)
    with psycopg.connect(database) as dashboard:
        dashboard.execute("select * from marts.topics").fetchall()
        publish(three, database)
    assert articles(database) == of_warehouse(three)
    do(database, "alter table marts.topics alter column articles type text")
    read: list[Any] = []
    with psycopg.connect(database) as dashboard:
        dashboard.execute("select * from marts.topics").fetchall()

        def sleep(_: float) -> None:
            read.append(ask(database, "select sum(articles::bigint) from marts.topics"))
            if len(read) == 2:
                dashboard.rollback()

        monkeypatch.setattr(columns.time, "sleep", sleep)
        publish(three, database)
    assert read == [ask(database, "select sum(articles) from marts.topics")] * 2


def test_a_session_that_never_ends_is_given_up(
    three: Content, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The publish that has to drop a table gives up after its patience, and the old run stays."""
    publish(three, database)
    monkeypatch.setattr(columns, "PATIENCE_SECONDS", 0.0)
    with psycopg.connect(database) as dashboard:
        dashboard.execute("select * from marts.topics").fetchall()
        with pytest.raises(DatabaseRefuses, match="pg_stat_activity"):
            publish(three, database, "ops.*")
    assert "marts.topics" in tables(database)


@pytest.mark.parametrize("answers", [0, 3])
def test_a_mute_server_is_given_up(
    three: Content, database: str, monkeypatch: pytest.MonkeyPatch, answers: int
) -> None:
    """A server that says nothing, at once or in the middle, ends the publish with a sentence."""
    proxy = Proxy(int(psycopg.conninfo.conninfo_to_dict(database)["port"]))
    proxy.answers = answers
    monkeypatch.setattr(session, "_CONNECT_SECONDS", 2)
    monkeypatch.setattr(session, "SILENCE_SECONDS", 1)
    through = re.sub(r":\d+/", f":{proxy.port}/", database)
    try:
        with pytest.raises(DatabaseRefuses, match=r"timeout expired|has said nothing for"):
            publish(three, through)
    finally:
        proxy.close()


def test_the_second_of_two_publishes_is_refused(three: Content, database: str) -> None:
    """While one is under way, another ends at once with the exit code of a second build."""
    with psycopg.connect(database) as first:
        first.execute("select pg_advisory_xact_lock(%s)", [0x6D617474])
        with pytest.raises(Locked) as refused:
            publish(three, database)
    assert refused.value.exit_code == 75
    assert tables(database) == []


MOMENTS = {
    "before the first table": "copy.fill",
    "between two tables": "copy._comment",
    "before columns change": "columns.change",
    "before the end": "earlier.note",
}
KILLED = """
import os, signal, sys
from importlib import import_module
from pathlib import Path
from flows.reports import postgres
from flows.reports.output import NotOursToReplace
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
            "create schema ops; create table ops.runs as"
            " select 'r' as run_id, now() as started_at, 'content' as source"
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
