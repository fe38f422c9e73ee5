"""Which folder a run reads, and which of its files: as asked, or as the last published run did."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows import MatterhouseError
from flows.source import sources
from flows.source.patterns import DEFAULT_PATTERNS
from flows.source.sources import Location
from flows.warehouse.connection import open_readonly
from flows.warehouse.paths import WarehousePaths

if TYPE_CHECKING:
    import duckdb


class NoSource(MatterhouseError):
    """No folder is named, and no published run has read one."""

    exit_code = 2


class OtherSource(MatterhouseError):
    """The warehouse holds the articles of another folder."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Scope:
    """The folder that is read, as an absolute path, and the globs that choose its files."""

    source: Location
    patterns: tuple[str, ...] = DEFAULT_PATTERNS
    exclude: tuple[str, ...] = ()

    def is_of_folder(self, folder: Location) -> bool:
        """Return whether a path leads to the folder, through links too, or is its address."""
        known = self.source
        if isinstance(known, str) or isinstance(folder, str):
            return folder == known
        # Earlier versions kept paths as they were typed: those say nothing about another folder.
        return folder == known or not known.is_absolute() or folder.resolve() == known.resolve()


def choose(
    remembered: Scope | None,
    source: Location | None = None,
    patterns: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    *,
    replace_source: bool = False,
) -> Scope:
    """Complete what is asked by what the last published run read; refuse another folder.

    Globs belong to their folder: with another one, those of the last run are forgotten.
    """
    asked = source or (remembered.source if remembered else None)
    if asked is None:
        raise NoSource("which folder? Say `matterhouse build FOLDER`; later builds remember it")
    folder = sources.absolute(asked)
    known = remembered or Scope(folder)
    if not known.is_of_folder(folder):
        sources.require(asked)  # A slip of the name is no wish for another folder.
        if not replace_source:
            raise OtherSource(
                f"the warehouse was built from {known.source}, not from {folder}: name another"
                " --warehouse for it, or say --replace-source if its articles are to take the place"
                " of all that are there"
            )
        known = Scope(folder)
    return Scope(
        folder,
        known.patterns if patterns is None else tuple(patterns),
        known.exclude if exclude is None else tuple(exclude),
    )


def of_published(paths: WarehousePaths) -> Scope | None:
    """Return what the last published run read; None without a warehouse."""
    if not paths.warehouse.exists():
        return None
    with open_readonly(paths) as con:
        return remembered(con)


def remembered(con: "duckdb.DuckDBPyConnection") -> Scope | None:
    """Return what the last published run read; None if there is none."""
    found = con.execute("from ops.runs where started_at = (select max(started_at) from ops.runs)")
    names = [name for name, *_ in found.description or ()]
    if not (rows := found.fetchall()):
        return None
    run = dict(zip(names, rows[0], strict=True))
    # Runs of earlier versions kept no globs.
    patterns, exclude = run.get("patterns"), run.get("exclude")
    source = sources.parse(run["source"])
    return Scope(source, tuple(patterns or DEFAULT_PATTERNS), tuple(exclude or ()))
