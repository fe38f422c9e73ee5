"""Values reach PostgreSQL as what they are."""

from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import psycopg
import pytest

from flows.reports.postgres.publication import publish
from flows.reports.postgres.session import DatabaseRefuses
from flows.warehouse.connection import sql_identifier

# A DuckDB expression, its type there, and the value that psycopg hands out.
VALUES: list[tuple[str, str, Any]] = [
    ("''", "text", ""),
    ("null::varchar", "text", None),
    ("'plain'", "text", "plain"),
    (r"'\.'", "text", r"\."),
    (r"'\N'", "text", r"\N"),
    ("'NULL'", "text", "NULL"),
    ("'\"quoted\", it''s'", "text", "\"quoted\", it's"),
    (r"'a' || chr(10) || '\.' || chr(13) || chr(10) || 'b'", "text", "a\n\\.\r\nb"),
    ("'Ω 漢字 🙂'", "text", "Ω 漢字 🙂"),
    ("'n' || chr(0) || 'ul'", "text", "nul"),
    ("true", "boolean", True),
    ("(-128)::tinyint", "smallint", -128),
    ("2147483647::integer", "integer", 2147483647),
    ("9223372036854775807::bigint", "bigint", 9223372036854775807),
    ("170141183460469231731687303715884105727::hugeint", "numeric", 2**127 - 1),
    ("0.1::double", "double precision", 0.1),
    ("'inf'::double", "double precision", float("inf")),
    ("1.50::decimal(9, 2)", "numeric(9,2)", Decimal("1.50")),
    ("date '0203-04-05'", "date", date(203, 4, 5)),
    ("[]::varchar[]", "text[]", []),
    ("['a', '', null, 'NULL', 'x\"y', 'b\\c', '{,}', chr(0)]", "text[]",
     ["a", "", None, "NULL", 'x"y', "b\\c", "{,}", ""]),
    ("null::varchar[]", "text[]", None),
    ("{'a': 1, 'b': ['x' || chr(0)]}", "jsonb", {"a": 1, "b": ["x"]}),
    ("map {'k': 0.5}", "jsonb", {"k": 0.5}),
    ("map {80: 3::bigint}", "jsonb", {"80": 3}),
    ("[1, 2]", "jsonb", [1, 2]),
    (r"""'{"a": "\u0000\\u0000\\\u0000b"}'::json""", "jsonb", {"a": "\\u0000\\b"}),
    ("interval 1 day", "text", "1 day"),
]  # fmt: skip


def publish_table(database: str, select: str, name: str = "t") -> None:
    """Publish a warehouse whose only mart is the rows of a query."""
    with duckdb.connect() as con:
        con.execute(
            "create schema ops; create table ops.runs as"
            " select 'r1' as run_id, now() as started_at, 'content' as source"
        )
        con.execute(f"create schema marts; create table marts.{sql_identifier(name)} as {select}")
        publish(con, database)


def test_each_type_and_odd_value(database: str) -> None:
    """Types map, and no text is mistaken for a null or another text."""
    columns = [f"{expression} as c{number}" for number, (expression, *_) in enumerate(VALUES)]
    publish_table(database, f"select {', '.join(columns)}")
    with psycopg.connect(database) as session:
        kinds = session.execute(
            """
            select format_type(atttypid, atttypmod) from pg_attribute
            where attrelid = 'marts.t'::regclass and attnum > 0
            order by attnum
            """
        ).fetchall()
        (row,) = session.execute("select * from marts.t").fetchall()
    expressions = [expression for expression, *_ in VALUES]
    found = zip(expressions, (kind for (kind,) in kinds), row, strict=True)
    assert list(found) == VALUES


def test_a_column_alone_ends_no_copy(database: str) -> None:
    """In a table of one column, a line of nothing but \\. is a value, and nulls stay nulls."""
    texts = ["a", "\\.", None, "", "b"]
    publish_table(database, "select unnest(['a', '\\.', null, '', 'b']) as value")
    with psycopg.connect(database) as session:
        assert session.execute("select array_agg(value) from marts.t").fetchone() == (texts,)


def test_dates_and_times_are_the_same_moments(database: str) -> None:
    """What DuckDB hands out as a date or a moment, PostgreSQL does as well."""
    select = "select date '1999-12-31' as d, timestamptz '2025-03-04 05:06:07.000008+00' as t"
    publish_table(database, select)
    with duckdb.connect() as con, psycopg.connect(database) as session:
        expected = con.execute(select).fetchall()
        assert session.execute("select * from marts.t").fetchall() == expected


@pytest.mark.parametrize("setting", ["environment", "role", "database", "address"])
def test_text_is_sent_as_utf8(database: str, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    """Whoever prefers another encoding, the text arrives as it is."""
    name = database.rpartition("/")[2]
    with psycopg.connect(database, autocommit=True) as session:
        if setting == "environment":
            monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
        elif setting == "address":
            database += "?client_encoding=LATIN1"
        else:
            whose = f"role owner in database {name}" if setting == "role" else f"database {name}"
            session.execute(f"alter {whose} set client_encoding = 'LATIN1'".encode())
        publish_table(database, "select 'Café — ₤5' as title")
        assert session.execute("select title from marts.t").fetchone() == ("Café — ₤5",)


def test_a_database_that_cannot_hold_a_text_is_named(server: str) -> None:
    """In a database of LATIN1, a text beyond it is refused with its table, not stored as other."""
    with psycopg.connect(server, autocommit=True) as session:
        session.execute("create database latin template template0 encoding 'LATIN1' locale 'C'")
    with pytest.raises(DatabaseRefuses, match=r"marts\.t: .*no equivalent in encoding \"LATIN1"):
        publish_table(server.removesuffix("postgres") + "latin", "select '₤5' as title")


@pytest.mark.parametrize(
    ("select", "name", "said"),
    [
        ("select map {'k': 'nan'::double} as m", "t", "marts.t: invalid input syntax for type"),
        ("select 1 as a", "m" * 64, "the name m+ is longer than the 63 bytes"),
        ("select 1 as " + "ü" * 32, "t", "marts.t: the name ü+ is longer than the 63 bytes"),
    ],
)
def test_what_postgresql_cannot_hold_is_named(
    database: str, select: str, name: str, said: str
) -> None:
    """The table is named, at the first publish as at every other."""
    with pytest.raises(DatabaseRefuses, match=said):
        publish_table(database, select, name)
