"""Columns of DuckDB → columns of PostgreSQL: the type, and how the value is written as CSV."""

import re
from dataclasses import dataclass

# JSON writes NUL as \u0000. What an escaped backslash begins is none, so those stand aside as a
# character that JSON cannot hold.
_JSON_WITHOUT_NUL = r"replace(replace(replace({}, '\\', chr(1)), '\u0000', ''), chr(1), '\\')"
# As PostgreSQL itself spells types.
_INTEGERS = {
    "TINYINT": "smallint",
    "UTINYINT": "smallint",
    "SMALLINT": "smallint",
    "USMALLINT": "integer",
    "INTEGER": "integer",
    "UINTEGER": "bigint",
    "BIGINT": "bigint",
    "UBIGINT": "numeric",
    "HUGEINT": "numeric",
    "UHUGEINT": "numeric",
}
_SAME = {
    "BOOLEAN": "boolean",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIME": "time without time zone",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "UUID": "uuid",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column there: its type, and the expression here that gives its text."""

    kind: str
    expression: str


def convert_column(name: str, kind: str) -> Column:
    """Return how a column of DuckDB's type `kind`, a quoted name, is kept by PostgreSQL.

    Text loses its NUL characters, which PostgreSQL cannot hold. Lists of text become `text[]`,
    other nested values `jsonb`, and a type without a counterpart the text that DuckDB shows.
    """
    if same := (_INTEGERS | _SAME).get(kind):
        return Column(same, name)
    if kind.startswith("DECIMAL"):
        return Column(kind.replace("DECIMAL", "numeric"), name)
    if kind == "JSON":
        return Column("jsonb", _write_json(f"{name}::varchar"))
    if kind == "VARCHAR[]":
        return Column("text[]", _write_array(name))
    if kind.endswith("]") or re.match(r"(STRUCT|MAP|UNION)\b", kind):
        return Column("jsonb", _write_json(f"to_json({name})::varchar"))
    return Column("text", f"replace({name}::varchar, chr(0), '')")


def _write_json(text: str) -> str:
    cleaned = _JSON_WITHOUT_NUL.format(text)
    return f"case when contains({text}, '\\u0000') then {cleaned} else {text} end"


def _write_array(name: str) -> str:
    escaped = r"""replace(replace(replace(item, chr(0), ''), '\', '\\'), '"', '\"')"""
    items = f"""list_transform({name}, lambda item: coalesce('"' || {escaped} || '"', 'NULL'))"""
    return f"'{{' || array_to_string({items}, ',') || '}}'"
