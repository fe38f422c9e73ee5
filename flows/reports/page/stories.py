"""Who cites whom, and which stories came through several providers."""

from dataclasses import replace
from typing import Any

from flows.reports.page import svg
from flows.reports.page.figure import Figure, Section, fetch_first, mention, say_rest
from flows.reports.page.grid import (
    Cell,
    as_name,
    as_number,
    as_share,
    as_text,
    draw_grid,
    number_cell,
)
from flows.warehouse.connection import Connection
from flows.words import cut, spell

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

ALIKE = """\
select
    alike.title,
    coalesce(earlier.name, alike.provider) as first,
    coalesce(later.name, alike.later_provider) as later,
    alike.days_later,
    alike.quality,
    alike.later_quality,
    alike.similarity,
from marts.similar_titles as alike
left join marts.providers as earlier on earlier.provider = alike.provider
left join marts.providers as later on later.provider = alike.later_provider
order by alike.similarity desc, alike.article_id, alike.later_article_id"""


def draw_citations(con: Connection) -> Section:
    shown, total = fetch_first(con, CITATIONS, _SHOWN)
    if not shown:
        why = "No article names a related item of another provider."
        return Section("citations", "Who cites whom", empty=why)
    first = shown[0]
    figure = Figure(
        title=f"{mention(first['cites'])} cites {mention(first['is_cited'])} most:"
        f" {spell(first['citations'], 'time')}",
        lead="Related items of other providers. The share is of all that the citing provider cites;"
        " above 0, the cited items score better than the citing articles.",
        sql=CITATIONS,
        grid=draw_grid(
            shown,
            {
                "Cites": as_name("cites"),
                "Cited": as_name("is_cited"),
                "Times": lambda row: replace(
                    number_cell(row["citations"]), bar=row["citations"] / first["citations"]
                ),
                "Share": as_share("citations_share"),
                "Quality, cited less citing": as_number("quality_difference", 1, sign=True),
            },
        ),
        rest=say_rest(len(shown), total),
    )
    return Section("citations", "Who cites whom", [figure])


def draw_stories(con: Connection) -> Section:
    """List the stories that several providers carried, by their address and by their title."""
    figures = []
    for sql, draw in ((STORIES, _draw_same_address), (ALIKE, _draw_alike)):
        shown, total = fetch_first(con, sql, _SHOWN)
        if shown:
            figures.append(draw(shown, total))
    empty = "" if figures else "No story came through more than one provider."
    return Section("stories", "Stories at several providers", figures, empty)


def _draw_same_address(shown: list[dict[str, Any]], total: int) -> Figure:
    return Figure(
        title=f"{spell(total, 'story', 'stories')} came through more than one provider",
        lead="The same address under several providers, where the scores lie furthest apart first.",
        sql=STORIES,
        grid=draw_grid(
            shown,
            {
                "Story": lambda row: Cell(
                    cut(row["title"] or row["story_url"], 90), link=allow_link(row["story_url"])
                ),
                "Providers": as_number("providers"),
                "Scores": lambda row: Cell(_list_scores(row["scores"])),
                "Apart": as_number("quality_range"),
                "First": as_name("first_provider"),
            },
        ),
        rest=say_rest(len(shown), total),
    )


def _draw_alike(shown: list[dict[str, Any]], total: int) -> Figure:
    return Figure(
        title=f"{spell(total, 'pair')} of articles of different providers"
        f" {'has' if total == 1 else 'have'} like titles",
        lead="At most seven days apart, the most alike first: a likeness of words, no proof.",
        sql=ALIKE,
        grid=draw_grid(
            shown,
            {
                "First": as_text("title", 90),
                "By": as_name("first"),
                "Then by": as_name("later"),
                "Days later": as_number("days_later", 1),
                "Scores": lambda row: Cell(
                    f"{svg.number(row['quality'])}, {svg.number(row['later_quality'])}"
                ),
                "Words in common": as_share("similarity"),
            },
        ),
        rest=say_rest(len(shown), total),
    )


def _list_scores(scores: list[dict[str, Any]]) -> str:
    said = [f"{mention(s['provider'] or '?', 40)} {svg.number(s['quality'])}" for s in scores[:4]]
    return ", ".join(said) + (", …" if len(scores) > 4 else "")


def allow_link(address: str | None) -> str | None:
    """Return an address that a reader may follow: on the web, and nowhere else."""
    return address if address and address.lower().startswith(("https://", "http://")) else None
