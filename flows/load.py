"""Frames → DuckDB raw tables, together with the ledger and the score history."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flows import MatterhouseError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

# What makes a new version of an article: everything the reports use. Rewrites that touch only
# `secured`, line ends, key order or cached addresses are noise (most rewrites are).
ANALYTIC_COLUMNS = (
    "category",
    "type",
    "title",
    "excerpt",
    "published_at",
    "original_url",
    "web_url",
    "quality",
    "heat",
    "is_published",
    "is_removed",
    "provider_name",
    "provider_domain",
)
# Raw tables that hold the current state, with the column that names the file.
_STATE = {
    "raw.articles": "article_id",
    "raw.article_topics": "article_id",
    "raw.article_images": "article_id",
    "raw.provider_images": "article_id",
    "raw.related_articles": "article_id",
    "raw.taxonomy": "path",
}
# Columns that no frame brings: what the refresh itself knows, as an expression where one is asked.
_FILLED = {
    "first_seen_at": "batch.first_seen_at",
    "observed_at": "$started_at",
    "changed_at": "",
    "gone_at": "",
    "run_id": "",
}
_TEMPORARY_COLUMNS = """
    select table_name, column_name from duckdb_columns() where database_name = 'temp'
"""
# Files that wait together in memory (2 kB each) for one comparison with the tables.
MERGE_FILES = 30_000


class FrameDoesNotFitTable(MatterhouseError):
    """The columns of a frame are not the columns of its table."""


class RunNotRecorded(MatterhouseError):
    """The transaction did not reach the file."""


@dataclass(frozen=True, slots=True)
class Run:
    """The refresh that is loading: its id and its start, which is when it observes."""

    run_id: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many files of each kind a refresh met."""

    new: int
    changed: int
    unchanged: int
    renamed: int
    returned: int
    gone: int

    @property
    def any(self) -> bool:
        """Whether the source differs from what is loaded."""
        return bool(self.new or self.changed or self.renamed or self.gone)


def begin(con: "duckdb.DuckDBPyConnection", vanished: Sequence[str]) -> None:
    """Open the transaction; `vanished` are the paths that the scan missed."""
    con.execute("begin")
    con.execute(
        """
        create or replace temp table outcomes
            (path varchar, outcome varchar, renamed_from varchar)
        """
    )
    con.execute(
        """
        create or replace temp table vanished as
        select path, content_hash, first_seen_at
        from ops.files
        where path in (select unnest($paths::varchar[])) and status <> 'gone'
        """,
        {"paths": list(vanished)},
    )
    for table in (*_STATE, "ops.files"):
        columns = ", ".join(
            f'"{name}" {"varchar" if _is_nested(kind) else kind}'
            for name, kind in _column_types(con, table).items()
            if name not in _FILLED
        )
        con.execute(f"create or replace temp table {_incoming(table)} ({columns})")


def load(con: "duckdb.DuckDBPyConnection", frames: "Mapping[str, pd.DataFrame]", run: Run) -> None:
    """Take one batch in, and merge what has come in once it is worth comparing with the tables."""
    # Asked for once: describing each table on its own takes as long as a small frame.
    expected: dict[str, set[str]] = defaultdict(set)
    for table, column in con.execute(_TEMPORARY_COLUMNS).fetchall():
        expected[table].add(column)
    for table, frame in frames.items():
        _take_in(con, table, frame, expected[_incoming(table)])
    # Each merge reads the whole tables: one per batch would make the cost grow with the square.
    if row_count(con, _incoming("ops.files")) >= MERGE_FILES:
        _merge(con, run)
        # What is not committed stays in memory, and the working copy counts only once it is whole.
        con.execute("commit")
        con.execute("begin")


