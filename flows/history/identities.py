"""Which article a path holds: a new one, one that was there before, or one that moved.

An article is named by its origin, the first path it was seen under. A new article on a path that
another one has left has the time of its arrival in its origin.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from flows.warehouse.connection import Connection

if TYPE_CHECKING:
    import pandas as pd

_NEW_ORIGIN = "strftime(observed_at, '@%Y-%m-%dT%H:%M:%S.%fZ')"
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


class Appearance(NamedTuple):
    """What happened on a path, where it came from if it moved, and the origin of a new article."""

    path: str
    change: str
    renamed_from: str | None
    new_origin: str


@dataclass(frozen=True, slots=True)
class Identities:
    """The article that each path held last, and the path that each article was last on."""

    origins: dict[str, str]
    last_paths: dict[str, str]

    def follow(self, appearances: Iterable[Appearance]) -> Iterator[str]:
        """Yield the origin of each, in their order."""
        for path, change, renamed_from, new_origin in appearances:
            origin = self.origins.get(renamed_from or path, renamed_from or path)
            if change in ("added", "returned") and self.last_paths.get(origin, path) != path:
                origin = new_origin  # The article of this path lives on under another.
            self.origins[path], self.last_paths[origin] = origin, path
            yield origin


def assign(con: Connection) -> "pd.DataFrame":
    """Return nth, path and origin_id of each change; what is added has its path for an origin."""
    import pandas as pd

    rows = con.execute(
        f"""
        select nth, path, change, renamed_from, path || {_NEW_ORIGIN}
        from changes
        where change <> 'added'
        order by nth, change = 'renamed', path
        """
    ).fetchall()
    identities = _read_last(con) if rows else Identities({}, {})
    origins = identities.follow(Appearance(*appearance) for _, *appearance in rows)
    found = [(nth, path, origin) for (nth, path, *_), origin in zip(rows, origins, strict=True)]
    types = {"nth": "int64", "path": "str", "origin_id": "str"}
    return pd.DataFrame(found, columns=list(types)).astype(types)


def _read_last(con: Connection) -> Identities:
    """Return the identities of the paths that changed, as they were before."""
    rows = con.execute(
        """
        with
            versions as (
                from raw.article_versions
                where observed_at < (select min(observed_at) from changes)
            ),

            origins as (
                select article_id, arg_max(origin_id, observed_at) as origin_id
                from versions
                where article_id in (
                    select path from changes union all select renamed_from from changes
                )
                group by article_id
            )

        select
            origins.article_id,
            origin_id,
            -- A rename removes the old path in the moment in which the new one goes on.
            arg_max(versions.article_id, (observed_at, change = 'renamed')),
        from origins
        inner join versions using (origin_id)
        group by all
        """
    ).fetchall()
    return Identities(
        {path: origin for path, origin, _ in rows}, {origin: last for _, origin, last in rows}
    )


def retrace(con: Connection) -> None:
    """Find the origin of every version anew."""
    rows = con.execute(
        f"""
        select rowid, article_id, change, renamed_from, article_id || {_NEW_ORIGIN}
        from raw.article_versions
        order by observed_at, change = 'renamed', article_id
        """
    ).fetchall()
    origins = Identities({}, {}).follow(Appearance(*appearance) for _, *appearance in rows)
    con.execute(
        """
        update raw.article_versions
        set origin_id = traced.origin_id
        from (
            select unnest($rows::bigint[]) as row, unnest($origins::varchar[]) as origin_id
        ) as traced
        where article_versions.rowid = traced.row
        """,
        {"rows": [row for row, *_ in rows], "origins": list(origins)},
    )


def mend(con: Connection) -> bool:
    """Part articles that an earlier version took for one, and return whether there were any.

    It gave a new article on a path that another had left before the last run that one's history.
    """
    is_mixed = con.execute(_MIXED).fetchall() != [(0,)]
    if is_mixed:
        retrace(con)
    return is_mixed
