"""Bring a model up to date from the keys under which its tables have other rows than before.

The query of a model with a line `Key:` runs as it stands, on tables of the same names that hold
only the rows of these keys; that of one with a line `Sums by:` on the rows that came and went.
"""

from collections.abc import Iterable

from flows.models.changes import Changes, Delta, are_many, attached, transaction
from flows.models.files import Key, SqlFile, UnusableSqlFile
from flows.warehouse.connection import Connection, row_count, sql_identifier, sql_table, with_room


def refresh(con: Connection, file: SqlFile, changes: Changes) -> bool | None:
    """Exchange the rows of the touched keys; return whether there were any.

    Return None where the whole model has to be rebuilt: it has no key, a table without the key
    has changed, or too many rows have.
    """
    with attached(con, f"work_{file.stem}") as work:
        find = _add_up if file.sum_keys else _find_keys
        is_touched = find(con, file, changes, work)
        if not is_touched:
            return is_touched
        if not file.sum_keys:
            make_rows(con, file, changes, work)
        if not changes.record(con, file.name, Delta(f"from {work}.stored", f"from {work}.fresh")):
            return False
        with_room(con, lambda: _exchange(con, file, changes, work))
        return True


def make_rows(con: Connection, file: SqlFile, changes: Changes, work: str) -> None:
    """Make the table `fresh` of the rows that a model has for the keys in the table `keys`."""
    for table in changes.reads[file.name]:
        _restrict(con, file, changes, table, work)
    _run(con, file, changes, work, "fresh")


def _run(con: Connection, file: SqlFile, changes: Changes, work: str, name: str) -> None:
    # Functions are those of the warehouse; tables are looked for in the first database alone.
    con.execute(f"set search_path = '{work}.main,{changes.database}.main'")
    try:
        with_room(con, lambda: con.execute(f"create table {name} as\n{file.sql}"))
    finally:
        con.execute(f"use {sql_identifier(changes.database)}")


def _add_up(con: Connection, file: SqlFile, changes: Changes, work: str) -> bool | None:
    """Add the sums of the rows that came to the stored ones, and take away those that went."""
    if not all(changes.is_known[table] for table in changes.find_stale(file)):
        return None
    for name, sign in (("came", 1), ("went", -1)):
        for table in changes.reads[file.name]:
            columns = ", ".join(map(sql_identifier, changes.shapes[table]))
            con.execute(f"create schema if not exists {work}.{table.split('.')[0]}")
            con.execute(
                f"""
                create or replace table {work}.{sql_table(table)} as
                select {columns}
                from {changes.rows(table)}, unnest(range(cast({sign} * "±" as bigint)))
                """
                if table in changes.is_known
                else f"create or replace table {work}.{sql_table(table)} as"
                f" from {sql_table(table)} limit 0"
            )
        _run(con, file, changes, work, name)
    shape = changes.shapes[file.name]
    key, sums = file.sum_keys, [name for name in shape if name not in file.sum_keys]
    names = ", ".join(map(sql_identifier, key))
    con.execute(
        f"""
        create table {work}.keys as
        select {names} from {work}.came union select {names} from {work}.went;
        create table {work}.stored as
        from {file.name} as rows semi join {work}.keys on {_same(key, "rows", key)}
        """
    )
    totals = ", ".join(
        f'cast(sum(if(is_lost, -"{name}", "{name}")) as {shape[name]}) as "{name}"' for name in sums
    )
    con.execute(
        f"""
        create table {work}.fresh as
        select {names}, {totals}
        from (
            select *, false as is_lost from {work}.stored
            union all select *, false from {work}.came
            union all select *, true from {work}.went
        )
        group by {names}
        having sum(if(is_lost, -"{sums[0]}", "{sums[0]}")) <> 0
        """
    )
    return row_count(con, f"{work}.keys") > 0


