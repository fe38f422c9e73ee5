"""The published warehouse → the page's HTML; the same data gives the same bytes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from flows.reports.output import open_output
from flows.reports.page import (
    health,
    maintenance,
    movers,
    providers,
    quality,
    require_replaceable,
    runs,
    stories,
    svg,
    topics,
)
from flows.reports.page.figure import Section, fetch, mention
from flows.reports.sentences import Summary, spell_day, summarize
from flows.warehouse.connection import Connection, open_readonly
from flows.warehouse.paths import WarehousePaths
from flows.warehouse.run_log import read_runs
from flows.words import spell_uncounted

_FOLDER = Path(__file__).parent
SECTIONS: tuple[Callable[[Connection], Section], ...] = (
    movers.draw_section,
    topics.draw_section,
    providers.draw_section,
    quality.draw_section,
    stories.draw_citations,
    stories.draw_stories,
    maintenance.draw_section,
    health.draw_section,
)
TOTALS = """\
select
    (select count(*) from marts.articles where is_counted) as articles,
    (select count(*) from ops.files where status = 'quarantined') as quarantined_files,
    (select arg_max(uncounted, started_at) from ops.runs) as uncounted,
    (select arg_max(run_id, started_at) from ops.runs) as run_id,
    (select max(started_at) from ops.runs) as started_at"""


def write_page(paths: WarehousePaths, file: Path) -> None:
    """Write the page of the published warehouse; a page that is there is replaced at once."""
    require_replaceable(file)
    with open_readonly(paths) as con:
        text = render(con, read_runs(paths))
    with open_output(file) as writable:
        writable.write_text(text, encoding="utf-8")


def render(con: Connection, receipts: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the page; of the receipts it takes what the tables know nothing of, the failures."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = _to_code
    # One thread: sums of doubles then add up the same way every time.
    con.execute("set threads = 1")
    summary = summarize(con)
    movers = tuple(replace(mover, topic=mention(mover.topic, 56)) for mover in summary.movers)
    first_seen = tuple(mention(topic, 56) for topic in summary.first_seen)
    first, *rest = replace(summary, movers=movers, first_seen=first_seen).sentences()
    totals = fetch(con, TOTALS)[0]
    return environment.get_template("page.html").render(
        style=Markup((_FOLDER / "page.css").read_text(encoding="utf-8")),  # noqa: S704
        first=first,
        rest=rest,
        tiles=_make_tiles(summary, totals),
        run=totals,
        sections=[*(section(con) for section in SECTIONS), runs.draw_section(con, receipts)],
    )


def _to_code(text: str) -> Markup:
    """Set what stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part)
        for at, part in enumerate(parts)
    )


def _make_tiles(summary: Summary, totals: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return four numbers with what they are compared with; the last word is a kind of news."""
    moved = summary.articles - summary.articles_before
    to_fix = totals["quarantined_files"]
    until = f"to {spell_day(summary.until)}" if summary.until else ""
    return [
        (
            "Articles in 28 days",
            svg.number(summary.articles),
            f"{svg.number(moved, sign=True)} against the 28 days before"
            if summary.until
            else "no article has a date",
            # Two counts at one rate differ by twice the square root of their sum, seldom by more.
            _name_kind(moved if moved**2 > 4 * (summary.articles + summary.articles_before) else 0),
        ),
        (
            "Mean quality of these",
            svg.number(summary.quality, 1),
            _compare_quality(summary),
            "flat",
        ),
        (
            "Articles in all",
            svg.number(totals["articles"] or 0),
            "; ".join(filter(None, [until, spell_uncounted(totals["uncounted"] or {})])),
            "flat",
        ),
        (
            "Files to fix",
            svg.number(to_fix),
            "in quarantine" if to_fix else "nothing is quarantined",
            "down" if to_fix else "flat",
        ),
    ]


def _name_kind(change: int) -> str:
    return "up" if change > 0 else "down" if change < 0 else "flat"


def _compare_quality(summary: Summary) -> str:
    if summary.quality is None or summary.quality_before is None:
        return "no scores to compare with"
    return f"{svg.number(summary.quality - summary.quality_before, 1, sign=True)} against before"
