"""Checks that are made of the tables themselves: of their keys, and of their columns of text."""

import json
import re
from collections.abc import Collection, Sequence

from flows.frontmatter import SECRET_KEYS
from flows.models.build import execute
from flows.models.files import SqlFile
from flows.warehouse.connection import Connection, sql_identifier, sql_literal, sql_table

_ROWS_UNIQUE = (
    "A table has two rows where its grain allows one: everything joined to it counts twice."
)
_SECURED_KEPT_OUT = (
    "A secret key (`secured`, `password`, one of `secret:`) reached a table: what is below it must"
    " never be stored."
)
_COLUMNS = """
select
    schema_name || '.' || table_name as name,
    list((column_name, data_type) order by column_index) filter (
        -- The keys of `sources` are names of columns.
        data_type in ('VARCHAR', 'JSON') and column_name <> 'sources'
    ) as texts,
    list(column_name) filter (lower(column_name) in (select unnest($secret))) as secrets,
from duckdb_columns()
where database_name = current_database() and schema_name in ('raw', 'staging', 'marts')
group by name
order by name
"""


def make_rows_unique(con: Connection, keyed: Sequence[SqlFile]) -> SqlFile | None:
    """Make the check of those tables in which hashes of the headers' keys meet."""
    keys = {file.name: ", ".join(map(sql_identifier, file.key)) for file in keyed}
    hashes = [
        f"select '{table}', count(*) - count(distinct hash({key})) from {table}"
        for table, key in keys.items()
    ]
    doubled = [
        f"select '{table}' as table_name, concat_ws(' · ', {keys[table]}) as key, count(*) as rows"
        f" from {table} group by {keys[table]} having count(*) > 1"
        for table in _find(con, "rows_unique", hashes)
    ]
    return _combine("rows_unique", _ROWS_UNIQUE, doubled)


def make_secured_kept_out(
    con: Connection, written: Collection[str] | None, secret: Collection[str]
) -> SqlFile | None:
    """Make the check of those tables in whose texts there may be a secret key.

    It looks at texts of JSON alone: an article can be about a "password": in quotes.
    """
    keys = "|".join(re.escape(json.dumps(key, ensure_ascii=False)[1:-1]) for key in sorted(secret))
    pattern = sql_literal(rf'(?i)"\s*({keys})\s*"\s*:')
    tables = con.execute(_COLUMNS, {"secret": [*SECRET_KEYS]}).fetchall()
    texts = {
        table: [(column, _spell_json_test(column, kind, pattern)) for column, kind in columns]
        for table, columns, _ in tables
        if columns and (written is None or table in written)
    }
    counts = [
        f"select {sql_literal(table)}, count(*) from {sql_table(table)}"
        f" where {' or '.join(test for _, test in columns)}"
        for table, columns in texts.items()
    ]
    stored = [
        f"select {sql_literal(table)} as table_name, {sql_literal(column)} as column_name,"
        f" {sql_identifier(texts[table][0][0])} as key from {sql_table(table)}"
        f" where {test} and json_valid({sql_identifier(column)})"
        for table in _find(con, "secured_kept_out", counts)
        for column, test in texts[table]
    ]
    stored += [
        f"select {sql_literal(table)} as table_name, {sql_literal(column)} as column_name,"
        " 'the whole column' as key"
        for table, _, columns in tables
        for column in columns or ()
    ]
    return _combine("secured_kept_out", _SECURED_KEPT_OUT, stored)


def _spell_json_test(column: str, kind: str, pattern: str) -> str:
    """Return what finds the pattern in a text that may be JSON: nearly none is, and it is cheap."""
    text = sql_identifier(column)
    begins = f"left({text}, 1) in ('{{', '[') and " if kind == "VARCHAR" else ""
    return f"({begins}regexp_matches({text}, {pattern}))"


def _find(con: Connection, name: str, counts: Sequence[str]) -> list[str]:
    """Return the tables of which a select counts anything."""
    if not counts:
        return []
    query = SqlFile("checks", name, " union all ".join(counts))
    return [table for table, rows in execute(con, query, query.sql, len(counts)) if rows]


def _combine(name: str, message: str, selects: Sequence[str]) -> SqlFile | None:
    sql = f"-- {message}\n-- severity: error\n{' union all '.join(selects)} order by all"
    return SqlFile("checks", name, sql) if selects else None