def _take_in(
    con: "duckdb.DuckDBPyConnection", table: str, frame: "pd.DataFrame", expected: Set[str]
) -> None:
    # `insert by name` refuses columns too many but fills missing ones with null, silently.
    if (actual := set(map(str, frame.columns))) != expected:
        missing, extra = sorted(expected - actual), sorted(actual - expected)
        raise FrameDoesNotFitTable(f"{table}: the frame lacks {missing} and has {extra} too much")
    if frame.empty:
        return
    # DuckDB finds `frame` here, in its caller. Registered, it would stay in memory until the
    # transaction ends: the catalogue keeps the dropped view, and the view keeps the frame.
    con.execute(f"insert into {_incoming(table)} by name select * from frame")


def _merge(con: "duckdb.DuckDBPyConnection", run: Run) -> None:
    """Write versions first, while the earlier state is still there to compare with."""
    _judge(con, run)
    _write_versions(con, run)
    for table, key in _STATE.items():
        _replace(con, table, key, run)
    _write_ledger(con, run)
    for table in (*_STATE, "ops.files"):
        con.execute(
            f"create or replace temp table {_incoming(table)} as from {_incoming(table)} limit 0"
        )


def _incoming(table: str) -> str:
    return f"incoming_{table.replace('.', '_')}"


def _judge(con: "duckdb.DuckDBPyConnection", run: Run) -> None:
    """Tell new, changed, renamed, returned and unchanged apart, one row per file of the batch.

    A rename is a new path with the bytes of a vanished one; equal bytes pair off in order of path.
    """
    con.execute(
        f"""
        create or replace temp table batch as
        with
            -- Few of many: a join would take in the whole ledger.
            known as (
                from ops.files where path in (select path from {_incoming("ops.files")})
            ),

            read_files as (
                select
                    incoming.*,
                    known.status as known_status,
                    known.first_seen_at as known_first_seen_at,
                    known.changed_at as known_changed_at,
                    known.path is null or known.status = 'gone' as is_new,
                    incoming.status is null or (
                        not is_new
                        and incoming.status = known.status
                        and incoming.content_hash is not distinct from known.content_hash
                        and incoming.reason_code is not distinct from known.reason_code
                    ) as is_same,
                    row_number() over (
                        partition by is_new, incoming.content_hash order by incoming.path
                    ) as nth,
                from {_incoming("ops.files")} as incoming
                left join known using (path)
            ),

            available as (
                select
                    *,
                    row_number() over (partition by content_hash order by path) as nth,
                from vanished
                where path not in (select renamed_from from outcomes where renamed_from is not null)
            )

        select
            read_files.*,
            available.path as renamed_from,
            case
                when is_same then 'unchanged'
                when not is_new then 'changed'
                when available.path is not null then 'renamed'
                when known_status is not null then 'returned'
                else 'new'
            end as outcome,
            coalesce(
                available.first_seen_at, known_first_seen_at, $started_at
            ) as first_seen_at,
        from read_files
        left join available
            on is_new
            and read_files.content_hash = available.content_hash
            and read_files.nth = available.nth
        """,
        {"started_at": run.started_at},
    )
    con.execute("insert into outcomes select path, outcome, renamed_from from batch")


