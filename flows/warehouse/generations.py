"""The finished copy becomes what readers see: generations, the atomic flip, the way back.

`news.duckdb` is a symbolic link to `news.duckdb.generations/RUN/news.duckdb`, a read-only file. A
build works on a copy of that file's bytes and moves the link when everything is right, so readers
never wait, never see half a build, and keep the generation they have open.
"""

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from flows import MatterhouseError
from flows.replace import sync
from flows.warehouse.lock import hold_lock
from flows.warehouse.paths import WORKING, WarehousePaths, current
from flows.warehouse.run_log import append_run, now, read_runs, require_writable, trace_line

KEPT_GENERATIONS = 3


class WarehouseDamaged(MatterhouseError):
    """A file does not hold what its receipt says."""


def generation_ids(paths: WarehousePaths) -> list[str]:
    """Return the runs whose files are kept, in the order in which they were published."""
    published = [r["run_id"] for r in read_runs(paths) if r.get("published")]
    name = paths.warehouse.name
    kept = {run.name for run in paths.generations.glob("[0-9]*") if (run / name).exists()}
    place = {run_id: n for n, run_id in reversed(list(enumerate(published)))}
    return sorted(kept, key=lambda run_id: (place.get(run_id, -1), run_id))


def publish(paths: WarehousePaths, run_id: str) -> None:
    """Make the finished, closed working file the warehouse that readers see."""
    working = paths.working
    if working.with_name(f"{working.name}.wal").exists():
        raise WarehouseDamaged(f"{working} was not written out completely: run the build again")
    sync(working)
    # Read-only, for those whom the umask lets read.
    working.chmod(working.stat().st_mode & 0o444)
    sync(working.parent)
    working.parent.rename(paths.generations / run_id)
    sync(paths.generations)
    keep_plain_file(paths)
    switch_to(paths, run_id)


def hash_file(file: Path) -> str:
    """Return the sha256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def differs_from_receipt(paths: WarehousePaths, run_id: str | None) -> bool:
    """Return whether a run's file is known not to be the one that it published."""
    digests = {r["run_id"]: r["sha256"] for r in read_runs(paths) if r.get("sha256")}
    return run_id in digests and hash_file(paths.generation(str(run_id))) != digests[run_id]


def keep_plain_file(paths: WarehousePaths) -> None:
    """Keep a warehouse that is a plain file (copied here, say) as a generation."""
    if paths.warehouse.exists() and not paths.warehouse.is_symlink():
        kept = paths.generation(f"0-before-{now().replace(':', '')}")
        kept.parent.mkdir(exist_ok=True)
        shutil.copyfile(paths.warehouse, kept)


def switch_to(paths: WarehousePaths, run_id: str) -> None:
    """Flip the link to a generation; a reader sees the old or the new, never neither."""
    generation = paths.generation(run_id)
    link = paths.generations / f"{WORKING}.link"
    link.unlink(missing_ok=True)
    try:
        link.symlink_to(os.path.relpath(generation, paths.warehouse.parent))
    except OSError:
        # A file system without links: a second copy takes the published name.
        shutil.copyfile(generation, link)
        link.chmod(link.stat().st_mode & 0o444)
    link.replace(paths.warehouse)
    sync(paths.warehouse.parent)


def roll_back(paths: WarehousePaths, name: str) -> str:
    """Publish the file of an earlier run again, note it in the receipts, and return the run.

    The run is named by its id or the beginning of it. Later builds start from it.
    """
    run_id = _find(paths, name)
    with hold_lock(paths):
        require_writable(paths)
        if differs_from_receipt(paths, run_id):
            raise WarehouseDamaged(
                f"{paths.generation(run_id)} is not the file that run {run_id} published, so it"
                f" stays unpublished: go back to another run, {_list_kept(paths)}"
            )
        paths.generations.mkdir(exist_ok=True)
        switch_to(paths, run_id)
        receipt = {"run_id": run_id, "rolled_back_at": now(), "published": True}
        append_run(paths, receipt | {"warehouse": str(paths.warehouse)})
    return run_id


def _find(paths: WarehousePaths, name: str) -> str:
    if not generation_ids(paths):
        raise MatterhouseError(f"no run of {paths.warehouse} is kept that it could go back to")
    found = [run_id for run_id in generation_ids(paths) if name and run_id.startswith(name)]
    if name in found:
        return name
    if len(found) != 1:
        why = "is the beginning of several runs" if found else "is not kept"
        raise MatterhouseError(f"run {name} {why}; these are: {_list_kept(paths)}")
    return found[0]


def _list_kept(paths: WarehousePaths) -> str:
    return ", ".join(generation_ids(paths)) or "none"


def prune(paths: WarehousePaths) -> None:
    """Remove old generations; those on the line that leads to the present are kept first.

    After a rollback the rejected runs are newer than the ones that their successor went on from.
    """
    newest_first = generation_ids(paths)[::-1]
    line = [run_id for run_id in trace_line(paths, current(paths)) if run_id in newest_first]
    others = [run_id for run_id in newest_first if run_id not in line]
    for run_id in (line + others)[KEPT_GENERATIONS:]:
        _remove(paths.generation(run_id))


def _remove(generation: Path) -> None:
    generation.unlink()
    generation.with_name(f"{generation.name}.wal").unlink(missing_ok=True)
    # Whatever else somebody keeps in the folder is not ours.
    with contextlib.suppress(OSError):
        generation.parent.rmdir()
