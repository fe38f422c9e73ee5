"""The temporary tables of a load, between the frames and the tables of the warehouse.

incoming_SCHEMA_TABLE   rows that frames brought and that are not merged yet
batch                   one row per file among them: what it is now, what it was, its outcome
touched                 one row per file of the run so far, and per known file that the scan missed:
                        outcome, renamed_from, and is_read if its rows come or go
replaced_SCHEMA_TABLE   rows that the run has taken out of a table, whatever came for them
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from flows import MatterhouseError
from flows.warehouse.connection import Connection, sql_identifier

if TYPE_CHECKING:
    from flows.normalize.frames import Frames

# Tables that hold what the files say now, with the column that names the file.
STATE_TABLES = {
    "raw.articles": "article_id",
    "raw.article_topics": "article_id",
    "raw.article_images": "article_id",
    "raw.provider_images": "article_id",
    "raw.related_articles": "article_id",
    "raw.terms": "path",
    "ops.warnings": "path",
}
# All tables whose rows go and come with their files.
FILE_TABLES = STATE_TABLES | {"ops.files": "path"}
# Columns that no frame brings, because the run or the ledger knows them, with their expressions.
RUN_COLUMNS = {
    "raw.articles": {
        "collection": "batch.collection",
        "file_date": "batch.file_date",
        "first_seen_at": "batch.first_seen_at",
        "observed_at": "$started_at",
    },
    "ops.files": {
        "first_seen_at": "batch.first_seen_at",
        "changed_at": "if(outcome = 'unchanged', known_changed_at, $started_at)",
        "gone_at": "null",
        "run_id": "$run_id",
    },
}
# The known files that the scan missed.
VANISHED = "from touched where outcome = 'gone'"
# Table → column → type.
Types = dict[str, dict[str, str]]


def create(con: Connection, vanished: Sequence[str]) -> None:
    """Make the tables for what comes in, and note the known files that the scan missed."""
    types = read_column_types(con)
    for table in FILE_TABLES:
        columns = ", ".join(
            f"{sql_identifier(name)} {'varchar' if _is_list(kind) else kind}"
            for name, kind in types[table].items()
            if name not in RUN_COLUMNS.get(table, ())
        )
        con.execute(f"create or replace temp table {incoming(table)} ({columns})")
        con.execute(f"create or replace temp table {replaced(table)} as from {table} limit 0")
    con.execute(
        """
        create or replace temp table touched
            (path varchar, is_read boolean, outcome varchar, renamed_from varchar)
        """
    )
    con.execute(
        """
        insert into touched
        select path, true, 'gone', null
        from ops.files
        where path in (select unnest($paths::varchar[])) and status <> 'gone'
        """,
        {"paths": list(vanished)},
    )
    _keep(con, VANISHED)


def clear(con: Connection) -> None:
    """Empty the tables once their rows are merged."""
    for table in FILE_TABLES:
        con.execute(
            f"create or replace temp table {incoming(table)} as from {incoming(table)} limit 0"
        )


def touch(con: Connection) -> None:
    """Keep the rows of the batch's files before they change."""
    con.execute("insert into touched select path, is_read, outcome, renamed_from from batch")
    _keep(con, "from batch")


def _keep(con: Connection, files: str) -> None:
    for table, key in FILE_TABLES.items():
        is_read = "" if table == "ops.files" else "where is_read"
        con.execute(
            f"""
            insert into {replaced(table)} from {table}
            where {key} in (select path from ({files}) {is_read})
            """
        )


def stage(con: Connection, frames: "Frames") -> None:
    """Put the frames of a batch, one per table, beside what has come in before."""
    require_columns(read_column_types(con), frames)
    for table, frame in frames.items():
        if not frame.empty:
            # DuckDB finds `frame` here, in its caller. Registered, it would stay in memory until
            # the transaction ends: the catalogue keeps the dropped view, and the view the frame.
            con.execute(f"insert into {incoming(table)} by name select * from frame")


def require_columns(types: Types, frames: "Frames") -> None:
    """Stop at a frame whose columns are not those of its table.

    `insert by name` refuses columns too many but fills missing ones with null, silently.
    """
    for table, frame in frames.items():
        expected = types[table].keys() - RUN_COLUMNS.get(table, {}).keys()
        if (actual := set(map(str, frame.columns))) != expected:
            missing, extra = sorted(expected - actual), sorted(actual - expected)
            raise MatterhouseError(f"{table}: the frame lacks {missing} and has {extra} too much")


def incoming(table: str) -> str:
    """Return the name of the table that holds what came in for `table`."""
    return f"incoming_{table.replace('.', '_')}"


def replaced(table: str) -> str:
    """Return the name of the table that holds what the run took out of `table`."""
    return f"replaced_{table.replace('.', '_')}"


def read_column_types(con: Connection) -> Types:
    """Return the columns of the raw and ops tables with their types, in one query."""
    types: Types = defaultdict(dict)
    rows = con.execute(
        """
        select schema_name || '.' || table_name, column_name, data_type
        from duckdb_columns()
        where database_name = current_database() and schema_name in ('raw', 'ops')
        order by schema_name, table_name, column_index
        """
    ).fetchall()
    for table, name, kind in rows:
        types[table][name] = kind
    return types


def select_list(table: str, types: Mapping[str, str], source: str = "incoming") -> str:
    """Return the select list that fills a table from `source` and from what the run knows."""
    of_run = RUN_COLUMNS.get(table, {})
    return ", ".join(
        f"{of_run.get(name) or _from_frame(source, name, kind)} as {sql_identifier(name)}"
        for name, kind in types.items()
    )


def _from_frame(source: str, name: str, kind: str) -> str:
    column = f"{source}.{sql_identifier(name)}"
    # Lists travel as JSON text.
    return f"cast(cast({column} as json) as {kind})" if _is_list(kind) else column


def _is_list(kind: str) -> bool:
    return kind.endswith("[]")
