"""How much memory DuckDB may take: little, since what does not fit spills to disk."""

import os
from collections.abc import Callable
from typing import TypeVar

import duckdb

T = TypeVar("T")
# Enough for nearly every corpus, and more for each file of the source.
BYTES, BYTES_PER_FILE = 250_000_000, 1_000


def bound(con: "duckdb.DuckDBPyConnection", files: int = 0) -> None:
    """Leave room for others: DuckDB would take 80 % of the memory."""
    con.execute(f"set memory_limit = '{min(BYTES + BYTES_PER_FILE * files, _half())}B'")


def with_room(con: "duckdb.DuckDBPyConnection", work: Callable[[], T]) -> T:
    """Carry out a statement outside a transaction; if it cannot spill enough, again with room.

    Two million empty periods of some thousand providers, for instance, take a gigabyte.
    """
    try:
        return work()
    except duckdb.OutOfMemoryException:
        limit = con.execute("select current_setting('memory_limit')").fetchall()[0][0]
        con.execute(f"set memory_limit = '{_half()}B'")
        try:
            return work()
        finally:
            con.execute(f"set memory_limit = '{limit}'")


def _half() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
