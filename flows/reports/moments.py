"""A run, a commit or a date, as a user names it → the moment whose articles are meant."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows import MatterhouseError
from flows.source import commit_tree, git
from flows.source.git_process import NoHistory
from flows.warehouse.connection import Connection


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in the history; `run_id` if it is that of a run, whose file may be kept."""

    name: str
    at: datetime
    run_id: str | None = None


def find(con: Connection, name: str) -> Moment:
    """Return the moment of a run, a commit, tag or branch, or a date."""
    if len(runs := [run for run in list_runs(con) if run.name.startswith(name)]) == 1:
        return runs[0]
    if (at := _parse_date(name)) and not runs:
        return Moment(name, at)
    commits = con.execute(
        "select commit, observed_at from raw.commits where starts_with(commit, $name)",
        {"name": name},
    ).fetchall()
    if len(commits) == 1 and not runs:
        return Moment(f"commit {commits[0][0][:12]}", commits[0][1])
    if not runs and not commits and (at := _find_revision(con, name)):
        return Moment(name, at)
    latest = ", ".join(run.name for run in list_runs(con)[-3:])
    why = "several begin so" if runs or commits else "no run, commit or date has this name"
    raise MatterhouseError(f"{name}: {why}; the latest runs are {latest}")


def list_runs(con: Connection) -> list[Moment]:
    """Return the moments of all published runs, in order."""
    rows = con.execute("select run_id, started_at from ops.runs order by started_at").fetchall()
    return [Moment(run_id, started_at, run_id) for run_id, started_at in rows]


def _parse_date(name: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(name)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _find_revision(con: Connection, name: str) -> datetime | None:
    """Ask the source's repository; a commit that touched no content is the last before it."""
    known = dict(con.execute("select commit, observed_at from raw.commits").fetchall())
    last = con.execute("select source from ops.runs order by started_at desc limit 1").fetchall()
    if not last:
        return None
    try:
        repository = commit_tree.find_repository(Path(last[0][0]), name)
    except NoHistory:
        return None
    if repository and repository.commit and not known:
        raise MatterhouseError(
            f"{name} is a commit, and the warehouse was built without any: `matterhouse build"
            " --history` brings them"
        )
    chain = reversed(git.read_commits(repository)) if repository else ()
    return next((known[commit] for commit, _ in chain if commit in known), None)
