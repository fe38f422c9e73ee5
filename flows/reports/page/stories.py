"""Who cites whom, and which stories came through several outlets."""

from typing import TYPE_CHECKING, Any

from flows.reports.page import svg
from flows.reports.page.figure import Cell, Figure, Grid, Section, capped, fetch, name
from flows.reports.summary import clip, counted

if TYPE_CHECKING:
    import duckdb

_SHOWN = 12
CITATIONS = """\
select
    coalesce(citing.name, related.provider) as cites,
    coalesce(cited.name, related.related_provider) as is_cited,
    related.citations,
    related.citations_share,
    related.quality_difference,
from marts.related_providers as related
left join marts.providers as citing on citing.provider = related.provider
left join marts.providers as cited on cited.provider = related.related_provider
where not related.is_self
order by related.citations desc, related.provider, related.related_provider"""
STORIES = """\
select title, story_url, providers, first_provider, quality_range, scores
from marts.stories
where is_current and providers > 1
order by quality_range desc nulls last, providers desc, story_url"""


def citations(con: "duckdb.DuckDBPyConnection") -> Section:
    """List who cites whom most often."""
    rows = fetch(con, CITATIONS)
    if not rows:
        why = "No article names a related item of another provider."
        return Section("citations", "Who cites whom", empty=why)
    shown = rows[:_SHOWN]
    first = shown[0]
    figure = Figure(
        title=f"{clip(first['cites'])} cites {clip(first['is_cited'])} most:"
        f" {counted(first['citations'], 'time')}",
        lead="Related items of other providers. The share is of all that the citing provider cites;"
        " above 0, the cited items score better than the citing articles.",
        sql=CITATIONS,
        grid=Grid(
            ("Cites", "Cited", "Times", "Share", "Quality, cited less citing"),
            [
                [
                    name(row["cites"]),
                    name(row["is_cited"]),
                    Cell(
                        svg.number(row["citations"]),
                        is_number=True,
                        bar=row["citations"] / first["citations"],
                    ),
                    Cell(svg.share(row["citations_share"]), is_number=True),
                    Cell(svg.number(row["quality_difference"], 1, sign=True), is_number=True),
                ]
                for row in shown
            ],
        ),
        rest=capped(len(shown), len(rows), "The SQL below lists all."),
    )
    return Section("citations", "Who cites whom", [figure])


def stories(con: "duckdb.DuckDBPyConnection") -> Section:
    """List the stories that several providers carried, the most unlike scores first."""
    rows = fetch(con, STORIES)
    if not rows:
        why = "No story came through more than one outlet."
        return Section("stories", "Stories at several outlets", empty=why)
    shown = rows[:_SHOWN]
    figure = Figure(
        title=f"{counted(len(rows), 'story', 'stories')} came through more than one outlet",
        lead="The same address under several providers, where the scores lie furthest apart first.",
        sql=STORIES,
        grid=Grid(
            ("Story", "Outlets", "Scores", "Apart", "First"),
            [
                [
                    Cell(clip(row["title"] or row["story_url"], 90), link=safe(row["story_url"])),
                    Cell(svg.number(row["providers"]), is_number=True),
                    Cell(_scores(row["scores"])),
                    Cell(svg.number(row["quality_range"]), is_number=True),
                    name(row["first_provider"] or ""),
                ]
                for row in shown
            ],
        ),
        rest=capped(len(shown), len(rows), "The SQL below lists all."),
    )
    return Section("stories", "Stories at several outlets", [figure])


def _scores(scores: list[dict[str, Any]]) -> str:
    said = [f"{clip(s['provider'] or '?', 40)} {svg.number(s['quality'])}" for s in scores[:4]]
    return ", ".join(said) + (", …" if len(scores) > 4 else "")


def safe(address: str | None) -> str | None:
    """Return an address that a reader may follow: on the web, and nowhere else."""
    return address if address and address.lower().startswith(("https://", "http://")) else None
