"""Whether a run looks at the history of its source, and what it finds there."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from flows.load.ledger import Run
from flows.load.unseen import Earlier, Look
from flows.source import archives, commit_tree, git
from flows.source.git import Repository
from flows.source.git_process import NoHistory
from flows.source.history import History
from flows.source.sources import Location
from flows.warehouse.connection import Connection


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Commits to replay in order; `before_first_run` lie before everything that runs have seen.

    `commit` is what the source stands at, known or not by its history; `note` what to tell;
    `is_switched` says that the last run looked and this one does not, or the reverse.
    """

    commit: str | None = None
    before_first_run: History | None = None
    new: History | None = None
    note: str = ""
    looked: bool = False
    is_switched: bool = False

    @property
    def commits(self) -> int | None:
        """Count the commits; None if none were looked for."""
        parts = (self.before_first_run, self.new)
        return sum(len(part.commits) for part in parts if part) if self.looked else None

    @property
    def parts(self) -> list[History]:
        """Return what is to be read, without commits that touched no content."""
        return [part for part in (self.before_first_run, self.new) if part and part.changes]


def plan(
    con: Connection,
    source: Location,
    accepts: Callable[[str], bool],
    run: Run,
    *,
    wanted: bool | None,
    looked_at: datetime | None,
    say: Callable[[str], None],
) -> CatchUp:
    """Find the commits that are new to the warehouse; of a new warehouse, all of them.

    `wanted` says whether to look; None leaves it to what the last run did.
    """
    runs = _read_runs(con)
    looked = bool(runs) and runs[-1].looked
    is_wanted = not runs or looked if wanted is None else wanted
    try:
        repository = _find_repository(source)
        if is_wanted and repository:
            git.refuse_shallow(repository)
            seen_at = looked_at if runs else None
            look = Look(repository, accepts, run.started_at, runs, seen_at, say)
            new, note = look.find_after_last_run(con)
            commit = repository.commit or (runs[-1].source_commit if runs else None)
            found = CatchUp(commit, look.find_before_first_run(), new, note, looked=True)
        elif is_wanted and (wanted or looked):
            raise NoHistory(f"{source} lies in no git repository: build with --no-history")
        else:
            found = CatchUp(repository.commit if repository else None)
    except NoHistory as error:
        if wanted:
            raise
        found = CatchUp()
        if is_wanted:
            # A repository that could be read yesterday may be readable again tomorrow.
            commit = runs[-1].source_commit if looked else None
            note = f"without the history of the source: {error}"
            found = CatchUp(commit, note=note, looked=looked)
    return replace(found, is_switched=bool(runs) and found.looked != looked)


def _find_repository(source: Location) -> Repository | None:
    is_in_files = isinstance(source, Path) and not archives.is_archive(source)
    return commit_tree.find_repository(Path(source)) if is_in_files else None


def _read_runs(con: Connection) -> list[Earlier]:
    rows = con.execute(
        "select started_at, source_commit, commits is not null from ops.runs order by started_at"
    ).fetchall()
    return [Earlier(*row) for row in rows]
