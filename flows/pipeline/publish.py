"""Stage 5: the finished copy becomes what readers see."""

from dataclasses import replace

from flows import explain
from flows.load import ledger
from flows.load.idle_settings import find_idle_settings
from flows.load.new_keys import find_keys_without_column
from flows.pipeline import receipt as receipts
from flows.pipeline.context import RunContext
from flows.pipeline.receipt import Receipt
from flows.warehouse import generations, template
from flows.warehouse.paths import current


def publish(context: RunContext, receipt: Receipt) -> Receipt:
    """Record the complete receipt, close the copy, and let readers see it."""
    con, paths = context.con, context.paths
    without_column = find_keys_without_column(con, context.scope.mapping)
    new_keys = [key for key in without_column if key not in context.known_keys]
    idle = find_idle_settings(con, context.run, context.scope.mapping)
    receipt = replace(receipt, new_keys=new_keys, notes=[*receipt.notes, *idle])
    receipt = receipts.complete(con, receipt, context.clock.seconds)
    receipt = context.add_message(con, receipt)
    ledger.record(con, receipt.as_row())
    if context.before is None and not context.is_shaped:
        template.keep(con, context.sql_hash, paths)
    con.execute("checkpoint")
    con.close()
    receipt = replace(receipt, sha256=generations.hash_file(paths.working))
    try:
        generations.publish(paths, receipt.run_id)
    except BaseException as error:
        # What readers see cannot be taken back: from the flip on an error is only worth a note.
        if current(paths) != receipt.run_id:
            raise
        note = f"the warehouse is published, although: {explain(error)}"
        receipt = replace(receipt, notes=[*receipt.notes, note])
    return receipt
