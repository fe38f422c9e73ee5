"""Stage 1: find out what there is to read."""

from dataclasses import dataclass
from functools import partial

from flows import frontmatter
from flows.history.commits import NewCommits, find_commits
from flows.load import plan as plans
from flows.load.plan import Plan
from flows.pipeline.context import RunContext
from flows.source import sources
from flows.source.folder import Listing
from flows.warehouse.run_log import find_last_look


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the source holds: commits to replay, files, and what to do with each of them."""

    past: NewCommits
    listing: Listing
    plan: Plan


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
    return Scanned(past, listing, plan)
