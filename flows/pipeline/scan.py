"""Stage 1: find out what there is to read."""

from dataclasses import dataclass, replace
from functools import partial

from flows import frontmatter
from flows.history.commits import NewCommits, find_commits
from flows.load import plan as plans
from flows.load.plan import Plan
from flows.pipeline.context import RunContext
from flows.source import sources
from flows.source.folder import Listing
from flows.source.read import Unreadable
from flows.source.sources import Location
from flows.warehouse.run_log import find_last_look

# Above this, reading twice what did change costs more than it saves when nothing did.
_HASHED_FILES = 1_000


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the source holds: commits to replay, files, and what to do with each of them."""

    past: NewCommits
    listing: Listing
    plan: Plan

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to read, to replay or to take out."""
        return not (self.plan.to_read or self.plan.vanished or self.past.parts)


def scan(context: RunContext, _: None) -> Scanned:
    """List new commits and all files; look twice before a file is missing from the ledger."""
    source, chosen = context.scope.source, context.scope.chosen
    past = find_commits(
        context.con,
        source,
        chosen.accepts,
        context.run.started_at,
        wanted=context.request.history,
        scanned_at=find_last_look(context.paths),
        say=context.runner.say,
    )
    compare = partial(
        plans.compare,
        context.con,
        source,
        parser_version=frontmatter.PARSER_VERSION,
        reread=context.reread,
    )
    listing = sources.walk(source, chosen)
    plan = compare(listing)
    if plan.vanished:
        listing = sources.look_again(source, chosen, listing, plan.vanished)
        plan = compare(listing)
    if not (plan.vanished or past.parts) and _holds_loaded_bytes(source, plan):
        plan = replace(plan, to_read=[], known={}, unchanged=plan.seen)
    return Scanned(past, listing, plan)


def _holds_loaded_bytes(source: Location, plan: Plan) -> bool:
    """Return whether files were only touched: to see that needs no frames, nor pandas."""
    is_quick = len(plan.to_read) <= _HASHED_FILES and sources.is_folder(source)
    if not is_quick or len(plan.known) < len(plan.to_read):
        return False
    try:
        with sources.open_reader(source, plan.to_read, {}) as read:
            return all(read(path)[1] == plan.known[path] for path in plan.to_read)
    except Unreadable:
        return False
