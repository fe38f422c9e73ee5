"""The pipeline: scan → extract → load → model → check → publish, as stages of one run."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar

from flows import MatterhouseError, frontmatter
from flows.load import catch_up, commits, ledger, mapping, merge, replay, upgrade
from flows.load import plan as plans
from flows.load import receipt as receipts
from flows.load import scope as scopes
from flows.load.catch_up import CatchUp
from flows.load.new_keys import keys_without_column
from flows.load.plan import Plan
from flows.load.receipt import Receipt, Stopwatch
from flows.load.scope import Scope
from flows.models import build, checks
from flows.models.checks import FailedCheck
from flows.models.files import fingerprint
from flows.source import history, sources
from flows.source.folder import Listing
from flows.source.patterns import PathFilter
from flows.source.sources import Location
from flows.warehouse import generations, working_copy
from flows.warehouse.connection import build_memory, limit_memory
from flows.warehouse.lock import locked
from flows.warehouse.paths import WarehousePaths, current, locate
from flows.warehouse.run_log import append_run, last_look, read_runs
from flows.workers.frames import frames_of
from flows.workers.runner import DirectRunner, Runner

if TYPE_CHECKING:
    import duckdb

    from flows.normalize.frames import Frames

P = ParamSpec("P")
T = TypeVar("T")
Describe: TypeAlias = "Callable[[duckdb.DuckDBPyConnection, Receipt], Receipt]"
# Large enough to spread the cost of the statements that load a batch, small enough for memory.
BATCH_FILES = 2500
_CLOCK_BEHIND = (
    "the clock says {now:%Y-%m-%d %H:%M:%S} UTC, which is before the start of the last run: this"
    " one counts as started right after it, at {run.started_at:%Y-%m-%d %H:%M:%S}"
)
_UPGRADED = (
    "the warehouse was made by an earlier version: {tables} were carried over, and every file is"
    " read again. What that version did not keep of past states stays empty in them"
)


class ChecksFailed(MatterhouseError):
    """A check of severity error returned rows; the published warehouse stays as it was."""

    exit_code = 4

    def __init__(self, message: str, failed: list[FailedCheck]) -> None:
        super().__init__(message)
        self.failed = failed


@dataclass(frozen=True, slots=True)
class Request:
    """What to read and how; None stands for what the last published run did."""

    source: Location | None
    warehouse: Path
    patterns: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    config: Path | None = None
    replace_source: bool = False
    full: bool = False
    accept_loss: bool = False
    history: bool | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What the stages of a run share: the request, the working copy and the run itself."""

    request: Request
    paths: WarehousePaths
    con: "duckdb.DuckDBPyConnection"
    run: ledger.Run
    before: Scope | None
    scope: Scope
    runner: Runner
    clock: Stopwatch
    sql_hash: str
    is_outdated: bool
    reread: bool
    known_keys: frozenset[str]
    notes: tuple[str, ...]

    def do(
        self, stage: "Callable[Concatenate[Work, P], T]", *args: P.args, **options: P.kwargs
    ) -> T:
        """Let the runner carry out a stage, and time it under its name."""
        with self.clock.stage(stage.__name__):
            return self.runner.call(stage, self, *args, **options)


def run(
    request: Request,
    runner: Runner | None = None,
    report: Callable[[Mapping[str, Any]], None] = lambda receipt: None,
    describe: Describe = lambda con, receipt: receipt,
) -> Receipt:
    """Bring the warehouse up to date with its source, report and return the receipt.

    `describe` adds a message to the receipt, from the tables that the run has made.
    Raises a MatterhouseError and leaves the published warehouse as it was when anything is wrong.
    """
    paths, now = locate(request.warehouse), datetime.now(UTC)
    try:
        _look_before_anything_is_made(request, paths)
        with locked(paths):
            with _logged(request, paths, now):
                receipt = _build(request, paths, now, runner or DirectRunner(), describe)
            receipt = _record(paths, receipt)
    except Exception as error:
        report(_failure(request, paths, now, error))
        raise
    report(receipt.as_json())
    return receipt


