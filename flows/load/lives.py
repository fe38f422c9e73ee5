"""Which article appears on a path: a new one, one that was there before, or one that moved."""

from dataclasses import dataclass

from flows.load.states import query_last_versions, spell_new_life
from flows.warehouse.connection import Connection


def follow(con: Connection, known: str) -> None:
    """Say which article each arrival is: the first path it had, through all renames in order."""
    import pandas as pd

    found = con.execute(query_last_versions(known)).fetchall()
    lives = Lives(
        {path: origin for path, origin, _ in found},
        # An article whose last path is none of these lives there, and on none of them.
        {origin: None for _, origin, _ in found}
        | {origin: path for path, origin, is_last in found if is_last},
    )
    rows = [(0, path, origin) for path, origin in lives.origins.items()]
    arrivals = con.execute(
        f"""
        select nth, path, renamed_from, path || {spell_new_life("observed_at")} as new_origin
        from past_moves
        inner join past_commits using (nth)
        where is_arrival
        order by nth, path
        """
    ).fetchall()
    rows += [(nth, path, lives.begin(path, *more)) for nth, path, *more in arrivals]
    types = {"nth": "int64", "path": "str", "origin_id": "str"}
    followed = pd.DataFrame(rows, columns=list(types)).astype(types)  # noqa: F841 - in the query
    con.execute("create or replace temp table past_origins as from followed")


@dataclass(frozen=True, slots=True)
class Lives:
    """Which article each path holds, and which path holds each article, as commits go by."""

    origins: dict[str, str]
    last_paths: dict[str, str | None]

    def begin(self, path: str, renamed_from: str | None, new_origin: str) -> str:
        """Let an article appear on, return to or move to a path; return its origin."""
        origin = self.origins.get(renamed_from or path, renamed_from or path)
        if not renamed_from and self.last_paths.get(origin, path) != path:
            origin = new_origin  # The article of this path lives on under another.
        self.origins[path], self.last_paths[origin] = origin, path
        return origin
