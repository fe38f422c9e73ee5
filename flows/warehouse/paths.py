"""Where a warehouse keeps what belongs to it."""

from dataclasses import dataclass
from pathlib import Path

WORKING = ".working-"


@dataclass(frozen=True, slots=True)
class WarehousePaths:
    """Where a warehouse keeps its things, all beside the published path."""

    warehouse: Path

    @property
    def generations(self) -> Path:
        """The folder of published files."""
        return self.warehouse.with_name(f"{self.warehouse.stem}.generations")

    @property
    def receipts(self) -> Path:
        """One JSON line per run, the failed ones too."""
        return self.warehouse.with_name(f"{self.warehouse.stem}.runs.jsonl")

    @property
    def failed(self) -> Path:
        """The warehouse that did not pass its checks."""
        return self.warehouse.with_name(f"{self.warehouse.stem}.failed.duckdb")

    @property
    def lock(self) -> Path:
        """The file whose lock a build holds."""
        return self.warehouse.with_name(f"{self.warehouse.name}.lock")

    def working(self, run_id: str) -> Path:
        """Return the path of the copy a build works on."""
        return self.generations / f"{WORKING}{run_id}.duckdb"

    def generation(self, run_id: str) -> Path:
        """Return the path of the file that a run published."""
        return self.generations / f"{run_id}.duckdb"


def generation_ids(paths: WarehousePaths) -> list[str]:
    """Return the run ids whose files are kept, oldest first."""
    return sorted(path.stem for path in paths.generations.glob("[0-9]*.duckdb"))


def current(paths: WarehousePaths) -> str | None:
    """Return the run id that readers see, None where links cannot be made."""
    return paths.warehouse.resolve().stem if paths.warehouse.is_symlink() else None
