"""The commits that no run has read yet: since the last run, and before the first."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile

from flows.source import git
from flows.source.git import Change, Commit, Repository
from flows.source.history import History, read_content_changes, read_history
from flows.warehouse.connection import Connection

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Content that was moved came in few commits; less than a tenth of it is not worth a note.
_LARGEST, _NOTABLE_SHARE = 20, 10


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """An earlier run as ops.runs has it."""

    started_at: datetime
    source_commit: str | None
    read_commits: bool


@dataclass(frozen=True, slots=True)
class HistoryScan:
    """What a run needs to know to find new commits in the repository of its source.

    `accepts` tells content by its path; `runs` have published; `scanned_at` is the start of the
    last run that scanned the source, whether it published or not; `say` announces what takes long.
    """

    repository: Repository
    accepts: Callable[[str], bool]
    started_at: datetime
    runs: list[EarlierRun]
    scanned_at: datetime | None
    say: Callable[[str], None]

    def find_since_last_run(self, con: Connection) -> tuple[History | None, str]:
        """Return the new commits, and what to say if they do not follow on from the known ones."""
        last = self.runs[-1].source_commit if self.runs else None
        # Runs have seen what the source held before it became a repository.
        is_new_repository = bool(self.runs) and not self.runs[-1].read_commits and last is None
        if self.repository.commit is None or is_new_repository:
            return None, ""
        note = ""
        if last is None or git.has_commit(self.repository, last):
            commits = git.read_commits(self.repository, last)
            if not self.runs:
                self._announce(commits)
            changes = self._read_changes(commits, last)
            if not self.runs:
                note = self._explain_beginning(commits, changes)
            if last and not git.is_ancestor(self.repository, last):
                note = self._explain_turn(last)
        else:
            commits, changes = self._find_since_known(con)
            note = f"commit {last[:12]} of the last run is gone: what was known of the past is kept"
        after = None if self.scanned_at is None else _to_micros(self.scanned_at)
        before = _to_micros(self.started_at)
        return read_history(self.repository, commits, changes, after=after, before=before), note

    def _explain_turn(self, last: str) -> str:
        """Say why the commit of the last run did not lead to the present one."""
        if git.is_ancestor(replace(self.repository, commit=last), str(self.repository.commit)):
            return (
                f"the source stands at commit {str(self.repository.commit)[:12]}, which is older"
                f" than {last[:12]} of the last run: the articles are those of then"
            )
        return f"the history was rewritten since commit {last[:12]}: what it said before is kept"

    def _explain_beginning(self, commits: list[Commit], changes: list[Change]) -> str:
        """Say where most of the content came from, if it was moved into the source's folder."""
        added = Counter(change.commit for change in changes if not change.before)
        before = {commit: earlier for (earlier, _), (commit, _) in pairwise(commits)}
        largest = [commit for commit, _ in added.most_common(_LARGEST) if commit in before]
        if not self.repository.prefix or not largest:
            return ""
        pairs = [(commit, before[commit]) for commit in largest]
        moved = list(git.read_moves_in(self.repository, pairs))
        if len(moved) * _NOTABLE_SHARE < len({change.path for change in changes}):
            return ""
        commit = Counter(commit for commit, _ in moved).most_common(1)[0][0]
        folders = Counter(path.rpartition("/")[0] for _, path in moved).most_common(1)
        return (
            f"{len(moved):,} file{'s'[: len(moved) != 1]} moved into {self.repository.prefix} from"
            f" {folders[0][0] or 'the folder above'}, most in commit"
            f" {commit[:12]}: their history begins there, and a build of {self.repository.folder}"
            " has what was before"
        )

    def find_before_first_run(self) -> History | None:
        """Return what led to what the first run saw, unless a run has read it already."""
        if not self.runs or any(run.read_commits for run in self.runs):
            return None
        first = self.runs[0]
        start = _to_micros(first.started_at)
        if first.source_commit and git.has_commit(self.repository, first.source_commit):
            commits = git.read_commits(replace(self.repository, commit=first.source_commit))
        else:
            chain = git.read_commits(self.repository)
            commits = list(takewhile(lambda commit: commit.seconds * 1_000_000 < start, chain))
        self._announce(commits)
        changes = self._read_changes(commits)
        return read_history(
            self.repository, commits, changes, after=None, before=start, until=first.started_at
        )

    def _find_since_known(self, con: Connection) -> tuple[list[Commit], list[Change]]:
        """Go on after the last known commit that is still there, else with the last one alone.

        The first commit is compared as a whole with what is loaded.
        """
        known = {commit for (commit,) in con.execute("select commit from raw.commits").fetchall()}
        chain = git.read_commits(self.repository)
        since = list(takewhile(lambda commit: commit.commit not in known, reversed(chain)))
        commits = (since if 0 < len(since) < len(chain) else chain[-1:])[::-1]
        first = commits[0].commit
        tree = git.read_tree(replace(self.repository, commit=first))
        blobs = {path: blob for path, blob in tree.items() if self.accepts(path)}
        loaded = con.execute("select article_id from raw.articles order by article_id").fetchall()
        paths = [*blobs, *(path for (path,) in loaded if path not in blobs)]
        whole = [Change(first, path, None, blobs.get(path)) for path in paths]
        return commits, whole + self._read_changes(commits[1:], first)

    def _read_changes(self, commits: list[Commit], after: str | None = None) -> list[Change]:
        return read_content_changes(self.repository, commits, self.accepts, after)

    def _announce(self, commits: list[Commit]) -> None:
        many = f"{len(commits):,} commit{'s'[: len(commits) != 1]}"
        self.say(f"reading the history of the source, {many} (--no-history leaves it out)")


def _to_micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
