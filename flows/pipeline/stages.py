"""The stages of a run, each a function of the same `Work`: scan, load, model, check, publish."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flows import MatterhouseError, frontmatter
from flows.load import catch_up, commits, ledger, merge, replay
from flows.load import plan as plans
from flows.load.catch_up import CatchUp
from flows.load.plan import Plan
from flows.models import build, checks
from flows.models.checks import FailedCheck
from flows.pipeline.work import Work
from flows.source import history, sources
from flows.source.folder import Listing
from flows.warehouse import generations, working_copy
from flows.warehouse.run_log import find_last_look
from flows.workers.frames import frames_of, gather

if TYPE_CHECKING:
    from flows.normalize.frames import Frames

# What a worker has in memory, with all that its files say; and what is loaded at a time.
BATCH_FILES = 2500
LOADED_FILES = 5_000


class ChecksFailed(MatterhouseError):
    """A check of severity error returned rows: nothing is published."""

    exit_code = 4

    def __init__(self, message: str, failed: list[FailedCheck]) -> None:
        super().__init__(message)
        self.failed = failed


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the source holds: commits to replay, files, and what to do with each of them."""

    past: CatchUp
    listing: Listing
    plan: Plan


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of the files, and how many changes of the past were recorded."""

    outcomes: ledger.Outcomes
    replayed: int


def scan(work: Work) -> Scanned:
    """List new commits and all files; look twice before a file is missing from the ledger."""
    source, chosen = work.scope.source, work.scope.chosen
    past = catch_up.plan(
        work.con,
        source,
        chosen.accepts,
        work.run,
        wanted=work.request.history,
        say=work.runner.say,
        looked_at=find_last_look(work.paths),
    )
    compare = partial(
        plans.compare,
        work.con,
        source,
        parser_version=frontmatter.PARSER_VERSION,
        reread=work.reread,
    )
    listing = sources.walk(source, chosen)
    plan = compare(listing)
    if plan.vanished:
        listing = sources.look_again(source, chosen, listing, plan.vanished)
        plan = compare(listing)
    return Scanned(past, listing, plan)


def load(work: Work, scanned: Scanned) -> Loaded:
    """Merge what is read into the raw tables, the ledger and the history, in one transaction."""
    working_copy.suit(work.con, work.paths, scanned.plan.seen)
    merge.begin(work.con, scanned.plan.vanished)
    replayed = _replay_commits(work, scanned.past)
    plan = replay.reread(work.con, scanned.plan, scanned.listing.paths)
    for frames in gather(_extract(work, scanned.listing, plan), LOADED_FILES):
        merge.load(work.con, frames, work.run)
    return Loaded(merge.finish(work.con, plan.unchanged, work.run), replayed)


def _replay_commits(work: Work, past: CatchUp) -> int:
    """Record in the history what commits changed; return how many changes that were."""
    read = partial(frames_of, observed_at=work.run.started_at)
    changes = 0
    for part in past.parts:
        with work.clock.stage("history"):
            commits.begin(work.con, part)
            batches = history.cut_batches(part, BATCH_FILES, work.scope.mapping)
            for frames in work.runner.map("history", read, batches):
                commits.stage(work.con, frames)
            changes += replay.write(work.con, work.run, part.until)
    return changes


def _extract(work: Work, listing: Listing, plan: Plan) -> "Iterator[Frames]":
    """Read what is new or changed; frames come batch by batch, from wherever the runner reads."""
    scope = work.scope
    batches = plans.cut_batches(scope.source, plan, listing, BATCH_FILES, scope.mapping)
    read = partial(frames_of, observed_at=work.run.started_at)
    return work.clock.time_results("extract", work.runner.map("extract", read, batches))


def model(work: Work) -> build.Built:
    """Rebuild the staging tables and marts whose input changed."""
    if work.reread or work.is_outdated:
        return build.build(work.con)
    return build.build(work.con, merge.list_changed_tables(work.con, work.run))


def check(work: Work) -> list[FailedCheck]:
    """Hold the tables against the checks; one of severity error ends the run."""
    # The articles of another folder are not a loss.
    is_same_folder = work.before is not None and work.before.is_of_folder(work.scope.source)
    is_loss_meant = work.request.accept_loss or not is_same_folder
    failed = checks.run(work.con, waived=("articles_shrank",) if is_loss_meant else ())
    if errors := [found.name for found in failed if found.severity == "error"]:
        raise ChecksFailed(
            f"{len(errors)} of the checks failed ({', '.join(errors)}): nothing was"
            f" published, and what was built is in {work.paths.failed}; look into it with"
            " --warehouse, `matterhouse quarantine` for instance",
            failed,
        )
    return failed


def publish(work: Work, run_id: str) -> None:
    """Let readers see the working copy."""
    generations.publish(work.paths, run_id)
