"""What an earlier version of matterhouse did not record, as far as its history implies it.

It recorded neither the first path of a renamed article nor all that an article's state is made of.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from flows.warehouse.connection import Connection

# Columns that were not kept, although `changed_fields` says when they changed.
_REBUILT = ("web_url", "provider_name", "published_at", "category", "type", "is_removed")


class Version(NamedTuple):
    """The row of a version, by its number, and the moment in microseconds."""

    row: int
    moment: int
    path: str
    change: str
    renamed_from: str | None


# An article changes its path only by being renamed.
_MIXED = """
    select count(*)
    from (
        select change, article_id, lag(article_id) over by_time as earlier_path
        from raw.article_versions
        window by_time as (partition by origin_id order by observed_at, change = 'renamed')
    )
    where change <> 'renamed' and article_id <> earlier_path
"""


def mend(con: Connection) -> bool:
    """Part articles that an earlier version took for one, and return whether there were any.

    It gave a new article on a path that another had left before the last run that one's history.
    """
    is_mixed = con.execute(_MIXED).fetchall() != [(0,)]
    if is_mixed:
        follow(con)
    return is_mixed


def fill(con: Connection) -> None:
    """Fill origin_id, and other columns back to where they are known to have changed."""
    follow(con)
    con.execute(_rebuild())


def follow(con: Connection) -> None:
    """Give every version the first path of its article."""
    rows = con.execute(
        """
        select rowid, epoch_us(observed_at), article_id, change, renamed_from
        from raw.article_versions
        order by observed_at, change = 'renamed', article_id
        """
    ).fetchall()
    found = list(trace_origins(map(Version._make, rows)))
    con.execute(
        """
        update raw.article_versions
        set origin_id = found.origin_id
        from (
            select unnest($rows::bigint[]) as row, unnest($origins::varchar[]) as origin_id
        ) as found
        where article_versions.rowid = found.row
        """,
        {"rows": [row for row, _ in found], "origins": [origin for _, origin in found]},
    )


def trace_origins(versions: Iterable[Version]) -> Iterator[tuple[int, str]]:
    """Yield the row of each version with the first path of its article.

    Versions come by moment, and a renamed one after the removal of its old path. An article on a
    path that another has left is a new one: its origin is the path with the moment of its arrival.
    """
    of_path: dict[str, str] = {}
    last_path: dict[str, str] = {}
    for moment, group in groupby(versions, lambda version: version.moment):
        found = [(version, _trace_origin(version, moment, of_path, last_path)) for version in group]
        for version, origin in found:
            of_path[version.path] = origin
            last_path[origin] = version.path
            yield version.row, origin


def _trace_origin(
    version: Version, moment: int, of_path: dict[str, str], last_path: dict[str, str]
) -> str:
    earlier = version.renamed_from or version.path
    origin = of_path.get(earlier, earlier)
    goes_on = version.change in ("changed", "renamed", "removed")
    if earlier not in of_path or goes_on or last_path[origin] == earlier:
        return origin
    arrived = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)
    return f"{version.path}@{arrived:%Y-%m-%dT%H:%M:%S.%fZ}"


def _rebuild() -> str:
    """Return the statement that carries today's state back as far as no version changed it."""
    unknown = ", ".join(
        f"coalesce(sum(if(change = 'returned' or list_contains(changed_fields, '{column}'), 1, 0))"
        f" over later, 0) as {column}_changes"
        for column in (*_REBUILT, "title")
    )
    values = ", ".join(
        f"{column} = if({column}_changes = 0, article.{column}, null)" for column in _REBUILT
    )
    return f"""
        update raw.article_versions
        set {values}, title_text = if(title_changes = 0, article.title_text, versions.title_text)
        from (
            select
                rowid as row,
                title_text,
                last(article_id) over (
                    by_time rows between unbounded preceding and unbounded following
                ) as last_path,
                {unknown},
            from raw.article_versions
            window
                by_time as (partition by origin_id order by observed_at, change = 'renamed'),
                later as (by_time rows between 1 following and unbounded following)
        ) as versions
        inner join raw.articles as article on article.article_id = versions.last_path
        where article_versions.rowid = versions.row
    """
