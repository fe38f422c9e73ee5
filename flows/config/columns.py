"""Columns that keys feed: columns.yaml says which keys, sql/raw/articles.sql which types.

A column is in both files, or in neither: a key without a column would be lost without a word, and
so would a column without a key.
"""

import re
from collections.abc import Iterable
from functools import cache

from flows import MatterhouseError, sql_folder

TABLE = "raw.articles"
_COLUMN = re.compile(r'^    "?(\w+)"? (\w+(?:\[\])?),', re.MULTILINE)
_FILLABLE = ("varchar", "integer", "boolean", "timestamptz")
# Lists have a table of their own.
_LISTS = {"topics", "images"}
# What is made of the file, of other columns or by the run.
_MADE = {
    *("article_id", "collection", "title_text", "excerpt_text", "file_date", "body_chars"),
    *("secured_chars", "extra", "sources", "content_hash", "first_seen_at", "observed_at"),
}


@cache
def read_types(table: str) -> dict[str, str]:
    """Return the columns of a table, as sql/ declares them, with their types."""
    text = (sql_folder() / f"{table.replace('.', '/')}.sql").read_text("utf-8")
    return dict(_COLUMN.findall(text))


def check(fed: Iterable[str]) -> None:
    """Stop where the two files do not agree on a column."""
    types = read_types(TABLE)
    keys, columns = {*fed} - _LISTS, types.keys() - _MADE
    for column in sorted(keys - columns):
        raise MatterhouseError(
            f"flows/config/columns.yaml has keys for `{column}`, a column that sql/raw/articles.sql"
            f" does not have: add it there, as `{column} varchar,  -- what it is`"
        )
    for column in sorted(columns - keys):
        raise MatterhouseError(
            f"sql/raw/articles.sql has a column `{column}` that flows/config/columns.yaml has no"
            f" keys for: add them there, as `{column}: [{column}]`"
        )
    for column in sorted(keys):
        if types[column] not in _FILLABLE:
            raise MatterhouseError(
                f"sql/raw/articles.sql makes `{column}` a {types[column]}, which no key of"
                f" flows/config/columns.yaml can fill: make it one of {', '.join(_FILLABLE)}"
            )
