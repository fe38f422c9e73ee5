"""A file takes the place of another at once, and is on disk when it does."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replace_file(target: Path) -> Iterator[Path]:
    """Yield an empty file to write, which takes the place of `target` if the block ends well."""
    # Not the whole name: it may be as long as names can be.
    unique = f".{target.name[:40]}.partial-{secrets.token_hex(8)}"
    partial = target.with_name(unique)
    # A link that somebody has put there is not followed.
    partial.touch(exist_ok=False)
    try:
        yield partial
        sync(partial)
        if target.exists():
            shutil.copymode(target, partial)
        try:
            partial.replace(target)
        except OSError:
            shutil.copyfile(partial, target)  # A mounted file cannot be renamed over.
            sync(target)
        # Not every folder that can be written to can be opened.
        with contextlib.suppress(OSError):
            sync(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
