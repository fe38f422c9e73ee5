"""What a SQL file says about its table and columns becomes `comment on`."""

import re
from dataclasses import dataclass

from flows.models.files import SqlFile, UnusableSqlFile
from flows.warehouse.connection import Connection, sql_identifier, sql_literal

_DECLARED = re.compile(r'^ +"?(?P<name>\w+)"? .*?  -- (?P<comment>.+)$', re.MULTILINE)
_SELECTED = re.compile(r'^ .*?\b(?P<name>\w+)"?,?  +-- (?P<comment>.+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Comments:
    """What a SQL file says about its table and, in display order, about the columns."""

    table: str
    columns: tuple[tuple[str, str], ...]


def read(file: SqlFile) -> Comments:
    """Read the table's comment from the header and the columns' from the lines that name them."""
    words = [
        line for line in file.paragraphs if not line.startswith(("Key:", "Sums by:", "Reads:"))
    ]
    body = re.split(r"^(?:create table|select)\b", file.sql, flags=re.MULTILINE)[-1]
    # What follows the columns (from, where, …) can have comments of its own.
    listing = re.split(r"^(?:from|\))", body, flags=re.MULTILINE)[0]
    pattern = _DECLARED if re.search(r"^create table", file.sql, re.MULTILINE) else _SELECTED
    columns = tuple((m["name"], m["comment"].strip()) for m in pattern.finditer(listing))
    return Comments("\n".join(words), columns)


def are_written(con: Connection, file: SqlFile) -> bool:
    """Return whether the table has the comments that its file says now."""
    tables = con.execute(
        "select comment from duckdb_tables() where schema_name = $schema and table_name = $table",
        {"schema": file.folder, "table": file.stem},
    ).fetchall()
    columns = con.execute(
        """
        select column_name, comment
        from duckdb_columns()
        where schema_name = $schema and table_name = $table
        order by column_index
        """,
        {"schema": file.folder, "table": file.stem},
    ).fetchall()
    return [Comments(table, tuple(columns)) for (table,) in tables] == [read(file)]


def write(con: Connection, file: SqlFile) -> None:
    """Put the file's comments on its table, after comparing them with the columns it has."""
    comments = read(file)
    described = con.execute(f"select * from {file.name} limit 0").description or []
    actual, named = [column[0] for column in described], [name for name, _ in comments.columns]
    if actual != named:
        silent = [name for name in actual if name not in named] or actual
        raise UnusableSqlFile(
            f"{file.place}: the commented columns are not those of {file.name}; "
            f"look at {', '.join(silent)}. End the line of each column of the last select "
            "with its name and `  -- comment`, in order."
        )
    if unknown := [name for name in file.key if name not in named]:
        raise UnusableSqlFile(
            f"{file.place}: the line `Grain:` ends with the columns that tell rows apart, and"
            f" {', '.join(unknown)} is no column of {file.name}."
        )
    # Committed together: three hundred commits of a comment each took as long as a report.
    con.execute("begin")
    con.execute(f"comment on table {file.name} is {sql_literal(comments.table)}")
    for name, comment in comments.columns:
        con.execute(
            f"comment on column {file.name}.{sql_identifier(name)} is {sql_literal(comment)}"
        )
    con.execute("commit")