def _write_versions(con: "duckdb.DuckDBPyConnection", run: Run) -> None:
    """Record each article of the batch whose analytic columns differ from its last state."""
    differs = ", ".join(
        f"case when article.{name} is distinct from earlier.{name} then '{name}' end"
        for name in ANALYTIC_COLUMNS
    )
    con.execute(
        f"""
        insert into raw.article_versions by name
        with
            article as (
                select
                    incoming.*,
                    batch.outcome,
                    batch.renamed_from,
                    coalesce(batch.renamed_from, incoming.article_id) as earlier_id,
                from incoming_raw_articles as incoming
                inner join batch on batch.path = incoming.article_id
            ),

            earlier as (
                select *
                from raw.articles
                where article_id in (select earlier_id from article)
            ),

            past as (
                select distinct article_id
                from raw.article_versions
                where article_id in (select article_id from article)
            ),

            topics as (
                select article_id, list(topic order by position) as topics
                from incoming_raw_article_topics
                group by article_id
            ),

            earlier_topics as (
                select article_id, list(topic order by position) as topics
                from raw.article_topics
                where article_id in (select earlier_id from article)
                group by article_id
            ),

            compared as (
                select
                    article.*,
                    coalesce(topics.topics, []) as topics,
                    earlier.article_id is not null as is_known,
                    list_filter([{differs}, case
                        when coalesce(topics.topics, []) <> coalesce(earlier_topics.topics, [])
                            then 'topics'
                    end], lambda name: name is not null) as differences,
                from article
                left join earlier on earlier.article_id = article.earlier_id
                left join topics on topics.article_id = article.article_id
                left join earlier_topics on earlier_topics.article_id = article.earlier_id
            )

        select
            article_id,
            $started_at as observed_at,
            $run_id as run_id,
            case
                when outcome = 'renamed' and is_known then 'renamed'
                when is_known then 'changed'
                when article_id in (select article_id from past) then 'returned'
                else 'added'
            end as change,
            case when is_known then differences else [] end as changed_fields,
            case when outcome = 'renamed' and is_known then renamed_from end as renamed_from,
            original_url,
            title,
            quality,
            heat,
            is_published,
            provider_domain,
            topics,
        from compared
        where not is_known or outcome = 'renamed' or len(differences) > 0
        order by article_id
        """,
        {"started_at": run.started_at, "run_id": run.run_id},
    )
    _write_removed(
        con,
        run,
        """
        select path from batch
        where status is not null and path not in (select article_id from incoming_raw_articles)
        """,
    )


def _write_removed(con: "duckdb.DuckDBPyConnection", run: Run, paths: str) -> None:
    """Record the articles among `paths` (a query) as removed, with the state they had."""
    con.execute(
        f"""
        insert into raw.article_versions by name
        select
            article.article_id,
            $started_at as observed_at,
            $run_id as run_id,
            'removed' as change,
            [] as changed_fields,
            null as renamed_from,
            article.original_url,
            article.title,
            article.quality,
            article.heat,
            article.is_published,
            article.provider_domain,
            coalesce((
                select list(topic order by position)
                from raw.article_topics as listed
                where listed.article_id = article.article_id
            ), []) as topics,
        from raw.articles as article
        where article.article_id in ({paths})
        order by article.article_id
        """,
        {"started_at": run.started_at, "run_id": run.run_id},
    )


def _replace(con: "duckdb.DuckDBPyConnection", table: str, key: str, run: Run) -> None:
    """Put the rows that came in into the place of the earlier rows of the same files."""
    values = {
        name: _FILLED.get(name) or _from_frame(name, kind)
        for name, kind in _column_types(con, table).items()
    }
    con.execute(
        f"delete from {table} where {key} in (select path from batch where status is not null)"
    )
    con.execute(
        f"""
        insert into {table} by name
        select {", ".join(f'{value} as "{name}"' for name, value in values.items())}
        from {_incoming(table)} as incoming
        {"inner join batch on batch.path = incoming.article_id" if table == "raw.articles" else ""}
        """,
        {"started_at": run.started_at} if "observed_at" in values else {},
    )


def row_count(con: "duckdb.DuckDBPyConnection", table: str) -> int:
    """Return the number of rows of a table."""
    return int(con.execute(f"select count(*) from {table}").fetchall()[0][0])


def _column_types(con: "duckdb.DuckDBPyConnection", table: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in con.execute(f"describe {table}").fetchall()}


def _from_frame(name: str, kind: str) -> str:
    """Return the expression that reads a column that came in; lists travel as JSON text."""
    if not _is_nested(kind):
        return f'incoming."{name}"'
    return f"""from_json(incoming."{name}", '{_json_shape(kind)}')"""


def _is_nested(kind: str) -> bool:
    return kind.endswith("[]")


def _json_shape(kind: str) -> str:
    if not kind.startswith("STRUCT("):
        return f'["{kind.removesuffix("[]")}"]'
    members = kind.removeprefix("STRUCT(").removesuffix(")[]").split(", ")
    fields = (member.split(" ", 1) for member in members)
    return json.dumps([{name.strip('"'): member_kind for name, member_kind in fields}])


