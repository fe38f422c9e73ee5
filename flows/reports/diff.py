"""Two runs → what entered, left and changed score between them, and which marts moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows import MatterhouseError
from flows.warehouse.connection import sql_literal, sql_table, table_names
from flows.warehouse.paths import WarehousePaths

if TYPE_CHECKING:
    import duckdb

_CHANGES = """
with
    versions as (
        select versions.*, runs.started_at
        from raw.article_versions as versions
        inner join ops.runs as runs using (run_id)
    ),

    before as (
        select distinct on (article_id) *
        from versions
        where started_at <= (select started_at from ops.runs where run_id = $earlier)
        order by article_id, observed_at desc
    ),

    after as (
        select distinct on (article_id) *
        from versions
        where started_at <= (select started_at from ops.runs where run_id = $later)
        order by article_id, observed_at desc
    ),

    compared as (
        select
            article_id,
            coalesce(after.title_text, before.title_text) as title,
            after.renamed_from,
            before.change is not null and before.change <> 'removed' as was_there,
            after.change <> 'removed' as is_there,
            before.quality as quality_before,
            after.quality as quality_after,
            before.heat as heat_before,
            after.heat as heat_after,
            after.observed_at is distinct from before.observed_at as is_touched,
        from after
        left join before using (article_id)
    ),

    judged as (
        select
            case
                when is_there and not was_there and renamed_from is not null then 'renamed'
                when is_there and not was_there then 'entered'
                when was_there and not is_there and article_id in (
                    select renamed_from from compared where is_there and not was_there
                ) then null
                when was_there and not is_there then 'left'
                when is_there and was_there and (quality_before, heat_before)
                    is distinct from (quality_after, heat_after) then 'changed score'
                when is_there and was_there and is_touched then 'changed'
            end as what,
            article_id,
            title,
            case when was_there then quality_before end as quality_before,
            case when is_there then quality_after end as quality_after,
            case when was_there then heat_before end as heat_before,
            case when is_there then heat_after end as heat_after,
        from compared
    )

select *
from judged
where what is not null
order by what, article_id
"""


class NoSuchRun(MatterhouseError):
    """The run is not in this warehouse."""


@dataclass(frozen=True, slots=True)
class Diff:
    """Articles that differ, and per mart the rows that only one of the runs has.

    A mart's rows are None when the file of one of the runs is no longer kept, or when its SQL
    gave it other columns in between.
    """

    earlier: str
    later: str
    columns: tuple[str, ...]
    articles: list[tuple[Any, ...]]
    marts: dict[str, tuple[int, int] | None]


def diff(
    con: "duckdb.DuckDBPyConnection", paths: WarehousePaths, names: Sequence[str] = ()
) -> Diff:
    """Compare two runs, each named by its id or the beginning of it; without names the last two."""
    listed = con.execute("select run_id from ops.runs order by started_at").fetchall()
    runs = [run for (run,) in listed]
    chosen = [_run_id(runs, name) for name in names] or runs[-2:]
    if len(chosen) != 2:
        raise NoSuchRun(f"two runs are compared, not {len(chosen)}: `matterhouse runs` lists them")
    earlier, later = sorted(chosen, key=runs.index)
    found = con.execute(_CHANGES, {"earlier": earlier, "later": later})
    columns = tuple(name for name, *_ in found.description or ())
    articles = found.fetchall()
    return Diff(earlier, later, columns, articles, _moved(con, paths, earlier, later))


def _run_id(runs: Sequence[str], name: str) -> str:
    matching = [run for run in runs if run.startswith(name)]
    if len(matching) != 1:
        why = "several runs begin so" if matching else "no such run is in the warehouse"
        raise NoSuchRun(f"{name}: {why}; the latest are {', '.join(runs[-3:])}")
    return matching[0]


def _moved(
    con: "duckdb.DuckDBPyConnection", paths: WarehousePaths, earlier: str, later: str
) -> dict[str, tuple[int, int] | None]:
    """Count, per mart, the rows that were replaced and the rows that came."""
    marts = [name for name in table_names(con) if name.startswith("marts.")]
    files = {"then": paths.generation(earlier), "now": paths.generation(later)}
    if not all(file.exists() for file in files.values()):
        return dict.fromkeys(marts)
    for name, file in files.items():
        con.execute(f"attach {sql_literal(file)} as run_{name} (read_only)")
    return {mart: _rows_moved(con, mart) for mart in marts}


def _rows_moved(con: "duckdb.DuckDBPyConnection", mart: str) -> tuple[int, int] | None:
    shapes = con.execute(
        """
        select database_name, list((column_name, data_type) order by column_index)
        from duckdb_columns()
        where database_name in ('run_then', 'run_now') and schema_name || '.' || table_name = $mart
        group by database_name
        """,
        {"mart": mart},
    ).fetchall()
    if len(shapes) < 2 or shapes[0][1] != shapes[1][1]:
        return None
    return _only_in(con, mart, "then", "now"), _only_in(con, mart, "now", "then")


def _only_in(con: "duckdb.DuckDBPyConnection", mart: str, one: str, other: str) -> int:
    table = sql_table(mart)
    query = f"select count(*) from (from run_{one}.{table} except all from run_{other}.{table})"
    return int(con.execute(query).fetchall()[0][0])
