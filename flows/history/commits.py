"""The commits of the source that a run has to read."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from flows.history.scan import EarlierRun, HistoryScan
from flows.source import archives, commit_tree, git
from flows.source.git import Repository
from flows.source.git_process import NoHistory
from flows.source.history import History
from flows.source.sources import Location
from flows.warehouse.connection import Connection


@dataclass(frozen=True, slots=True)
class NewCommits:
    """Commits to read in order; those `before_first_run` lie before all that runs have seen.

    `commit` is where the source stands, whether or not its history is read; `note` is a sentence
    for the receipt; `is_switched` says that this run reads commits and the last one did not, or
    the reverse.
    """

    commit: str | None = None
    before_first_run: History | None = None
    since_last_run: History | None = None
    note: str = ""
    is_read: bool = False
    is_switched: bool = False

    @property
    def commits(self) -> int | None:
        """Count the commits; None if none are read."""
        parts = (self.before_first_run, self.since_last_run)
        return sum(len(part.commits) for part in parts if part) if self.is_read else None

    @property
    def parts(self) -> list[History]:
        """Return what is to be read, without commits that touched no content."""
        parts = (self.before_first_run, self.since_last_run)
        return [part for part in parts if part and part.changes]


def find_commits(
    con: Connection,
    source: Location,
    accepts: Callable[[str], bool],
    started_at: datetime,
    *,
    wanted: bool | None,
    scanned_at: datetime | None,
    say: Callable[[str], None],
) -> NewCommits:
    """Find the commits that are new to the warehouse; of a new warehouse, all of them.

    `wanted` says whether to read any; None leaves it to what the last run did.
    """
    runs = _read_runs(con)
    did_read = bool(runs) and runs[-1].read_commits
    is_wanted = not runs or did_read if wanted is None else wanted
    try:
        repository = _find_repository(source)
        if is_wanted and not repository and (wanted or did_read):
            raise NoHistory(f"{source} lies in no git repository: build with --no-history")
        if is_wanted and repository:
            git.refuse_shallow(repository)
            since = scanned_at if runs else None
            scan = HistoryScan(repository, accepts, started_at, runs, since, say)
            new, note = scan.find_since_last_run(con)
            commit = repository.commit or (runs[-1].source_commit if runs else None)
            found = NewCommits(commit, scan.find_before_first_run(), new, note, is_read=True)
        else:
            found = NewCommits(repository.commit if repository else None)
    except NoHistory as error:
        if wanted:
            raise
        found = NewCommits()
        if is_wanted:
            # A repository that could be read yesterday may be readable again tomorrow.
            found = NewCommits(
                runs[-1].source_commit if did_read else None,
                note=f"without the history of the source: {error}",
                is_read=did_read,
            )
    return replace(found, is_switched=bool(runs) and found.is_read != did_read)


def _find_repository(source: Location) -> Repository | None:
    is_in_files = isinstance(source, Path) and not archives.is_archive(source)
    return commit_tree.find_repository(Path(source)) if is_in_files else None


def _read_runs(con: Connection) -> list[EarlierRun]:
    rows = con.execute(
        "select started_at, source_commit, commits is not null from ops.runs order by started_at"
    ).fetchall()
    return [EarlierRun(*row) for row in rows]