def _build(
    request: Request, paths: WarehousePaths, now: datetime, runner: Runner, describe: Describe
) -> Receipt:
    with working_copy.open_working_copy(paths) as con:
        work = _prepare(request, paths, con, now, runner)
        past, listing, plan = work.do(scan)
        outcomes, replayed = work.do(load, past, listing, plan)
        receipt = _count(work, past, listing, outcomes, replayed)
        if not receipt.published:
            con.execute("rollback")
            receipt = receipts.complete(con, receipt, seconds=work.clock.seconds)
            return describe(con, receipt)
        ledger.record(con, receipt.as_row())
        mapping.record(con, work.run, work.scope.mapping)
        merge.commit(con, work.run)
        built = work.do(model)
        failed = work.do(check)
        receipt = receipts.complete(
            con,
            receipt,
            seconds=work.clock.seconds,
            dropped_tables=built.dropped,
            failed_checks=[str(found) for found in failed],
            new_keys=[key for key in keys_without_column(con) if key not in work.known_keys],
        )
        receipt = describe(con, receipt)
        ledger.complete(con, receipt.as_row())
        con.execute("checkpoint")
    return _publish(work, receipt)


def scan(work: Work) -> tuple[CatchUp, Listing, Plan]:
    """List new commits and all files; look twice before a file is missing from the ledger."""
    globs = (work.scope.patterns, work.scope.left_out)
    past = catch_up.plan(
        work.con,
        work.scope.source,
        PathFilter(*globs).accepts,
        work.run,
        wanted=work.request.history,
        say=work.runner.say,
        looked_at=last_look(work.paths),
    )
    compare = partial(
        plans.compare,
        work.con,
        work.scope.source,
        parser_version=frontmatter.PARSER_VERSION,
        reread=work.reread,
    )
    listing = sources.walk(work.scope.source, *globs)
    plan = compare(listing)
    if plan.vanished:
        listing = sources.look_again(work.scope.source, listing, plan.vanished, *globs)
        plan = compare(listing)
    return past, listing, plan


def replay_commits(work: Work, past: CatchUp) -> int:
    """Record in the history what commits changed; return how many changes that were."""
    read = partial(frames_of, observed_at=work.run.started_at)
    changes = 0
    for part in past.parts:
        with work.clock.stage("history"):
            commits.begin(work.con, part)
            batches = history.batches(part, BATCH_FILES, work.scope.mapping)
            for frames in work.runner.map("history", read, batches):
                commits.stage(work.con, frames)
            changes += replay.write(work.con, work.run, part.until)
    return changes


def extract(work: Work, listing: Listing, plan: Plan) -> "Iterator[Frames]":
    """Read what is new or changed; frames come batch by batch, from wherever the runner reads."""
    scope = work.scope
    batches = plans.batches(scope.source, plan, listing, BATCH_FILES, scope.mapping)
    read = partial(frames_of, observed_at=work.run.started_at)
    return work.clock.waiting("extract", work.runner.map("extract", read, batches))


def load(work: Work, past: CatchUp, listing: Listing, plan: Plan) -> tuple[ledger.Outcomes, int]:
    """Merge the frames into the raw tables, the ledger and the history, in one transaction."""
    limit_memory(work.con, build_memory(plan.seen))
    merge.begin(work.con, plan.vanished)
    replayed = replay_commits(work, past)
    plan = replay.reread(work.con, plan, listing.paths)
    for frames in extract(work, listing, plan):
        merge.load(work.con, frames, work.run)
    return merge.finish(work.con, plan.unchanged, work.run), replayed


def model(work: Work) -> build.Built:
    """Rebuild the staging tables and marts whose input changed."""
    if work.reread or work.is_outdated:
        return build.build(work.con)
    return build.build(work.con, merge.changed_tables(work.con, work.run))


def check(work: Work) -> list[FailedCheck]:
    """Hold the tables against the checks; one of severity error ends the run."""
    # The articles of another folder are not a loss.
    is_same_folder = work.before is not None and work.before.is_of_folder(work.scope.source)
    is_loss_meant = work.request.accept_loss or not is_same_folder
    failed = checks.run(work.con, waived=("articles_shrank",) if is_loss_meant else ())
    if errors := [found.name for found in failed if found.severity == "error"]:
        raise ChecksFailed(
            f"{len(errors)} of the checks failed ({', '.join(errors)}); {work.paths.warehouse}"
            f" stays as it was, and what was built is in {work.paths.failed}: look into it with"
            " --warehouse, `matterhouse quarantine` for instance",
            failed,
        )
    return failed


def publish(work: Work, run_id: str) -> None:
    """Let readers see the working copy."""
    generations.publish(work.paths, run_id)


