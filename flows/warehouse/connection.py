"""Open DuckDB, set its options and quote what goes into SQL: nothing else in flows/ does."""

import contextlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import duckdb

from flows import interrupt
from flows.warehouse.paths import WarehousePaths
from flows.warehouse.published import NoWarehouse, copy_whole

Connection: TypeAlias = duckdb.DuckDBPyConnection
T = TypeVar("T")
# Nothing of ours needs the network: DuckDB must not go looking for extensions.
OFFLINE: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
# Enough for nearly every corpus, and more for each file of the source.
BASE_MEMORY_BYTES, MEMORY_BYTES_PER_FILE = 250_000_000, 1_000
_MORE_ROOM = threading.Lock()


def connect(file: Path | None = None, *, read_only: bool = False) -> Connection:
    """Open a database file, or one in memory: offline, in UTC, silent, with bounded memory."""
    con = duckdb.connect(str(file or ":memory:"), read_only=read_only, config=OFFLINE)
    interrupt.end_statements_of(con)
    con.execute("set TimeZone = 'UTC'")
    # DuckDB draws its bar on standard output, where a script's results go.
    con.execute("set enable_progress_bar = false")
    limit_memory(con, half_of_memory())
    return con


def open_session(con: Connection) -> Connection:
    """Open another session of the same database, which runs beside the first one."""
    ((database,),) = con.execute("select current_database()").fetchall()
    session = con.cursor()
    interrupt.end_statements_of(session)
    session.execute(f"use {sql_identifier(database)}")
    # The one option that a session does not share.
    session.execute("set TimeZone = 'UTC'")
    return session


@contextlib.contextmanager
def open_readonly(paths: WarehousePaths) -> Iterator[Connection]:
    """Open the published warehouse read-only, beside whoever else has it open."""
    if not paths.warehouse.exists():
        raise NoWarehouse(
            f"there is no warehouse at {paths.warehouse}: make one with `matterhouse build FOLDER`,"
            " or name it with --warehouse"
        )
    published = paths.warehouse.resolve()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            con = connect(published, read_only=True)
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error):
                raise unreadable(paths, error) from error
            # Somebody has the file open for writing, which shuts all others out: read its bytes.
            copy_whole(published, folder / paths.warehouse.name)
            con = connect(folder / paths.warehouse.name, read_only=True)
        except duckdb.Error as error:
            raise unreadable(paths, error) from error
        stack.enter_context(con)
        # DuckDB would spill beside the file, where readers need not be allowed to write.
        con.execute(f"set temp_directory = {sql_literal(folder / 'spilled')}")
        yield con


def unreadable(paths: WarehousePaths, error: Exception) -> NoWarehouse:
    """Return the error of a file that DuckDB does not take for a database."""
    return NoWarehouse(
        f"{paths.warehouse} cannot be opened as a DuckDB database of version {duckdb.__version__}"
        " or older; it was left as it is. Roll back with `matterhouse runs --rollback RUN`, name"
        f" another --warehouse, or move the file away to rebuild ({first_line(error)})"
    )


def first_line(error: Exception) -> str:
    """Return the first line of an error; DuckDB's can fill a page."""
    return str(error).splitlines()[0]


def sql_literal(text: object) -> str:
    """Return text, or a path, between quotes, where no parameter can stand: attach, copy, set."""
    return "'" + str(text).replace("'", "''") + "'"


def sql_identifier(*names: str) -> str:
    """Return the name of a column, or of a schema and its table, whatever signs it is made of."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def sql_table(table: str) -> str:
    """Return the quoted form of a table that is written `schema.table`."""
    return sql_identifier(*table.split(".", 1))


def table_names(con: Connection) -> list[str]:
    """Return the warehouse's tables as `schema.table`, in order of their names."""
    return [
        name
        for (name,) in con.execute(
            """
            select schema_name || '.' || table_name
            from duckdb_tables()
            where database_name = current_database() and not temporary
            order by all
            """
        ).fetchall()
    ]


def fetch_rows(con: Connection, query: str, parameters: object = None) -> list[dict[str, Any]]:
    """Return the rows of a query, each under the names of its columns."""
    found = con.execute(query, parameters)
    names = [name for name, *_ in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def row_count(con: Connection, table: str) -> int:
    """Return the number of rows of a table."""
    return int(con.execute(f"select count(*) from {sql_table(table)}").fetchall()[0][0])


def row_counts(con: Connection, tables: Sequence[str]) -> dict[str, int]:
    """Return the number of rows of each table; planned together, they take a third of the time."""
    counts = [f"select {sql_literal(table)}, count(*) from {sql_table(table)}" for table in tables]
    return dict(con.execute(" union all ".join(counts)).fetchall()) if counts else {}


def fingerprint(con: Connection, rows: str) -> tuple[int, int, int]:
    """Return what is the same for a table, or a query in brackets, that has the same rows."""
    hashed = f"select hash(*columns(*)) as row_hash from {rows}"
    found: list[tuple[int, int, int]] = con.execute(
        f"select count(*), bit_xor(row_hash), sum(row_hash) from ({hashed})"
    ).fetchall()
    return found[0]


def limit_memory(con: Connection, size: int) -> None:
    """Leave room for others: DuckDB would take 80 % of the memory. The rest spills to disk."""
    con.execute(f"set memory_limit = '{size}B'")


def build_memory(files: int = 0) -> int:
    """Return the bytes that a build of so many files may take: little, for the most part."""
    return min(BASE_MEMORY_BYTES + MEMORY_BYTES_PER_FILE * files, half_of_memory())


def with_room(con: Connection, work: Callable[[], T]) -> T:
    """Carry out work outside a transaction; if it cannot spill enough, again with more memory.

    Two million empty periods of some thousand providers, for instance, take a gigabyte. The work
    fetches its rows itself: a result that is still to be fetched can run out of memory, too.
    """
    try:
        return work()
    except duckdb.OutOfMemoryException:
        # Two at once would each put back the limit that the other one had raised.
        with _MORE_ROOM, con.cursor() as options:
            limit = options.execute("select current_setting('memory_limit')").fetchall()[0][0]
            limit_memory(options, half_of_memory())
            try:
                return work()
            finally:
                # While another session fills the memory, the limit cannot be lowered: it stays.
                with contextlib.suppress(duckdb.OutOfMemoryException):
                    options.execute(f"set memory_limit = '{limit}'")


def half_of_memory(root: Path = Path("/")) -> int:
    """Return half of what this process may use: of the machine's memory, or of its container's."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_container_limits(root)]) // 2


def _container_limits(root: Path) -> Iterator[int]:
    """Yield the limits of the control groups that hold this process, from its own to the root's."""
    groups = root / "sys/fs/cgroup"
    with contextlib.suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            # Version 2 has one tree for all controllers, version 1 one for each.
            version_2 = not controllers
            if not (version_2 or "memory" in controllers.split(",")):
                continue
            tree = groups if version_2 else groups / "memory"
            file = "memory.max" if version_2 else "memory.limit_in_bytes"
            own = tree / group.strip("/")
            for folder in (own, *own.parents):
                if folder.is_relative_to(tree):
                    # No limit is "max" or a file that is not there.
                    with contextlib.suppress(OSError, ValueError):
                        yield int((folder / file).read_text())