def _find_keys(con: Connection, file: SqlFile, changes: Changes, work: str) -> bool | None:
    """Put the touched keys into a table; return None where keys are of no help."""
    stale = changes.find_stale(file)
    if not all(changes.is_known[table] for table in stale):
        return None
    if file.refresh_keys:
        create_keys(con, file, changes, work)
    for table in stale:
        key = _find_key(file, changes, table)
        differing = changes.query_differing(file, table, key)
        if key:
            con.execute(f"insert into {work}.keys {differing}")
        elif con.execute(f"{differing} limit 1").fetchall():
            return None
    if not file.refresh_keys:
        return False
    con.execute(f"create or replace table {work}.keys as select distinct * from {work}.keys")
    con.execute(
        f"""
        create table {work}.stored as
        from {file.name} as rows
        semi join {work}.keys on {_same(file.refresh_keys[0], "rows", file.refresh_keys[0])}
        """
    )
    ((touched, stored),) = con.execute(
        f"select (select count(*) from {work}.keys), (select count(*) from {work}.stored)"
    ).fetchall()
    return None if are_many(max(touched, stored), row_count(con, file.name)) else touched > 0


def create_keys(con: Connection, file: SqlFile, changes: Changes, work: str) -> None:
    """Make the table `keys` of a model, still without rows."""
    shape = changes.shapes[file.name]
    if unknown := [name for name in file.refresh_keys[0] if name not in shape]:
        raise UnusableSqlFile(
            f"{file.place}: its header says `Key: {', '.join(file.refresh_keys[0])}`, but"
            f" {', '.join(unknown)} is no column of {file.name}."
        )
    columns = ", ".join(f"{sql_identifier(name)} {shape[name]}" for name in file.refresh_keys[0])
    con.execute(f"create table {work}.keys ({columns})")


def _find_key(file: SqlFile, changes: Changes, table: str) -> Key:
    """Return the key's names in a table that the model reads, none if the table has no key."""
    shape = changes.shapes[table]
    return next((key for key in file.refresh_keys if shape.keys() >= set(key)), ())


def _restrict(con: Connection, file: SqlFile, changes: Changes, table: str, work: str) -> None:
    """Make a table of the rows of the touched keys, or a view of one that has no key.

    Columns that the model names but does not need are empty: reading all would take longer than
    the model.
    """
    con.execute(f"create schema if not exists {work}.{table.split('.')[0]}")
    rows, key = f"{changes.database}.{sql_table(table)}", _find_key(file, changes, table)
    if not key:
        con.execute(f"create view {work}.{sql_table(table)} as from {rows}")
        return
    needed = {*changes.reads[file.name][table], *key}
    columns = ", ".join(
        f"rows.{sql_identifier(name)}"
        if name in needed
        else f"cast(null as {kind}) as {sql_identifier(name)}"
        for name, kind in changes.shapes[table].items()
    )
    con.execute(
        f"""
        create table {work}.{sql_table(table)} as
        select {columns} from {rows} as rows
        semi join {work}.keys on {_same(key, "rows", file.refresh_keys[0])}
        """
    )


def _exchange(con: Connection, file: SqlFile, changes: Changes, work: str) -> None:
    """Put the fresh rows of the keys that differ into the place of the stored ones."""
    key = file.sum_keys or file.refresh_keys[0]
    names = ", ".join(map(sql_identifier, key))
    con.execute(
        f"""
        create or replace table {work}.keys as
        select distinct {names} from {changes.rows(file.name)}
        """
    )
    with transaction(con):
        con.execute(
            f"delete from {file.name} as rows using {work}.keys where {_same(key, 'rows', key)}"
        )
        con.execute(
            f"""
            insert into {file.name} by name
            select rows.* from {work}.fresh as rows
            semi join {work}.keys on {_same(key, "rows", key)}
            """
        )


def _same(key: Iterable[str], table: str, names: Iterable[str]) -> str:
    """Return the condition that a row has a touched key; null is a key like others."""
    return " and ".join(
        f"{table}.{sql_identifier(name)} is not distinct from keys.{sql_identifier(named)}"
        for name, named in zip(key, names, strict=True)
    )
