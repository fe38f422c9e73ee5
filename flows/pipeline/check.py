"""Stage 4: the tables are held against the checks before anybody sees them."""

from dataclasses import replace

from flows import MatterhouseError
from flows.models import checks
from flows.models.checks import FailedCheck
from flows.pipeline.context import RunContext
from flows.pipeline.model import Modelled
from flows.pipeline.receipt import Receipt


class ChecksFailed(MatterhouseError):
    """A check of severity error returned rows: nothing is published."""

    exit_code = 4

    def __init__(self, message: str, failed: list[FailedCheck]) -> None:
        super().__init__(message)
        self.failed = failed


def check(context: RunContext, modelled: Modelled) -> Receipt:
    """Note what the checks find; anything of severity error ends the run."""
    # The articles of another folder are not a loss.
    before = context.before
    is_same_folder = before is not None and before.is_of_folder(context.scope.source)
    is_loss_meant = context.request.accept_loss or not is_same_folder
    failed = checks.run(
        context.con,
        written=modelled.written,
        secret=context.scope.mapping.reading.secret_keys,
        waived=("articles_shrank",) if is_loss_meant else (),
    )
    if errors := [each.name for each in failed if each.severity == "error"]:
        raise ChecksFailed(
            f"{len(errors)} of the checks failed ({', '.join(errors)}): nothing was"
            f" published, and what was built is in {context.paths.failed}; look into it with"
            " --warehouse, `matterhouse quarantine` for instance",
            failed,
        )
    return replace(
        modelled.receipt,
        dropped_tables=modelled.built.dropped,
        failed_checks=[str(each) for each in failed],
    )
