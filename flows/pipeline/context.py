"""What was asked of a run, and what its stages share."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from flows.history import identities
from flows.load import ledger, upgrade
from flows.load.new_keys import find_keys_without_column
from flows.models import build
from flows.pipeline import scope as scopes
from flows.pipeline.receipt import Receipt
from flows.pipeline.scope import Scope
from flows.pipeline.stopwatch import Stopwatch
from flows.source.sources import Location
from flows.warehouse.connection import Connection, table_names
from flows.warehouse.paths import WarehousePaths
from flows.warehouse.run_log import read_runs
from flows.workers.runner import Runner

AddMessage: TypeAlias = Callable[[Connection, Receipt], Receipt]
_CLOCK_BEHIND = (
    "the clock says {now:%Y-%m-%d %H:%M:%S} UTC, which is before the start of the last run: this"
    " one counts as started right after it, at {run.started_at:%Y-%m-%d %H:%M:%S}"
)
_UPGRADED = (
    "the warehouse was made by an earlier version: {tables} were carried over, and every file is"
    " read again. What that version did not keep of past states stays empty in them"
)
_MENDED = (
    "an earlier version of matterhouse took new articles for others that had left their path: each"
    " has its own history now"
)


@dataclass(frozen=True, slots=True)
class Request:
    """What to read and how; None means as in the last published run."""

    source: Location | None
    warehouse: Path
    patterns: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    config: Path | None = None
    forget_config: bool = False
    replace_source: bool = False
    full: bool = False
    accept_loss: bool = False
    history: bool | None = None


@dataclass(frozen=True, slots=True)
class RunContext:
    """What the stages of a run share: the request, the working copy and the run itself.

    `before` is what the last published run read; `add_message` says in the receipt what the tables
    show; `is_shaped` means that a template has given a new warehouse all tables, without rows.
    """

    request: Request
    paths: WarehousePaths
    con: Connection
    run: ledger.Run
    before: Scope | None
    scope: Scope
    runner: Runner
    add_message: AddMessage
    clock: Stopwatch
    sql_hash: str
    is_shaped: bool
    is_outdated: bool
    reread: bool
    known_keys: frozenset[str]
    notes: tuple[str, ...]


def prepare(
    request: Request,
    paths: WarehousePaths,
    con: Connection,
    now: datetime,
    runner: Runner,
    add_message: AddMessage,
    sql_hash: str,
) -> RunContext:
    """Make what is missing in the working copy, and find out what the run is about."""
    is_new = not paths.warehouse.exists()
    is_shaped = is_new and "ops.runs" in table_names(con)
    before = None if is_new else scopes.read_last(con)
    upgraded = [] if is_new else upgrade.upgrade(con, sql_hash, anew=request.full)
    if not is_shaped:
        build.create_tables(con)
    this_run = ledger.begin_run(con, now, {r["run_id"] for r in read_runs(paths)})
    notes = [_CLOCK_BEHIND.format(now=now, run=this_run)] if this_run.started_at > now else []
    notes += [_UPGRADED.format(tables=", ".join(upgraded))] if upgraded else []
    is_outdated = ledger.is_outdated(con, sql_hash)
    notes += [_MENDED] if is_outdated and not is_new and identities.mend(con) else []
    scope = scopes.choose(
        before,
        request.source,
        request.patterns,
        request.exclude,
        named=request.config,
        forget_config=request.forget_config,
        replace_source=request.replace_source,
    )
    is_remapped = before is not None and before.mapping_hash != scope.mapping_hash
    return RunContext(
        request,
        paths,
        con,
        this_run,
        before,
        scope,
        runner,
        add_message,
        Stopwatch(),
        sql_hash=sql_hash,
        is_shaped=is_shaped,
        is_outdated=is_outdated,
        reread=request.full or bool(upgraded) or is_remapped,
        known_keys=frozenset(find_keys_without_column(con, scope.mapping)),
        notes=tuple(notes),
    )
