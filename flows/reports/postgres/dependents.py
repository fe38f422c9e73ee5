"""What others have put on published tables (grants, indexes, views) and must find there again.

The statements come from PostgreSQL, which has quoted the names in them.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from flows.reports.postgres.copy import SCHEMA
from flows.reports.postgres.session import DatabaseRefuses

# Views on the tables, views on those views, and so on: the ones that read others come last.
_VIEWS = """
    with recursive readers as (
        select ev_class as oid, 1 as depth
        from pg_depend inner join pg_rewrite on pg_rewrite.oid = objid
        where classid = 'pg_rewrite'::regclass and refobjid = any(%(tables)s)
        union
        select ev_class, depth + 1
        from readers
        inner join pg_depend on classid = 'pg_rewrite'::regclass and refobjid = readers.oid
        inner join pg_rewrite on pg_rewrite.oid = objid
        where ev_class <> readers.oid
    )
    select readers.oid, readers.oid::regclass::text
    from readers inner join pg_class on pg_class.oid = readers.oid
    where relkind = 'v'
    group by readers.oid
    order by max(depth), readers.oid
"""
_VIEW = """
    select format(
        'create view %%s %%s as %%s',
        oid::regclass,
        'with (' || array_to_string(reloptions, ',') || ')',
        pg_get_viewdef(oid)
    )
    from pg_class where oid = %(view)s
    union all
    select format('alter view %%s owner to %%s', oid::regclass, relowner::regrole)
    from pg_class where oid = %(view)s and relowner <> current_user::regrole
    union all
    select format('comment on view %%s is %%L', objoid::regclass, description)
    from pg_description
    where objoid = %(view)s and classoid = 'pg_class'::regclass and objsubid = 0
"""
_GRANTS = """
    with granted as (
        select oid, relowner, null as attname, (aclexplode(relacl)).*
        from pg_class where oid = any(%(relations)s)
        union all
        select attrelid, relowner, attname, (aclexplode(attacl)).*
        from pg_attribute inner join pg_class on pg_class.oid = attrelid
        where attrelid = any(%(relations)s)
    )
    select format(
        'grant %%s%%s on %%s to %%s%%s',
        privilege_type,
        ' (' || quote_ident(attname) || ')',
        oid::regclass,
        case when grantee = 0 then 'public' else grantee::regrole::text end,
        case when is_grantable then ' with grant option' end
    )
    from granted
    where grantee <> relowner
"""
_INDEXES = """
    select replace(
        pg_get_indexdef(indexrelid),
        format(' ON %%s USING ', indrelid::regclass),
        format(' ON %%I.%%I USING ', %(schema)s::text, %(staged)s::text)
    )
    from pg_index inner join pg_class on pg_class.oid = indrelid
    where indrelid = %(table)s
"""


@dataclass(frozen=True, slots=True)
class Dependents:
    """Views that have to go before the tables can, and the statements that bring all back."""

    views: tuple[str, ...]
    view_statements: tuple[str, ...]
    grants: tuple[str, ...]


def find(session: psycopg.Connection, tables: Sequence[int]) -> Dependents:
    """Return what stands on tables, given by their oids."""
    views = session.execute(_VIEWS, {"tables": list(tables)}).fetchall()
    statements = [
        statement
        for oid, _ in views
        for (statement,) in session.execute(_VIEW, {"view": oid}).fetchall()
    ]
    relations = [*tables, *(oid for oid, _ in views)]
    grants = session.execute(_GRANTS, {"relations": relations}).fetchall()
    return Dependents(
        tuple(name for _, name in views), tuple(statements), tuple(grant for (grant,) in grants)
    )


def copy_indexes(session: psycopg.Connection, table: int, staged: str) -> None:
    """Give the staged table the indexes of the one that it replaces, before anybody waits."""
    given = {"schema": SCHEMA, "table": table, "staged": staged}
    for (statement,) in session.execute(_INDEXES, given).fetchall():
        _run_unless_column_is_gone(session, statement)


def drop_views(session: psycopg.Connection, found: Dependents) -> None:
    """Drop the views, those first that read others."""
    for view in reversed(found.views):
        session.execute(sql.SQL(f"drop view {view}"))


def restore(session: psycopg.Connection, found: Dependents) -> None:
    """Create the views again and grant what was granted."""
    for statement in found.view_statements:
        try:
            session.execute(sql.SQL(statement))
        except psycopg.errors.UndefinedColumn as error:
            raise DatabaseRefuses(
                "a view on the published tables reads what is no longer there"
                f" ({error.diag.message_primary}): drop it or fix it, and publish again"
            ) from error
    for grant in found.grants:
        _run_unless_column_is_gone(session, grant)


def _run_unless_column_is_gone(session: psycopg.Connection, statement: str) -> None:
    with contextlib.suppress(psycopg.errors.UndefinedColumn), session.transaction():
        session.execute(sql.SQL(statement))