def _write_ledger(con: "duckdb.DuckDBPyConnection", run: Run) -> None:
    """Bring the ledger's rows of the batch up to date."""
    con.execute(
        """
        update ops.files
        set
            size_bytes = batch.size_bytes,
            mtime_ns = batch.mtime_ns,
            ctime_ns = batch.ctime_ns,
            inode = batch.inode,
        from batch
        where batch.path = files.path and batch.status is null
        """
    )
    con.execute(
        "delete from ops.files where path in (select path from batch where status is not null)"
    )
    warnings = _from_frame("warnings", _column_types(con, "ops.files")["warnings"])
    con.execute(
        f"""
        insert into ops.files by name
        select
            incoming.* replace ({warnings} as warnings),
            batch.first_seen_at,
            case
                when outcome = 'unchanged' then known_changed_at else $started_at
            end as changed_at,
            null as gone_at,
            $run_id as run_id,
        from {_incoming("ops.files")} as incoming
        inner join batch using (path)
        where incoming.status is not null
        """,
        {"started_at": run.started_at, "run_id": run.run_id},
    )


def finish(con: "duckdb.DuckDBPyConnection", plan_unchanged: int, run: Run) -> Outcomes:
    """Merge the rest, take the vanished files out and count; the transaction stays open.

    `plan_unchanged` is the number of files that the scan already knew to be unchanged.
    """
    if row_count(con, _incoming("ops.files")):
        _merge(con, run)
    if vanished := row_count(con, "vanished"):
        _take_out(con, run)
    counted = dict(
        con.execute("select outcome, count(*) from outcomes group by outcome").fetchall()
    )
    return Outcomes(
        new=counted.get("new", 0) + counted.get("returned", 0),
        changed=counted.get("changed", 0),
        unchanged=plan_unchanged + counted.get("unchanged", 0),
        renamed=counted.get("renamed", 0),
        returned=counted.get("returned", 0),
        gone=vanished - counted.get("renamed", 0),
    )


def _take_out(con: "duckdb.DuckDBPyConnection", run: Run) -> None:
    """Remove the articles of vanished files and mark the files as gone."""
    _write_removed(con, run, "select path from vanished")
    for table, key in _STATE.items():
        con.execute(f"delete from {table} where {key} in (select path from vanished)")
    con.execute(
        """
        update ops.files
        set status = 'gone', gone_at = $started_at, changed_at = $started_at, run_id = $run_id
        where path in (select path from vanished)
        """,
        {"started_at": run.started_at, "run_id": run.run_id},
    )


def is_outdated(con: "duckdb.DuckDBPyConnection", sql_hash: str) -> bool:
    """Return whether other SQL files built the tables than the ones at hand."""
    last = con.execute("select sql_hash from ops.runs order by run_id desc limit 1").fetchall()
    return last != [(sql_hash,)]


def record(con: "duckdb.DuckDBPyConnection", receipt: Mapping[str, Any]) -> None:
    """Write the run's row in ops.runs, replacing an earlier state of the same run."""
    types = _column_types(con, "ops.runs")
    con.execute("delete from ops.runs where run_id = $run_id", {"run_id": receipt["run_id"]})
    con.execute(
        f"""
        insert into ops.runs by name
        select {", ".join(f'${name}::{kind} as "{name}"' for name, kind in types.items())}
        """,
        {name: receipt[name] for name in types},
    )


def commit(con: "duckdb.DuckDBPyConnection", run: Run) -> None:
    """End the transaction and read the run's row back: a commit can fail without an error."""
    con.execute("commit")
    found = con.execute(
        "select count(*) from ops.runs where run_id = $run_id", {"run_id": run.run_id}
    ).fetchall()
    if found != [(1,)]:
        raise RunNotRecorded(f"run {run.run_id} did not reach the file: run the build again")
