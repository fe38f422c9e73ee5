"""Stage 3: the raw tables become staging tables and marts."""

import os
from dataclasses import dataclass

from flows.load import merge
from flows.models import build
from flows.models.build import Built
from flows.pipeline.context import RunContext
from flows.pipeline.receipt import Receipt
from flows.warehouse.connection import row_count

# Rows that come and go leave gaps: now and then all tables are written anew.
WHOLE_EVERY = 100


@dataclass(frozen=True, slots=True)
class Modelled:
    """The receipt so far, and the models that were made; `written` has the other tables, too.

    None stands for all of them.
    """

    receipt: Receipt
    built: Built
    written: frozenset[str] | None = None


def model(context: RunContext, receipt: Receipt) -> Modelled:
    """Rebuild the staging tables and marts whose input changed, of few changed rows by key."""
    is_due = row_count(context.con, "ops.runs") % WHOLE_EVERY == 0
    if context.reread or context.is_outdated or is_due:
        return Modelled(receipt, build.build(context.con, is_shaped=context.is_shaped))
    changes = merge.list_changes(context.con, context.run)
    built = build.build(context.con, changes)
    if os.environ.get("MATTERHOUSE_VERIFY"):
        build.verify(context.con)
    return Modelled(receipt, built, frozenset((*changes, *built.tables)))
