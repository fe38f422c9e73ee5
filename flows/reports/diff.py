"""Two runs, commits or dates → what entered, left and changed score, and which marts moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flows import MatterhouseError
from flows.reports import moments
from flows.warehouse.connection import Connection, fetch_rows, sql_literal, sql_table, table_names
from flows.warehouse.paths import WarehousePaths

_CHANGES = """
with
    before as (
        select distinct on (origin_id) *
        from raw.article_versions
        where observed_at <= $earlier
        order by origin_id, observed_at desc, change = 'renamed' desc
    ),

    after as (
        select distinct on (origin_id) *
        from raw.article_versions
        where observed_at <= $later
        order by origin_id, observed_at desc, change = 'renamed' desc
    ),

    compared as (
        select
            after.article_id,
            after.title_text as title,
            coalesce(before.change <> 'removed', false) as was_there,
            after.change <> 'removed' as is_there,
            after.article_id <> before.article_id as is_moved,
            before.quality as quality_before,
            after.quality as quality_after,
            before.heat as heat_before,
            after.heat as heat_after,
        from after
        left join before using (origin_id)
        where after.observed_at is distinct from before.observed_at
    )

select
    case
        when is_there and not was_there then 'entered'
        when was_there and not is_there then 'left'
        when is_moved then 'renamed'
        when (quality_before, heat_before) is distinct from (quality_after, heat_after)
            then 'changed score'
        else 'changed'
    end as what,
    article_id,
    title,
    case when was_there then quality_before end as quality_before,
    case when is_there then quality_after end as quality_after,
    case when was_there then heat_before end as heat_before,
    case when is_there then heat_after end as heat_after,
from compared
where was_there or is_there
order by what, article_id
"""
_IS_OBSERVED = "select true from raw.article_versions where observed_at <= $later limit 1"


@dataclass(frozen=True, slots=True)
class Diff:
    """Articles that differ, and per mart the rows that only one of the runs has.

    A mart's rows are None when the file of one of the runs is no longer kept, or when its SQL
    gave it other columns in between. Before all observations no article could differ.
    """

    earlier: str
    later: str
    articles: list[dict[str, Any]]
    marts: dict[str, tuple[int, int] | None]
    is_before_all: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "earlier": self.earlier,
            "later": self.later,
            "articles": self.articles,
            "marts": self.marts,
        }


def diff(con: Connection, paths: WarehousePaths, names: Sequence[str] = ()) -> Diff:
    """Compare two moments, each a run, a commit or a date; without names the last two runs."""
    chosen = [moments.find(con, name) for name in names] or moments.list_runs(con)[-2:]
    if not names and len(chosen) < 2:
        raise MatterhouseError(
            "there is only one run to compare: build again after a change, or name two commits or"
            " dates"
        )
    if len(chosen) != 2:
        raise MatterhouseError(
            f"two runs, commits or dates are compared, not {len(chosen)}: `matterhouse runs` lists"
            " the runs"
        )
    earlier, later = sorted(chosen, key=lambda moment: moment.at)
    articles = fetch_rows(con, _CHANGES, {"earlier": earlier.at, "later": later.at})
    moved = _compare_marts(con, paths, earlier.run_id, later.run_id)
    observed = con.execute(_IS_OBSERVED, {"later": later.at}).fetchall()
    return Diff(earlier.name, later.name, articles, moved, not observed)


def _compare_marts(
    con: Connection, paths: WarehousePaths, earlier: str | None, later: str | None
) -> dict[str, tuple[int, int] | None]:
    """Count, per mart, the rows that were replaced and the rows that came: only runs keep marts."""
    if earlier is None or later is None:
        return {}
    marts = [name for name in table_names(con) if name.startswith("marts.")]
    files = {"then": paths.generation(earlier), "now": paths.generation(later)}
    if not all(file.exists() for file in files.values()):
        return dict.fromkeys(marts)
    for name, file in files.items():
        con.execute(f"attach {sql_literal(file)} as run_{name} (read_only)")
    return {mart: _count_moved(con, mart) for mart in marts}


def _count_moved(con: Connection, mart: str) -> tuple[int, int] | None:
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
    return _count_only_in(con, mart, "then", "now"), _count_only_in(con, mart, "now", "then")


def _count_only_in(con: Connection, mart: str, one: str, other: str) -> int:
    table = sql_table(mart)
    query = f"select count(*) from (from run_{one}.{table} except all from run_{other}.{table})"
    return int(con.execute(query).fetchall()[0][0])
