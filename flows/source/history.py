"""The commits of a source and what they changed → batches of blobs to read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from flows.config import Config, load_default
from flows.source import commit_tree, git
from flows.source.commit_times import find_observation_times
from flows.source.extract import Batch
from flows.source.folder import too_large
from flows.source.git import Change, Commit, Repository
from flows.source.read import MAX_FILE_BYTES


@dataclass(frozen=True, slots=True)
class History:
    """Commits in their order, when each was observed (µs since 1970), and what they changed.

    `until` is the start of the first run, if it knew nothing of these commits before it.
    """

    repository: Repository
    commits: Sequence[Commit]
    observed: Sequence[int]
    changes: Sequence[Change]
    sizes: Mapping[str, int]
    until: datetime | None = None


def read_history(
    repository: Repository,
    commits: Sequence[Commit],
    changes: Sequence[Change],
    *,
    after: int | None,
    before: int,
    until: datetime | None = None,
) -> History:
    """Add times and sizes; `after` is the last look of an earlier run, `before` the present one."""
    seconds = [seconds for _, seconds in commits]
    observed = find_observation_times(seconds, after=after, before=before)
    blobs = list(dict.fromkeys(change.after for change in changes if change.after))
    sizes = git.read_sizes(repository, blobs) if blobs else {}
    return History(repository, commits, observed, changes, sizes, until)


def read_content_changes(
    repository: Repository,
    commits: Sequence[Commit],
    accepts: Callable[[str], bool],
    after: str | None = None,
) -> list[Change]:
    """Return what the commits changed in the files that are content."""
    changes = git.read_changes(repository, commits, after)
    return [change for change in changes if accepts(change.path)]


def make_key(change: Change) -> str | None:
    """Return what the file of a change is read as: equal bytes at one path are read once.

    The path stays, because columns can come from it, and its ending tells YAML as a whole.
    """
    return change.after and f"{change.after}/{change.path}"


def cut_batches(history: History, size: int, mapping: Config | None = None) -> list[Batch]:
    """Cut the distinct blobs into batches, in order of path: its states are compared on the way.

    Each batch counts as its share of the commits.
    """
    blobs = {
        key: change.after
        for change in sorted(history.changes, key=lambda change: change.path)
        if change.after and (key := make_key(change))
    }
    sizes = {key: history.sizes[blob] for key, blob in blobs.items()}
    keys, commits = list(blobs), len(history.commits)
    starts = range(0, len(keys), size)
    shares = [*(commits * start // len(keys) for start in starts), commits]
    return [
        Batch(
            history.repository.folder,
            tuple(part),
            {},
            {key: too_large() for key in part if sizes[key] > MAX_FILE_BYTES},
            marks={key: commit_tree.mark(sizes[key], blobs[key]) for key in part},
            is_past=True,
            commits=end - begin,
            mapping=mapping or load_default(),
        )
        for part, (begin, end) in zip(
            (keys[start : start + size] for start in starts), pairwise(shares), strict=True
        )
    ]
