"""The folder of an earlier export → what in it is ours, and new files in their place."""

import contextlib
import ctypes
import json
import os
import shutil
from collections.abc import Iterable, Set
from pathlib import Path

from flows.replace import replace_file, sync
from flows.reports.output import NotOursToReplace

MANIFEST = "manifest.json"
MADE_BY = "matterhouse"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def check_folder(folder: Path, target: Path, names: Set[str]) -> set[str]:
    """Return the files of an earlier export in `target`; refuse to replace anybody else's."""
    if not target.exists():
        return set()
    if not target.is_dir():
        raise NotOursToReplace(f"{folder} is a file: name a folder")
    present = {path.name for path in target.iterdir()}
    named = (target / name for name in present & _read_named(target))
    ours = {file.name for file in named if file.is_file() and not file.is_symlink()}
    if present and not ours:
        raise NotOursToReplace(
            f"{folder} is not empty and has no {MANIFEST} of an export in it: name another folder"
        )
    if taken := present & (names - ours):
        raise NotOursToReplace(
            f"{folder / min(taken)} is not of the export that {MANIFEST} describes: move it away,"
            " or name another folder"
        )
    return ours


def _read_named(target: Path) -> set[str]:
    """Return the files that an export's own manifest names, itself included."""
    try:
        manifest = json.loads((target / MANIFEST).read_bytes())
        if manifest.get("made_by") == MADE_BY:
            return set(manifest["files"])
    except (OSError, ValueError, AttributeError, LookupError, TypeError):
        pass  # Somebody else's, whatever it is.
    return set()


def can_be_exchanged(target: Path, ours: Set[str]) -> bool:
    """Tell whether another folder can take the place of this one, which holds nothing else."""
    return not target.exists() or (
        {path.name for path in target.iterdir()} <= ours
        and not os.path.ismount(target)
        and not Path.cwd().is_relative_to(target)
        and os.access(target.parent, os.W_OK)
    )


def exchange(new: Path, target: Path, ours: Set[str]) -> bool:
    """Put a folder in the place of another at once; False where the system cannot."""
    sync(new)
    if not target.exists():
        new.rename(target)
    else:
        shutil.copymode(target, new)
        rename = getattr(ctypes.CDLL(None), "renameat2", None)
        paths = _AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(target)
        if rename is None or rename(*paths, _RENAME_EXCHANGE):
            return False
        remove(new, ours)
        if new.exists():
            for late in new.iterdir():  # Somebody laid it there while we wrote.
                late.rename(target / late.name)
    sync(target.parent)
    return True


def replace_one_by_one(new: Path, target: Path, ours: Set[str]) -> None:
    """Put each file in the place of the one of its name, the manifest last."""
    names = {path.name for path in new.iterdir()}
    for name in sorted(names, key=lambda name: (name == MANIFEST, name)):
        with replace_file(target / name) as file:
            shutil.copyfile(new / name, file)
    for name in ours - names:
        (target / name).unlink()


def remove(folder: Path, names: Iterable[str]) -> None:
    """Remove these files, and the folder if there is nothing else in it."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()
