"""Which commits of its source's repository a warehouse has not looked at yet."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from flows.load.ledger import Run
from flows.source import archives, commit_tree, git
from flows.source.git import Change, Commit, NoHistory, Repository
from flows.source.history import History, changes_of, read_history
from flows.source.sources import Location

if TYPE_CHECKING:
    import duckdb

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier run as ops.runs has it; `looked` says whether it read commits."""

    started_at: datetime
    source_commit: str | None
    looked: bool


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
    con: "duckdb.DuckDBPyConnection",
    source: Location,
    accepts: Callable[[str], bool],
    run: Run,
    *,
    wanted: bool | None,
    looked_at: datetime | None,
    say: Callable[[str], None] = lambda text: None,
) -> CatchUp:
    """Find the commits that are new to the warehouse; of a new warehouse, all of them.

    `wanted` says whether to look; None leaves it to what the last run did. `looked_at` is the start
    of the last run that looked at the source, whether it published or not.
    """
    runs = _runs(con)
    looked = bool(runs) and runs[-1].looked
    is_wanted = not runs or looked if wanted is None else wanted
    try:
        found = _look(con, source, accepts, run, runs, looked_at, say) if is_wanted else None
        if found is None and (wanted or looked) and is_wanted:
            raise NoHistory(f"{source} lies in no git repository: build with --no-history")
    except NoHistory as error:
        if wanted:
            raise
        # A repository that could be read yesterday may be readable again tomorrow.
        commit = runs[-1].source_commit if looked else None
        note = f"without the history of the source: {error}"
        return CatchUp(commit, note=note, looked=looked)
    found = found or CatchUp(_commit_of(source))
    return replace(found, is_switched=bool(runs) and found.looked != looked)


def _look(
    con: "duckdb.DuckDBPyConnection",
    source: Location,
    accepts: Callable[[str], bool],
    run: Run,
    runs: list[Earlier],
    looked_at: datetime | None,
    say: Callable[[str], None],
) -> CatchUp | None:
    if (repository := _repository_of(source)) is None:
        return None
    git.refuse_shallow(repository)
    new, note = _new(con, repository, accepts, run, runs, looked_at if runs else None, say)
    before = _before_first_run(repository, accepts, runs, say)
    commit = repository.commit or (runs[-1].source_commit if runs else None)
    return CatchUp(commit, before, new, note, looked=True)


def _repository_of(source: Location) -> Repository | None:
    is_in_files = isinstance(source, Path) and not archives.is_archive(source)
    return commit_tree.repository_of(Path(source)) if is_in_files else None


def _commit_of(source: Location) -> str | None:
    try:
        repository = _repository_of(source)
    except NoHistory:
        return None
    return repository.commit if repository else None


def _runs(con: "duckdb.DuckDBPyConnection") -> list[Earlier]:
    rows = con.execute(
        "select started_at, source_commit, commits is not null from ops.runs order by started_at"
    ).fetchall()
    return [Earlier(*row) for row in rows]


def _new(
    con: "duckdb.DuckDBPyConnection",
    repository: Repository,
    accepts: Callable[[str], bool],
    run: Run,
    runs: list[Earlier],
    looked_at: datetime | None,
    say: Callable[[str], None],
) -> tuple[History | None, str]:
    """Return the commits since the last run, and what to say if they do not follow on from it."""
    last = runs[-1].source_commit if runs else None
    if runs and not runs[-1].looked and last is None:
        return None, ""  # What there was before the source was a repository, runs have seen.
    if repository.commit is None:
        return None, ""
    note = ""
    if last is None or git.has_commit(repository, last):
        commits = git.read_commits(repository, last)
        if not runs:
            say(_reading(commits))
        changes = changes_of(repository, commits, accepts, last)
        if last and not git.is_ancestor(repository, last):
            note = (
                f"the history was rewritten since commit {last[:12]}: what it said before is kept"
            )
    else:
        commits, changes = _since_known(con, repository, accepts)
        note = f"commit {last[:12]} of the last run is gone: what was known of the past is kept"
    after = None if looked_at is None else _micros(looked_at)
    before = _micros(run.started_at)
    return read_history(repository, commits, changes, after=after, before=before), note


def _since_known(
    con: "duckdb.DuckDBPyConnection", repository: Repository, accepts: Callable[[str], bool]
) -> tuple[list[Commit], list[Change]]:
    """Go on after the last known commit that is still there, else with the last one alone.

    The first commit is compared as a whole with what is loaded.
    """
    known = {commit for (commit,) in con.execute("select commit from raw.commits").fetchall()}
    chain = git.read_commits(repository)
    since = list(takewhile(lambda commit: commit.commit not in known, reversed(chain)))
    commits = (since if 0 < len(since) < len(chain) else chain[-1:])[::-1]
    first = replace(repository, commit=commits[0].commit)
    blobs = {path: blob for path, blob in git.read_tree(first).items() if accepts(path)}
    loaded = con.execute("select article_id from raw.articles order by article_id").fetchall()
    gone = [path for (path,) in loaded if path not in blobs]
    whole = [
        *(Change(commits[0].commit, path, None, blob) for path, blob in blobs.items()),
        *(Change(commits[0].commit, path, None, None) for path in gone),
    ]
    later = changes_of(repository, commits[1:], accepts, commits[0].commit)
    return commits, whole + later


def _before_first_run(
    repository: Repository,
    accepts: Callable[[str], bool],
    runs: list[Earlier],
    say: Callable[[str], None],
) -> History | None:
    """Return what led to what the first run saw, unless a run has read it already."""
    if not runs or any(run.looked for run in runs):
        return None
    first = runs[0]
    start = _micros(first.started_at)
    if first.source_commit and git.has_commit(repository, first.source_commit):
        commits = git.read_commits(replace(repository, commit=first.source_commit))
    else:
        chain = git.read_commits(repository)
        commits = list(takewhile(lambda commit: commit.seconds * 1_000_000 < start, chain))
    say(_reading(commits))
    changes = changes_of(repository, commits, accepts)
    return read_history(
        repository, commits, changes, after=None, before=start, until=first.started_at
    )


def _reading(commits: list[Commit]) -> str:
    many = f"{len(commits):,} commits" if len(commits) != 1 else "1 commit"
    return f"reading the history of the source, {many} (--no-history leaves it out)"


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
