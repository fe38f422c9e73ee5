"""What is missing in the front matter, and what to fix."""

from typing import Any

from flows.reports.console.views import spell_place
from flows.reports.page import svg
from flows.reports.page.figure import Figure, Section, fetch, fetch_first, mention, say_rest
from flows.reports.page.grid import Cell, Draw, as_name, as_number, as_text, draw_grid, name_cell
from flows.reports.page.runs import RUNS
from flows.warehouse.connection import Connection
from flows.words import spell

_COLLECTIONS, _FILES, _KINDS, _KEYS = 12, 20, 8, 20
_FIELDS = ("title", "excerpt", "date", "quality", "provider", "topics", "images")
_SHARES = "\n".join(
    f"    sum(missing_{field}) / nullif(sum(articles), 0) as missing_{field}," for field in _FIELDS
)
COVERAGE = f"""\
select
    collection,
    cast(sum(articles) as bigint) as articles,
    cast(sum(quarantined_files) as bigint) as quarantined_files,
{_SHARES}
from marts.coverage
where time_grain = 'year'
group by collection
order by articles desc, collection"""
QUARANTINE = """\
select path, line, "column", reason, hint, changed_at as since
from ops.files
where status = 'quarantined'
order by changed_at desc, path"""
WARNINGS = """\
select
    regexp_replace(field, '\\[\\d+\\]', '[]', 'g') as field,
    code,
    count(*) as "values",
    count(distinct path) as files,
    arg_min(path || coalesce(':' || line, ''), path) as example,
    arg_min(hint, path) as hint,
from ops.warnings
group by all
order by "values" desc, field, code"""


def draw_section(con: Connection) -> Section:
    """Show what is missing by collection, the files to fix, and keys nobody reads."""
    figures = []
    if collections := fetch(con, COVERAGE):
        figures.append(_draw_coverage(collections))
    figures.append(_draw_quarantine(*fetch_first(con, QUARANTINE, _FILES)))
    if warnings := fetch(con, WARNINGS):
        figures.append(_draw_warnings(warnings))
    if keys := _draw_new_keys(fetch(con, RUNS)):
        figures.append(keys)
    return Section("health", "Health of the front matter", figures)


def _draw_coverage(rows: list[dict[str, Any]]) -> Figure:
    shown = rows[:_COLLECTIONS]
    total = sum(row["articles"] for row in rows)
    missing = {
        field: sum((row[f"missing_{field}"] or 0) * row["articles"] for row in rows)
        for field in _FIELDS
    }
    # A field that no article has is one that this collection does without.
    used = [field for field in _FIELDS if missing[field] < total]
    worst = max(used, key=lambda field: missing[field], default="")
    title = (
        f"{svg.share(missing[worst] / total)} of the articles are without {_name(worst)}"
        if worst and missing[worst]
        else "No field that is used is missing anywhere"
    )
    return Figure(
        title=title,
        lead="Share of the articles of each collection that are without the field.",
        sql=COVERAGE,
        grid=draw_grid(
            shown,
            {
                "Collection": as_name("collection"),
                "Articles": as_number("articles"),
                **{f"No {field}": _as_missing(f"missing_{field}") for field in _FIELDS},
                "Quarantined": as_number("quarantined_files"),
            },
        ),
        rest=say_rest(len(shown), len(rows)),
    )


def _name(field: str) -> str:
    if field in ("topics", "images"):
        return field
    return f"an {field}" if field == "excerpt" else f"a {field}"


def _as_missing(key: str) -> Draw:
    return lambda row: Cell(
        "·" if row[key] == 0 else svg.share(row[key]), is_number=True, bar=row[key] or 0.0
    )


def _draw_quarantine(shown: list[dict[str, Any]], total: int) -> Figure:
    if not shown:
        lead = "Every file that should be read was read."
        return Figure(title="No file is quarantined", lead=lead, sql=QUARANTINE)
    return Figure(
        title=f"{spell(total, 'file is', 'files are')} quarantined,"
        f" the newest since {shown[0]['since']:%Y-%m-%d}",
        lead="Each is read again when it changes.",
        sql=QUARANTINE,
        grid=draw_grid(
            shown,
            {
                "File": lambda row: Cell(spell_place(row)),
                "Reason": as_text("reason"),
                "Fix": as_text("hint"),
            },
        ),
        rest=say_rest(len(shown), total, "`matterhouse quarantine` lists all."),
    )


def _draw_warnings(rows: list[dict[str, Any]]) -> Figure:
    shown, values = rows[:_KINDS], sum(row["values"] for row in rows)
    left = spell(values, "value does not fit and was", "values do not fit and were")
    return Figure(
        title=f"{left} left out",
        lead="Their articles are loaded without them.",
        sql=WARNINGS,
        grid=draw_grid(
            shown,
            {
                "Field": lambda row: name_cell(f"{row['field']} ({row['code']})"),
                "Values": as_number("values"),
                "Files": as_number("files"),
                "For example": as_text("example", 120),
                "Fix": as_text("hint"),
            },
        ),
        rest=say_rest(len(shown), len(rows), "`matterhouse quarantine --values` lists all."),
    )


def _draw_new_keys(runs: list[dict[str, Any]]) -> Figure | None:
    found = next(((run["started_at"], run["new_keys"]) for run in runs if run["new_keys"]), None)
    if not found:
        return None
    since, keys = found
    shown = keys[:_KEYS]
    return Figure(
        title=f"{spell(len(keys), 'key')} came up that no column takes",
        lead=f"New in the run of {since:%Y-%m-%d}; their values are kept in `extra`:"
        f" {', '.join(mention(key, 40) for key in shown)}.",
        sql=RUNS,
        rest=say_rest(len(shown), len(keys), "`matterhouse profile` lists all."),
    )
