"""What commits and the run did to each path, in two temporary tables.

changes   one row per path that a commit or the run touched: nth (their order), commit,
          committed_at, observed_at, path, before and after (its content, null for no file), key
states    one row per key: what an article said, or in same_as the key of a state that says the same

A key is `BLOB/PATH` for a file of a commit, `earlier/PATH` for what was loaded before the run, and
`now/PATH` for what is loaded by now.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from flows.source.history import History, make_key
from flows.warehouse.connection import Connection

if TYPE_CHECKING:
    import pandas as pd

    from flows.normalize.frames import Frames

_TYPES = {
    "nth": "int64",
    "commit": "str",
    "seconds": "int64",
    "observed": "int64",
    "path": "str",
    "before": "str",
    "after": "str",
    "key": "str",
}
_STATE_TABLES = ("raw.articles", "raw.article_topics")
_LISTED = "select article_id, list(topic order by position) as topics from {} group by article_id"


def read_columns(con: Connection) -> list[str]:
    """Return the columns of raw.articles that make an article's state.

    A version keeps them under the same name; of title and excerpt it keeps that they changed.
    Rewrites that touch nothing else (most do) are noise.
    """
    rows = con.execute(
        """
        with columns as (
            from duckdb_columns() where database_name = current_database() and schema_name = 'raw'
        )

        select column_name
        from columns
        where table_name = 'articles' and column_name not in ('article_id', 'observed_at')
            and column_name in (
                select column_name from columns where table_name = 'article_versions'
                union all values ('title'), ('excerpt')
            )
        order by column_index
        """
    ).fetchall()
    return [column for (column,) in rows]


def create(con: Connection) -> None:
    """Make both tables, empty."""
    con.execute(
        """
        create or replace temp table changes as
        select 0 as nth, commit, committed_at, observed_at,
            null::varchar as path, null::varchar as before, null::varchar as after,
            null::varchar as key
        from raw.commits
        limit 0
        """
    )
    con.execute(
        f"""
        create or replace temp table states as
        select
            null::varchar as key, null::varchar as same_as, content_hash,
            {", ".join(read_columns(con))}, []::varchar[] as topics,
        from raw.articles
        limit 0
        """
    )


def add_commits(con: Connection, history: History) -> None:
    """Add what the commits changed; what their files say comes batch by batch."""
    import pandas as pd

    places = {
        commit: (nth, commit, seconds, observed)
        for nth, ((commit, seconds), observed) in enumerate(
            zip(history.commits, history.observed, strict=True), start=1
        )
    }
    rows = [
        (*places[change.commit], change.path, change.before, change.after, make_key(change))
        for change in history.changes
    ]
    _insert_commits(con, pd.DataFrame(rows, columns=list(_TYPES)).astype(_TYPES))


def _insert_commits(con: Connection, commits: "pd.DataFrame") -> None:
    # DuckDB finds frames by the names of a function's parameters.
    con.execute(
        """
        insert into changes by name
        select
            * exclude (seconds, observed),
            -- A time that no clock can show is left out.
            case when seconds between 0 and 253402300799 then to_timestamp(seconds) end
                as committed_at,
            make_timestamptz(observed) as observed_at,
        from commits
        """
    )


def stage(con: Connection, frames: "Frames", run_id: str) -> None:
    """Take in what files of commits say, and which of them could not be loaded."""
    _stage(con, frames["ops.files"], frames["raw.articles"], frames["raw.article_topics"], run_id)


def _stage(
    con: Connection,
    files: "pd.DataFrame",
    articles: "pd.DataFrame",
    topics: "pd.DataFrame",
    run_id: str,
) -> None:
    con.execute(
        f"""
        insert into states by name
        select files.path as key, if(status = 'same', mark, null) as same_as, files.content_hash,
            {_spell_state(con)}
        from files
        left join articles on articles.article_id = files.path
        left join ({_LISTED.format("topics")}) as listed using (article_id)
        where files.status = 'same' or articles.article_id is not null
        """
    )
    con.execute(
        """
        insert into ops.past_quarantine by name
        select
            changes.path, commit, observed_at, reason_code, reason, line, "column", hint,
            $run_id as run_id,
        from changes
        inner join files on files.path = changes.key
        where
            status = 'quarantined'
            -- Somebody may have gone back to an earlier commit, and on from there again.
            and (changes.path, commit) not in (select (path, commit) from ops.past_quarantine)
        order by observed_at, changes.path
        """,
        {"run_id": run_id},
    )


def _spell_state(con: Connection) -> str:
    columns = ", ".join(f"articles.{column}" for column in read_columns(con))
    return f"{columns}, coalesce(listed.topics, []) as topics"


def keep(con: Connection, prefix: str, articles: str, topics: str) -> None:
    """Note what rows of raw.articles and raw.article_topics say, under keys with a prefix."""
    con.execute(
        f"""
        insert into states by name
        select '{prefix}' || article_id as key, content_hash, {_spell_state(con)}
        from {articles} as articles
        left join ({_LISTED.format(topics)}) as listed using (article_id)
        """
    )


def _keep_loaded(con: Connection, prefix: str, paths: str) -> None:
    rows = (f"(from {t} where article_id in ({paths}))" for t in _STATE_TABLES)
    keep(con, prefix, *rows)


def add_run(con: Connection, touched: str, started_at: datetime) -> None:
    """Add the run as the last commit; `touched` is a query for (path, before, after).

    What it replaced has been kept. A path that commits alone touched holds what it held.
    """
    by_commits = f"select path from changes where path not in (select path from ({touched}))"
    _keep_loaded(con, "earlier/", by_commits)
    con.execute(
        f"""
        insert into changes by name
        with
            touched as ({touched}),

            committed as (
                select path, last(content_hash order by nth) as content
                from changes
                left join states using (key)
                group by path
            )

        select
            (select coalesce(max(nth), 0) + 1 from changes) as nth,
            $started_at as observed_at,
            path,
            coalesce(committed.content, touched.before) as before,
            if(touched.path is null, files.content_hash, touched.after) as after,
            if(touched.path is null, 'earlier/', 'now/') || path as key,
        from touched
        full join committed using (path)
        left join ops.files as files using (path)
        """,
        {"started_at": started_at},
    )
    _keep_loaded(con, "now/", f"select path from ({touched})")


def add_first_run(con: Connection, started_at: datetime) -> None:
    """Add that the first run, whose versions are there, did not find what these commits left."""
    con.execute(
        """
        insert into changes by name
        select distinct
            (select max(nth) + 1 from changes) as nth,
            $started_at as observed_at,
            path,
        from changes
        where path not in (
            select article_id from raw.article_versions where observed_at = $started_at
        )
        """,
        {"started_at": started_at},
    )
