"""Files that are not loaded as articles, and values that are not stored, each with its fix."""

from typing import Any, Literal, NamedTuple, TypeAlias

from flows.warehouse.connection import fetch_rows, open_readonly
from flows.warehouse.paths import WarehousePaths

Kind: TypeAlias = Literal["files", "excluded", "values", "history"]
_COLUMNS = 'path, line, "column", reason_code, reason, hint, changed_at as since'
# An article that the newest run excluded may have been lost by an edit; a later run takes it that
# it was meant.
_LOST_ARTICLES = """
status = 'excluded'
and run_id = (select arg_max(run_id, started_at) from ops.runs)
and path in (
    select article_id
    from raw.article_versions
    where run_id <> (select arg_max(run_id, started_at) from ops.runs)
    group by article_id
    having arg_max(change, observed_at) <> 'removed'
)
"""
_QUERIES: dict[Kind, str] = {
    "files": f"""
        select {_COLUMNS} from ops.files
        where status = 'quarantined' or ({_LOST_ARTICLES})
        order by path
    """,
    "excluded": f"select {_COLUMNS} from ops.files where status = 'excluded' order by path",
    "values": """
        select path, warnings.line, null as "column", warnings.code as reason_code,
            message as reason, warnings.hint, changed_at as since
        from ops.warnings
        inner join ops.files using (path)
        order by path, warnings.line, field
    """,
    "history": """
        select path, line, "column", reason_code, reason, hint, observed_at as since, commit
        from ops.past_quarantine
        order by observed_at, path
    """,
}


class Quarantine(NamedTuple):
    """What is to fix; `is_of_failure` if it is that of a build that failed."""

    rows: list[dict[str, Any]]
    is_of_failure: bool


def read_quarantine(paths: WarehousePaths, kind: Kind = "files") -> Quarantine:
    """Read what is to fix; before the first published run, from the build that failed."""
    is_of_failure = paths.failed.exists() and not paths.warehouse.exists()
    shown = WarehousePaths(paths.failed) if is_of_failure else paths
    with open_readonly(shown) as con:
        return Quarantine(fetch_rows(con, _QUERIES[kind]), is_of_failure)
