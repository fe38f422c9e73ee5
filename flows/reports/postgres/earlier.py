"""What stands in the database: the tables of an earlier publish, and what keeps us from them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from flows.reports.output import NotOursToReplace
from flows.reports.postgres.copy import Table

_PUBLISHED = """
    create table if not exists matterhouse.published (
        relation oid primary key,
        schema_name text,
        table_name text,
        columns text[],
        run_id text,
        first_run_id text,
        source text
    )
"""
_EARLIER = """
    select schema_name || '.' || table_name, relation, columns, run_id, first_run_id, source
    from matterhouse.published
    inner join pg_class on pg_class.oid = relation and relname = table_name
    inner join pg_namespace on pg_namespace.oid = relnamespace and nspname = schema_name
"""
_OTHERS = """
    select nspname || '.' || relname
    from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
    where nspname || '.' || relname = any(%s)
    order by 1
"""
# What would break, or be broken by, rows that go and come again.
_OBSTACLES = """
    select format(
        '%%s refers to %%s with the foreign key %%I: drop the key',
        conrelid::regclass, confrelid::regclass, conname
    )
    from pg_constraint where contype = 'f' and confrelid = any(%(tables)s)
    union all
    select format('%%s has the rule %%I: make it a trigger', ev_class::regclass, rulename)
    from pg_rewrite where ev_class = any(%(tables)s)
    union all
    select format(
        '%%1$s is in the publication %%2$I: alter table %%1$s replica identity full',
        pg_class.oid::regclass, pubname
    )
    from pg_publication_tables
    inner join pg_publication using (pubname)
    inner join pg_namespace on nspname = schemaname
    inner join pg_class on relname = tablename and relnamespace = pg_namespace.oid
    where pg_class.oid = any(%(tables)s) and pubdelete and relreplident in ('d', 'n') and not (
        relreplident = 'd'
        and exists (select from pg_index where indrelid = pg_class.oid and indisprimary)
    )
    order by 1
"""


@dataclass(frozen=True, slots=True)
class Run:
    """The run that is published, and what tells its warehouse from others."""

    run_id: str
    first_run_id: str
    source: str

    def is_of_warehouse(self, other: "Run") -> bool:
        """Tell whether another run is of this warehouse, or of one built anew from its source."""
        return self.first_run_id == other.first_run_id or self.source == other.source


@dataclass(frozen=True, slots=True)
class Earlier:
    """A table that an earlier publish made and that nobody has renamed."""

    relation: int
    columns: tuple[str, ...]
    run: Run


def read_earlier(session: psycopg.Connection) -> dict[str, Earlier]:
    """Return the tables of the earlier publish by name."""
    create_schemas(session, ["matterhouse"])
    session.execute(_PUBLISHED)
    return {
        name: Earlier(relation, tuple(columns), Run(*run))
        for name, relation, columns, *run in session.execute(_EARLIER).fetchall()
    }


def create_schemas(session: psycopg.Connection, names: Iterable[str]) -> None:
    """Create what is missing; `if not exists` asks for the right to, even when nothing is."""
    there = session.execute("select nspname from pg_namespace").fetchall()
    for name in names:
        if (name,) not in there:
            session.execute(sql.SQL("create schema {}").format(sql.Identifier(name)))


def refuse_other_warehouse(earlier: Mapping[str, Earlier], run: Run) -> None:
    """Stop before the tables of one warehouse take the place of another's."""
    for found in earlier.values():
        if not run.is_of_warehouse(found.run):
            raise NotOursToReplace(
                f"the database holds the warehouse of {found.run.source}, and this one is of"
                f" {run.source}: publish into another database, or once with `matterhouse publish"
                " --replace`"
            )


def refuse_others(session: psycopg.Connection, names: Iterable[str]) -> None:
    """Stop at tables of these names that no publish has made."""
    if found := session.execute(_OTHERS, [sorted(names)]).fetchall():
        raise NotOursToReplace(
            f"{', '.join(name for (name,) in found)}: already there, and not published by"
            " matterhouse. Rename or drop it, or publish into another database"
        )


def refuse_obstacles(session: psycopg.Connection, earlier: Mapping[str, Earlier]) -> None:
    """Stop at what others have put on the tables and would lose, or would corrupt them."""
    tables = [found.relation for found in earlier.values()]
    if obstacles := session.execute(_OBSTACLES, {"tables": tables}).fetchall():
        raise NotOursToReplace(
            f"{'; '.join(line for (line,) in obstacles)}. Then publish again: each publish writes"
            " the rows anew"
        )


def note(session: psycopg.Connection, tables: Iterable[Table], run: Run) -> None:
    """Note which tables are ours now."""
    session.execute("delete from matterhouse.published")
    for table in tables:
        session.execute(
            "insert into matterhouse.published values (%s::regclass, %s, %s, %s, %s, %s, %s)",
            [
                table.identifier.as_string(session),
                table.schema,
                table.name,
                list(table.kinds),
                run.run_id,
                run.first_run_id,
                run.source,
            ],
        )
