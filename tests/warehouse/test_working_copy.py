"""What stops a run before it works on a copy, and how the copy suits the source."""

from pathlib import Path

import duckdb
import pytest

from flows.warehouse.paths import WarehousePaths
from flows.warehouse.published import NoWarehouse, WarehouseDamaged
from flows.warehouse.working_copy import MANY_FILES, open_working_copy, tune_for_size
from tests.conftest import Content, article


@pytest.mark.parametrize(
    "contents",
    [b"", b"not a database at all, but long enough to be one" * 100],
    ids=["empty", "foreign"],
)
def test_a_file_that_is_not_ours_is_never_overwritten(content: Content, contents: bytes) -> None:
    """Whatever else lies at the warehouse's path stays there, byte for byte."""
    content.write("a.md", article())
    content.warehouse.write_bytes(contents)
    with pytest.raises(NoWarehouse, match="cannot be opened as a DuckDB database"):
        content.build()
    assert content.warehouse.read_bytes() == contents


def test_a_database_of_somebody_else_is_never_overwritten(content: Content) -> None:
    """A DuckDB file without our tables is left alone."""
    content.write("a.md", article())
    with duckdb.connect(str(content.warehouse)) as con:
        con.execute("create table theirs as select 1 as n")
    with pytest.raises(NoWarehouse, match="matterhouse did not make"):
        content.build()
    with duckdb.connect(str(content.warehouse), read_only=True) as con:
        assert con.execute("from theirs").fetchall() == [(1,)]


def test_a_warehouse_that_lost_rows_is_noticed(three: Content) -> None:
    """The receipt beside the file witnesses what it must hold."""
    published = three.warehouse.resolve()
    published.chmod(0o644)
    with duckdb.connect(str(published)) as con:
        con.execute("delete from raw.articles where title = 'a'")
    with pytest.raises(WarehouseDamaged, match=r"raw\.articles holds 2 rows"):
        three.build()


def test_tables_of_many_files_are_written_in_larger_groups(tmp_path: Path) -> None:
    """A copy that turns out to be large goes on with all that it holds, and a smaller file."""
    paths = WarehousePaths(tmp_path / "w.duckdb")
    with open_working_copy(paths) as con:
        groups = {}
        for files in (MANY_FILES, MANY_FILES + 1):
            tune_for_size(con, paths, files)
            con.execute(f"create table of_{files} as from range(30_000)")
            found = con.execute(
                f"select count(distinct row_group_id) from pragma_storage_info('of_{files}')"
            )
            ((groups[files],),) = found.fetchall()
        assert groups == {MANY_FILES: 3, MANY_FILES + 1: 1}
        assert con.execute(f"select count(*) from of_{MANY_FILES}").fetchall() == [(30_000,)]
