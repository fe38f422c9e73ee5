"""Listing and ledger → which files are new, touched, unchanged or gone, and batches to read."""

from dataclasses import dataclass

from flows.config import Config, load_default
from flows.source import sources
from flows.source.extract import Batch
from flows.source.folder import Listing, SourceMissing
from flows.source.sources import Location
from flows.warehouse.connection import Connection

# As many at once as are compared quickly; a million at once would take a third of a gigabyte.
_FETCHED_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run has to do: `to_read` and `vanished` are sorted paths."""

    to_read: list[str]
    vanished: list[str]
    known: dict[str, str]
    unchanged: int
    seen: int


def compare(
    con: Connection,
    source: Location,
    listing: Listing,
    *,
    parser_version: int,
    reread: bool = False,
) -> Plan:
    """Compare the listing with the ledger.

    `reread` reads every file again. `Plan.known` gives the hash of each file to read whose bytes
    may turn out to be the ones already loaded.
    """
    if not listing.paths:
        raise _explain_empty(con, source, listing)
    ledger = con.execute(
        """
        select
            path,
            case when status = 'loaded' or parser_version = $parser_version then mark end,
            case when status = 'loaded' or parser_version = $parser_version then content_hash end
        from ops.files
        where status <> 'gone'
        """,
        {"parser_version": parser_version},
    )
    # What is left of these in the end is new.
    listed = dict(zip(listing.paths, listing.marks, strict=True))
    missing: list[str] = []
    differing: dict[str, str | None] = {}
    while rows := ledger.fetchmany(_FETCHED_ROWS):
        for path, mark, loaded_hash in rows:
            if (found := listed.pop(path, None)) is None:
                missing.append(path)
            elif reread or found != mark:
                differing[path] = None if reread else loaded_hash
    # A folder that cannot be listed hides its files: they need not be gone.
    hidden = tuple(p for p, fault in listing.faults.items() if fault.code == "unreadable_folder")
    vanished = sorted(path for path in missing if not path.startswith(hidden))
    to_read = sorted([*listed, *differing])
    seen = len(listing.paths) + len(missing) - len(vanished)
    return Plan(
        to_read=to_read,
        vanished=vanished,
        known={path: loaded_hash for path, loaded_hash in differing.items() if loaded_hash},
        unchanged=seen - len(to_read),
        seen=seen,
    )


def _explain_empty(con: Connection, source: Location, listing: Listing) -> SourceMissing:
    ((known,),) = con.execute("select count(*) from ops.files where status <> 'gone'").fetchall()
    return SourceMissing(
        f"source {source} has no file that matches the patterns"
        f" ({listing.ignored} other files were ignored{_describe_endings(listing)})"
        + (f"; the warehouse holds {known} files from it" if known else "")
        + ": check the folder, --pattern and --exclude"
    )


def _describe_endings(listing: Listing) -> str:
    """Name the most frequent endings among the files that no pattern chose."""
    frequent = sorted(listing.ignored_endings.items(), key=lambda each: (-each[1], each[0]))[:3]
    named = [f"{count} {ending or 'without an ending'}" for ending, count in frequent]
    return f": {', '.join(named)}" if named else ""


def cut_batches(
    source: Location, plan: Plan, listing: Listing, size: int, mapping: Config | None = None
) -> list[Batch]:
    """Cut the files to read into batches of `size` files, in order of path."""
    cuts = range(0, len(plan.to_read), size)
    faults = listing.faults
    # In a folder, the file itself has the same facts.
    marks = (
        {} if sources.is_folder(source) else dict(zip(listing.paths, listing.marks, strict=True))
    )
    return [
        Batch(
            source,
            tuple(paths),
            {path: plan.known[path] for path in paths if path in plan.known},
            {path: faults[path] for path in paths if path in faults},
            marks={path: marks[path] for path in paths if path in marks},
            mapping=mapping or load_default(),
        )
        for paths in (plan.to_read[start : start + size] for start in cuts)
    ]
