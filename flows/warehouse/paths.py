"""Where a warehouse keeps what belongs to it, and which warehouse a path means."""

import re
from dataclasses import dataclass
from pathlib import Path

from flows import UsageError, is_utf8, spell_bytes

WORKING = ".working"
_GENERATIONS = ".generations"
# What other tools of DuckDB take for a database: s3://bucket/x.duckdb, md:x, :memory:. As a path,
# an address has one slash.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/|(md|motherduck|ducklake):|:memory:")
_LINKS = 40  # as many as the kernel follows


@dataclass(frozen=True, slots=True)
class WarehousePaths:
    """Where a warehouse keeps its things, all beside the published path.

    Each name begins with the whole name of the warehouse: `news.2024` and `news.2025` share
    nothing.
    """

    warehouse: Path

    @property
    def generations(self) -> Path:
        """The folder of published files, each in a folder named by its run."""
        return self._beside(_GENERATIONS)

    @property
    def receipts(self) -> Path:
        """One JSON line per run, the failed ones too."""
        return self._beside(".runs.jsonl")

    @property
    def failed(self) -> Path:
        """The warehouse that did not pass its checks."""
        return self._beside(".failed.duckdb")

    @property
    def lock(self) -> Path:
        """The file whose lock a run holds."""
        return self._beside(".lock")

    @property
    def working(self) -> Path:
        """The copy that a build works on, in a folder of its own that becomes a generation."""
        return self.generations / WORKING / self.warehouse.name

    def generation(self, run_id: str) -> Path:
        """Return the path of the file that a run published.

        DuckDB calls a database by the name of its real file, so that is the warehouse's own.
        """
        return self.generations / run_id / self.warehouse.name

    def _beside(self, ending: str) -> Path:
        return self.warehouse.with_name(f"{self.warehouse.name}{ending}")


def locate(named: str | Path) -> WarehousePaths:
    """Return the paths of the warehouse that is meant, behind whatever links of a user lead to it.

    Raises UsageError for an address, a folder, an unknown home, and links in a circle.
    """
    if _ADDRESS.match(str(named)):
        raise UsageError(
            f"{named} is not a path on this machine: name a file, warehouse.duckdb say"
        )
    try:
        path = Path(named).expanduser().absolute()
    except RuntimeError as error:
        raise UsageError(f"{named}: {error}") from error
    for _ in range(_LINKS):
        further = _follow_link(path)
        if further is None:
            break
        path = further
    else:
        raise UsageError(f"{named} leads through links in a circle: name the file itself")
    if not is_utf8(str(path)):
        raise UsageError(
            f"{spell_bytes(str(path))} is not valid UTF-8, and"
            " DuckDB opens no such path: rename that folder, or keep the warehouse elsewhere"
        )
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file in it, {path / 'warehouse.duckdb'} say")
    return WarehousePaths(path)


def find_run_of(target: Path) -> str | None:
    """Return the run whose generation a path is, None if it is none."""
    return target.parent.name if target.parent.parent.name.endswith(_GENERATIONS) else None


def _follow_link(path: Path) -> Path | None:
    """Return where a user's own link leads, None if the path is what a build publishes."""
    if not path.is_symlink():
        return None
    target = path.parent / path.readlink()
    if find_run_of(target) is None:
        return target.parent.resolve() / target.name
    # A link of a user to the generation itself means the warehouse whose generation that is.
    folder = target.parent.parent
    owner = folder.parent.resolve() / folder.name.removesuffix(_GENERATIONS)
    is_other = owner != path.parent.resolve() / path.name
    return owner if is_other and owner.is_symlink() else None


def current(paths: WarehousePaths) -> str | None:
    """Return the run that readers see, None where links cannot be made."""
    if not paths.warehouse.is_symlink():
        return None
    return find_run_of(paths.warehouse.parent / paths.warehouse.readlink())
