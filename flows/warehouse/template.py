"""An empty warehouse as bytes: making its tables and comments takes a fifth of a small build.

It lies with the byte code of the package, or in the user's cache folder. The file begins with a
digest of the rest; one that is damaged, or that somebody else could have written, is not used.
"""

import contextlib
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb

from flows import __version__
from flows.replace import replace_file
from flows.warehouse.connection import Connection, sql_literal
from flows.warehouse.paths import WORKING, WarehousePaths
from flows.warehouse.working_copy import STORAGE_VERSION

_DIGEST_BYTES = 32
# Those of other versions, and of SQL files that somebody is working on.
_KEPT_TEMPLATES = 8
_PREFIX = "empty-warehouse-"


def find(sql_hash: str) -> bytes | None:
    """Return the empty warehouse that these SQL files make in this version of DuckDB."""
    for folder in _places():
        with contextlib.suppress(OSError):
            content = _read_own(folder / _name(sql_hash))
            if hashlib.sha256(content[_DIGEST_BYTES:]).digest() == content[:_DIGEST_BYTES]:
                return content[_DIGEST_BYTES:]
    return None


def keep(con: Connection, sql_hash: str, paths: WarehousePaths) -> None:
    """Keep the tables of a working copy with comments and macros, but no rows; or let it be."""
    # The end of a run removes what lies here under such a name.
    scratch = paths.generations / f"{WORKING}.template"
    with contextlib.suppress(OSError, duckdb.Error):
        con.execute(
            f"attach {sql_literal(scratch)} as template"
            f" (recovery_mode no_wal_writes, storage_version '{STORAGE_VERSION}')"
        )
        try:
            con.execute("copy from database warehouse to template (schema)")
        finally:
            con.execute("detach template")
        content = scratch.read_bytes()
        for folder in _places():
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
                _write_own(folder / _name(sql_hash), hashlib.sha256(content).digest() + content)
                _remove_old(folder)
                return


def _places() -> Iterator[Path]:
    if not sys.dont_write_bytecode:
        yield Path(__file__).parents[1] / "__pycache__"
    with contextlib.suppress(RuntimeError):  # An account without a home.
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matterhouse"


def _name(sql_hash: str) -> str:
    return f"{_PREFIX}{__version__}-{duckdb.__version__}-{sql_hash}"


def _read_own(file: Path) -> bytes:
    """Return the bytes of a plain file that nobody but this user and root can write."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as opened:
        status = os.fstat(opened.fileno())
        is_open_to_others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        return b"" if is_open_to_others or not _is_own(status) else opened.read()


def _is_own(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_uid in (0, os.geteuid())


def _write_own(file: Path, content: bytes) -> None:
    if os.path.lexists(file) and not _is_own(file.lstat()):
        raise FileExistsError(file)
    with replace_file(file) as partial:
        partial.chmod(0o644)
        partial.write_bytes(content)


def _remove_old(folder: Path) -> None:
    own = [file for file in folder.glob(f"{_PREFIX}*") if _is_own(file.lstat())]
    for file in sorted(own, key=lambda file: file.lstat().st_mtime)[:-_KEPT_TEMPLATES]:
        file.unlink()
