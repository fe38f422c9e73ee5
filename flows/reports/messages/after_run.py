"""The end of a run → the page, the database that a team shares, and whoever asked to hear of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import explain
from flows.reports import postgres
from flows.reports.messages import notify
from flows.warehouse.paths import WarehousePaths

if TYPE_CHECKING:
    from flows.reports.postgres.publication import Publication


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of it: the receipt, with `failure` for its error if something went wrong here."""

    receipt: Mapping[str, Any]
    publication: "Publication | None" = None
    failure: Exception | None = None


def finish(
    receipt: Mapping[str, Any],
    paths: WarehousePaths,
    page: Path | None,
    complain: Callable[[str], None],
    share: "Callable[[WarehousePaths], Publication | None]" = postgres.publish_as_asked,
) -> Finished:
    """Write the page, share the tables, and report the run and what failed here.

    After a failed run the page, which says so, is still that of the published warehouse.
    """
    has_failed = bool(receipt.get("error"))
    publication, failure, written = None, None, None
    try:
        if page and not (has_failed and not paths.warehouse.exists()):
            # Its templates take longer to import than a run without changes takes.
            from flows.reports.page.render import write_page

            write_page(paths, page)
            written = page
            receipt = {**receipt, "page": str(page.absolute())}
    except Exception as error:
        failure = error
    try:
        publication = None if has_failed else share(paths)
    except Exception as error:
        failure = error
    if has_failed:
        failure = None  # One error is enough, and the first has led to the other.
    elif failure:
        did = "is published" if receipt.get("published") else "is up to date"
        message = f"The warehouse {did}, but {explain(failure)}"
        receipt = {**receipt, "error": explain(failure), "message": message}
    notify.tell(receipt, complain, written)
    return Finished(receipt, publication, failure)