def _prepare(
    request: Request,
    paths: WarehousePaths,
    con: "duckdb.DuckDBPyConnection",
    now: datetime,
    runner: Runner,
) -> Work:
    """Make what is missing in the working copy, and find out what the run is about."""
    sql_hash = fingerprint()
    upgraded = upgrade.upgrade(con, sql_hash)
    build.create_tables(con)
    this_run = ledger.next_run(con, now, {str(r.get("run_id")) for r in read_runs(paths)})
    notes = [_CLOCK_BEHIND.format(now=now, run=this_run)] if this_run.started_at > now else []
    notes += [_UPGRADED.format(tables=", ".join(upgraded))] if upgraded else []
    before = scopes.remembered(con)
    scope = scopes.choose(
        before,
        request.source,
        request.patterns,
        request.exclude,
        named=request.config,
        replace_source=request.replace_source,
    )
    is_remapped = before is not None and before.mapping_hash != scope.mapping_hash
    return Work(
        request,
        paths,
        con,
        this_run,
        before,
        scope,
        runner,
        Stopwatch(),
        sql_hash=sql_hash,
        is_outdated=ledger.is_outdated(con, sql_hash),
        reread=request.full or bool(upgraded) or is_remapped,
        known_keys=frozenset(keys_without_column(con)),
        notes=tuple(notes),
    )


def _count(
    work: Work, past: CatchUp, listing: Listing, outcomes: ledger.Outcomes, replayed: int
) -> Receipt:
    """Count what the run met; it publishes when files, globs, mapping or SQL are other ones."""
    is_same = work.scope == work.before and not (work.is_outdated or past.is_switched)
    return receipts.make(
        work.con,
        work.run,
        outcomes,
        scope=work.scope,
        history=past,
        warehouse=work.paths.warehouse,
        sql_hash=work.sql_hash,
        ignored=listing.ignored,
        published=bool(work.request.full or outcomes.any or replayed) or not is_same,
        notes=[*work.notes, *filter(None, [past.note])],
    )


def _publish(work: Work, receipt: Receipt) -> Receipt:
    sha256 = generations.digest(work.paths.working)
    notes = list(receipt.notes)
    try:
        work.do(publish, receipt.run_id)
    except BaseException as error:
        # What readers see cannot be taken back: from the flip on an error is only worth a note.
        if current(work.paths) != receipt.run_id:
            raise
        notes.append(f"the warehouse is published, although: {_reason(error)}")
    return replace(receipt, seconds=dict(work.clock.seconds), sha256=sha256, notes=notes)


def _record(paths: WarehousePaths, receipt: Receipt) -> Receipt:
    """Write the receipt and remove old generations; whatever fails here, the run is published."""
    notes = list(receipt.notes)
    try:
        append_run(paths, receipt.as_json())
    except OSError as error:
        notes.append(f"the receipt could not be written to {paths.receipts}: {_reason(error)}")
    try:
        if receipt.published:
            generations.prune(paths)
    except OSError as error:
        notes.append(f"an old generation could not be removed: {_reason(error)}")
    return replace(receipt, notes=notes)


def _look_before_anything_is_made(request: Request, paths: WarehousePaths) -> None:
    """Stop at a mistyped path while there is nothing yet that it could leave behind."""
    if not paths.lock.exists():
        working_copy.recognise(paths)
        before = scopes.of_published(paths)
        asked = scopes.choose(
            before, request.source, named=request.config, replace_source=request.replace_source
        )
        sources.require(asked.source)


@contextlib.contextmanager
def _logged(request: Request, paths: WarehousePaths, now: datetime) -> Iterator[None]:
    """Write down a failure, keep what its checks failed on, and clean up."""
    try:
        yield
    except BaseException as error:
        # On a full disk these fail too, and must not hide the error that led here.
        with contextlib.suppress(OSError):
            if isinstance(error, ChecksFailed):
                working_copy.keep_failed(paths)
            append_run(paths, _failure(request, paths, now, error))
        raise
    finally:
        with contextlib.suppress(OSError):
            working_copy.remove_leftovers(paths)


def _failure(
    request: Request, paths: WarehousePaths, now: datetime, error: BaseException
) -> dict[str, Any]:
    failed = error.failed if isinstance(error, ChecksFailed) else ()
    return {
        "run_id": ledger.Run.at(now).run_id,
        "started_at": now.isoformat(),
        "finished_at": datetime.now(UTC).isoformat(),
        "source": str(request.source or ""),
        "warehouse": str(paths.warehouse),
        "published": False,
        "error": _reason(error),
        "failed_checks": [str(found) for found in failed],
        "message": f"The run failed: {_reason(error)}",
        "details": [],
    }


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
