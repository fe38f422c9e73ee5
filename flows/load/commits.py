"""What commits changed, and what their files say, in temporary tables for the replay."""

from typing import TYPE_CHECKING

from flows.load.states import ANALYTIC_COLUMNS
from flows.source.history import History, make_key
from flows.warehouse.connection import Connection

if TYPE_CHECKING:
    from flows.normalize.frames import Frames

# What two states of an article are compared by, and the title that a version keeps.
COLUMNS = ", ".join((*ANALYTIC_COLUMNS, "title_text"))
# `of_key` is the blob that says the same, for one that is not read as a whole.
_FILES = """
    select
        path as key, status, content_hash, if(status = 'same', mark, path) as of_key,
        reason_code, reason, line, "column", hint
"""


def begin(con: Connection, history: History) -> None:
    """Make tables for what the commits changed, and for what their files say."""
    import pandas as pd

    # DuckDB finds both frames by their names.
    commits = pd.DataFrame(  # noqa: F841
        {
            "commit": pd.array([commit for commit, _ in history.commits], dtype="str"),
            "seconds": [seconds for _, seconds in history.commits],
            "micros": history.observed,
        }
    )
    nth = {commit: at for at, (commit, _) in enumerate(history.commits, start=1)}
    rows = [
        (nth[change.commit], change.path, change.before, change.after, make_key(change))
        for change in history.changes
    ]
    types = {"nth": "int64"} | dict.fromkeys(("path", "before", "after", "key"), "str")
    changes = pd.DataFrame(rows, columns=list(types)).astype(types)  # noqa: F841
    con.execute(
        """
        create or replace temp table past_commits as
        select
            row_number() over () as nth,
            commit,
            -- A time that no clock can show is left out.
            case when seconds between 0 and 253402300799 then to_timestamp(seconds) end
                as committed_at,
            make_timestamptz(micros) as observed_at,
        from commits
        """
    )
    con.execute("create or replace temp table past_changes as from changes")
    con.execute(
        f"""
        create or replace temp table past_articles as
        select article_id as key, {COLUMNS}, []::varchar[] as topics from raw.articles limit 0
        """
    )
    con.execute(f"create or replace temp table past_files as {_FILES} from ops.files limit 0")


def stage(con: Connection, frames: "Frames") -> None:
    """Take in what the files of a batch say."""
    articles, topics = frames["raw.articles"], frames["raw.article_topics"]  # noqa: F841
    files = frames["ops.files"]  # noqa: F841
    con.execute(
        f"""
        insert into past_articles
        select article_id, {COLUMNS}, coalesce(listed.topics, [])
        from articles
        left join (
            select article_id, list(topic order by position) as topics
            from topics
            group by article_id
        ) as listed using (article_id)
        """
    )
    con.execute(f"insert into past_files {_FILES} from files")
