"""The finished copy becomes what readers see: generations, the atomic flip, the way back.

`warehouse.duckdb` is a symbolic link to a read-only file in `warehouse.generations/`. A refresh
works on a copy of that file's bytes and moves the link when everything is right, so readers never
wait, never see half a build, and keep the generation they have open.
"""

import os
import shutil
from pathlib import Path

from flows import MatterhouseError
from flows.warehouse.paths import WORKING, WarehousePaths, current, generation_ids
from flows.warehouse.published import WarehouseDamaged, digest
from flows.warehouse.run_log import append_run, now

KEPT_GENERATIONS = 3


class NoSuchGeneration(MatterhouseError):
    """The run is not among the generations that are kept."""


def publish(paths: WarehousePaths, run_id: str) -> str:
    """Make the finished, closed working file the warehouse that readers see; return its sha256."""
    working, generation = paths.working(run_id), paths.generation(run_id)
    if working.with_name(f"{working.name}.wal").exists():
        raise WarehouseDamaged(f"{working} was not written out completely: run the build again")
    sha256 = digest(working)
    with working.open("rb") as file:
        os.fsync(file.fileno())
    # Read-only, for those whom the umask lets read.
    working.chmod(working.stat().st_mode & 0o444)
    working.rename(generation)
    _sync_folder(paths.generations)
    keep_plain_file(paths)
    switch_to(paths, run_id)
    _prune(paths)
    return sha256


def keep_plain_file(paths: WarehousePaths) -> None:
    """Keep a warehouse that is a plain file (copied here, say) as a generation."""
    if paths.warehouse.exists() and not paths.warehouse.is_symlink():
        kept = paths.generations / f"0-before-{now().replace(':', '')}.duckdb"
        shutil.copyfile(paths.warehouse, kept)


def switch_to(paths: WarehousePaths, run_id: str) -> None:
    """Flip the link to a generation; a reader sees the old or the new, never neither."""
    generation = paths.generation(run_id)
    if not generation.exists():
        kept = ", ".join(generation_ids(paths)) or "none"
        raise NoSuchGeneration(f"run {run_id} is not kept; these are: {kept}")
    link = paths.generations / f"{WORKING}link"
    link.unlink(missing_ok=True)
    try:
        link.symlink_to(os.path.relpath(generation, paths.warehouse.parent))
    except OSError:
        # A file system without links: a second copy takes the published name.
        shutil.copyfile(generation, link)
        link.chmod(link.stat().st_mode & 0o444)
    link.replace(paths.warehouse)
    _sync_folder(paths.warehouse.parent)


def roll_back(paths: WarehousePaths, run_id: str) -> None:
    """Publish the file of an earlier run again and note it in the receipts."""
    switch_to(paths, run_id)
    append_run(paths, {"run_id": run_id, "rolled_back_at": now(), "published": True})


def _prune(paths: WarehousePaths) -> None:
    for run_id in generation_ids(paths)[:-KEPT_GENERATIONS]:
        if run_id != current(paths):
            generation = paths.generation(run_id)
            generation.unlink()
            generation.with_name(f"{generation.name}.wal").unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
