"""Stage 2: files become rows, batch by batch; they are extracted and normalized on the way."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from flows import __version__
from flows.history import changes, identities
from flows.history.commits import NewCommits
from flows.history.record import record
from flows.load import ledger, mapping, merge
from flows.load import plan as plans
from flows.load.ledger import Outcomes
from flows.load.plan import Plan
from flows.pipeline.context import RunContext
from flows.pipeline.receipt import Receipt, complete, count_by
from flows.pipeline.scan import Scanned
from flows.source import history
from flows.source.folder import Listing
from flows.warehouse import working_copy
from flows.warehouse.connection import row_count
from flows.workers.frames import frames_of, gather, import_early

if TYPE_CHECKING:
    from flows.normalize.frames import Frames

# A worker holds one batch in memory, with all that its files say.
BATCH_FILES = 2500
LOADED_FILES = 5_000
_DUE = "since the last build, the day of an article has come, or its last day has gone"


def load(context: RunContext, scanned: Scanned) -> Receipt:
    """Merge what is read into the raw tables, the ledger and the history, in one transaction.

    A receipt that says `published=False` ends the run: there is nothing new to publish.
    """
    con, plan = context.con, scanned.plan
    if scanned.is_idle:
        receipt = _count(context, scanned, Outcomes(unchanged=plan.unchanged))
        if not receipt.published:
            return _end(context, receipt)
    else:
        import_early()
    working_copy.tune_for_size(con, context.paths, plan.seen)
    merge.begin(con, plan.vanished)
    _read_commits(context, scanned.past)
    for frames in gather(_extract(context, scanned.listing, plan), LOADED_FILES):
        merge.load(con, frames, context.run)
    outcomes = merge.finish(con, plan.unchanged, context.run)
    receipt = _count(context, scanned, outcomes)
    if not receipt.published:
        con.execute("rollback")
        return _end(context, receipt)
    ledger.record(con, receipt.as_row())
    mapping.record(con, context.run, context.scope.mapping)
    merge.commit(con, context.run)
    return receipt


def _end(context: RunContext, receipt: Receipt) -> Receipt:
    """End a run that has nothing to publish."""
    receipt = complete(context.con, receipt, context.clock.seconds)
    return context.add_message(context.con, receipt)


def _read_commits(context: RunContext, past: NewCommits) -> None:
    """Take in what commits changed; those before the first run are recorded at once."""
    con, run = context.con, context.run
    read = partial(frames_of, observed_at=run.started_at)
    for part in past.parts:
        with context.clock.stage("history"):
            changes.add_commits(con, part)
            batches = history.cut_batches(part, BATCH_FILES, context.scope.mapping)
            for frames in context.runner.map("history", read, batches):
                changes.stage(con, frames, run.run_id)
            if part.until:
                changes.add_first_run(con, part.until)
                record(con, run.run_id)
                identities.retrace(con)
                changes.create(con)


def _extract(context: RunContext, listing: Listing, plan: Plan) -> "Iterator[Frames]":
    """Read what is new or changed; frames come batch by batch, from wherever the runner reads."""
    scope = context.scope
    batches = plans.cut_batches(scope.source, plan, listing, BATCH_FILES, scope.mapping)
    read = partial(frames_of, observed_at=context.run.started_at)
    return context.clock.time_results("extract", context.runner.map("extract", read, batches))


def _count(context: RunContext, scanned: Scanned, outcomes: Outcomes) -> Receipt:
    """Count what the run met; it publishes for changed files, scope or SQL, or a day that came."""
    con, run = context.con, context.run
    is_same = context.scope == context.before and not (
        context.is_outdated or scanned.past.is_switched
    )
    is_due = ledger.is_article_due(con, run)
    notes = [*context.notes, *filter(None, [scanned.past.note]), *([_DUE] if is_due else [])]
    is_changed = outcomes.any or ledger.has_versions(con, run)
    by_status = con.execute("select status, count(*) from ops.files group by status").fetchall()
    files: dict[str, Any] = {"loaded": 0, "quarantined": 0, "excluded": 0} | dict(by_status)
    files.pop("gone", None)
    scope, past = context.scope, scanned.past
    return Receipt(
        **asdict(outcomes),
        **files,
        seen=sum(files.values()),
        run_id=run.run_id,
        started_at=run.started_at,
        finished_at=max(datetime.now(UTC), run.started_at),
        source=str(scope.source),
        patterns=list(scope.patterns),
        exclude=list(scope.exclude),
        config=str(scope.config) if scope.config else None,
        mapping=scope.mapping.text,
        mapping_hash=scope.mapping_hash,
        time_zone=scope.mapping.time_zone,
        language=scope.mapping.language,
        source_commit=past.commit,
        commits=past.commits,
        past_quarantined=count_by(
            con,
            "select reason_code from ops.past_quarantine where run_id = $run_id",
            run_id=run.run_id,
        ),
        tool_version=__version__,
        sql_hash=context.sql_hash,
        excluded_by=count_by(con, "select reason_code from ops.files where status = 'excluded'"),
        ignored=scanned.listing.ignored,
        warnings=row_count(con, "ops.warnings"),
        published=context.request.full or is_changed or is_due or not is_same,
        warehouse=str(context.paths.warehouse),
        notes=notes,
    )
