"""The page as text: what it says, that it is inert, and that each figure's SQL runs."""

import html
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.reports.output import NotOursToReplace
from flows.reports.page import runs
from flows.reports.page.figure import mention
from flows.reports.page.render import SECTIONS, _make_tiles, render, write_page
from flows.reports.sentences import Summary, summarize
from flows.warehouse.connection import open_readonly
from flows.warehouse.paths import WarehousePaths
from tests.reports.page import corpora
from tests.reports.page.conftest import built


class Elements(HTMLParser):
    """Collects every element with its attributes, as a browser would find them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.found.append((tag, dict(attrs)))


def rendered(paths: WarehousePaths) -> str:
    """Return the page of a warehouse."""
    with open_readonly(paths) as con:
        return render(con)


def test_the_same_data_gives_the_same_bytes(sample: WarehousePaths, tmp_path: Path) -> None:
    """The page has no clock of its own, and writing it again replaces it."""
    file = tmp_path / "page.html"
    write_page(sample, file)
    first = file.read_bytes()
    write_page(sample, file)
    assert file.read_bytes() == first
    assert len(first) < 150_000
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_the_page_begins_with_the_line_of_the_terminal(sample: WarehousePaths) -> None:
    """Its heading and what stands below it are that line, word for word."""
    text = rendered(sample)
    heading = re.findall(r"<h1>(.*?)</h1>", text)
    lede = re.findall(r'<p class="lede">(.*?)</p>', text)
    with open_readonly(sample) as con:
        assert html.unescape(" ".join([*heading, *lede])) == " ".join(summarize(con).sentences())


@pytest.mark.parametrize("which", ["sample", "tended"])
def test_every_figure_shows_sql_that_runs(which: str, request: pytest.FixtureRequest) -> None:
    """What a reader pastes into `matterhouse sql` gives rows, of reports and ledger alone."""
    paths = request.getfixturevalue(which)
    shown = re.findall(r"<pre><code>(.*?)</code></pre>", rendered(paths), re.DOTALL)
    with open_readonly(paths) as con:
        sections = [*(section(con) for section in SECTIONS), runs.draw_section(con, [])]
        figures = [figure for section in sections for figure in section.figures]
        assert [html.unescape(sql) for sql in shown] == [figure.sql for figure in figures]
        for figure in figures:
            found = con.execute(figure.sql).fetchall()
            # Without a second month of observation there is nothing that moved.
            assert found or "has not moved" in figure.title
            assert set(re.findall(r"\b(raw)\.\w+", figure.sql)) == set()


@pytest.mark.parametrize("which", ["sample", "tended", "hostile"])
def test_nothing_on_the_page_runs_or_is_fetched(which: str, request: pytest.FixtureRequest) -> None:
    """No script, no handler, no address but the web's, whatever the texts are."""
    text = rendered(request.getfixturevalue(which))
    elements = Elements(text).found
    names = {name for name, _ in elements}
    assert names & {"script", "img", "iframe", "object", "embed", "link", "base", "form"} == set()
    assert [name for name, _ in elements].count("style") == 1
    assert not [key for _, found in elements for key in found if key.startswith("on")]
    assert not [found for _, found in elements if "src" in found]
    links = {found["href"] or "" for name, found in elements if name == "a"}
    assert {link.split(":")[0] for link in links if not link.startswith("#")} <= {"https"}
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": policy}) in elements


def test_hostile_texts_are_shown_as_they_are(hostile: WarehousePaths) -> None:
    """Markup is words, and control characters are spelled out."""
    text = rendered(hostile)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7 * 7 }}" in text
    assert "\\x1b[2Jcleared" in text
    assert [sign for sign in text if ord(sign) < 32 and sign != "\n"] == []
    assert len(text.encode()) < 150_000


def test_a_history_explains_itself(tended: WarehousePaths) -> None:
    """What commits brought, how fast, and why the mean moved, month by month."""
    text = rendered(tended)
    assert "21 articles came, 4 scores changed and 2 articles went" in text
    assert "Half of the articles of The Transition Ledger were here within" in text
    assert text.count("the mean fell from") + text.count("the mean rose from") >= 12


def test_very_many_topics_are_capped(tmp_path: Path) -> None:
    """The page stays small, and each list says how many there are."""
    corpora.write_many(tmp_path / "content", topics=400, articles=1500)
    text = rendered(built(tmp_path / "content", tmp_path))
    assert len(text.encode()) < 150_000
    for said in ("12 of 400 are shown", "12 of 300 are shown", "12 of 60 are shown"):
        assert said in text


@pytest.mark.parametrize(
    ("articles", "said"),
    [
        ([], ["No article has a date, so nothing can be said about what moves."]),
        ([{"title": "No date", "type": "article", "topics": ["Sun"]}], ["No article has a date"]),
        ([corpora.article(n, quality=None) for n in range(9)], ["No article has a quality."]),
        ([corpora.article(n, topics=[]) for n in range(9)], ["No article lists a topic."]),
        ([corpora.article(n, provider={}) for n in range(9)], ["No article names its provider."]),
        ([corpora.article(n) for n in range(9)], ["No story came through more than one provider."]),
        (
            [corpora.article(0)],
            [
                "1 article in the 28 days to 30 June 2025",
                "No topic has more or fewer articles than expected.",
                "of all articles; there is 1 provider",
                "One article has a score: 40",
            ],
        ),
    ],
)
def test_an_empty_section_says_why(
    tmp_path: Path, articles: list[dict[str, Any]], said: list[str]
) -> None:
    """A page is made of whatever there is."""
    corpora.write(tmp_path / "content", "_none/a.md", {"layout": "page"})
    corpora.write_articles(tmp_path / "content", articles)
    text = rendered(built(tmp_path / "content", tmp_path))
    assert [sentence for sentence in said if sentence not in text] == []


def test_a_file_that_is_no_page_is_not_replaced(sample: WarehousePaths, tmp_path: Path) -> None:
    """Somebody's own index.html stays."""
    (tmp_path / "index.html").write_text("<p>mine")
    with pytest.raises(NotOursToReplace, match="move it away"):
        write_page(sample, tmp_path / "index.html")
    assert (tmp_path / "index.html").read_text() == "<p>mine"


def test_a_warehouse_without_its_marts_is_no_traceback(tmp_path: Path) -> None:
    """A database of somebody else ends in DuckDB's sentence."""
    with duckdb.connect(str(tmp_path / "other.duckdb")) as con:
        con.execute("create table numbers as select 1 as n")
    with pytest.raises(duckdb.CatalogException):
        write_page(WarehousePaths(tmp_path / "other.duckdb"), tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Solar", "Solar"),
        ("\N{HEBREW LETTER SHIN}5", "\u2068\N{HEBREW LETTER SHIN}5\u2069"),
        (
            f"\N{ARABIC LETTER MEEM}{'x' * 99}",
            f"\u2068\N{ARABIC LETTER MEEM}{'x' * 38}…{'x' * 20}\u2069",
        ),
    ],
)
def test_a_name_turns_nothing_around_it(text: str, said: str) -> None:
    """A name that is read from the right stands where the sentence has it."""
    assert mention(text) == said


@pytest.mark.parametrize(("before", "kind"), [(6, "up"), (9, "flat"), (31, "flat"), (34, "down")])
def test_a_tile_is_coloured_by_what_is_more_than_chance(before: int, kind: str) -> None:
    """Two counts of one rate seldom differ by more than twice the root of their sum."""
    summary = Summary(date(2025, 3, 4), 0, 18, before, None, None, (), (), None)
    totals = {"quarantined_files": 0, "articles": 99, "uncounted": {}}
    assert [tile[3] for tile in _make_tiles(summary, totals)] == [kind, "flat", "flat", "flat"]


def test_failed_runs_stand_among_those_that_published(sample: WarehousePaths) -> None:
    """A page that is looked at on Monday says that nothing has gone well since Friday."""
    failed = {"started_at": "2999-01-01T06:00:00+00:00", "error": "the <disk>\nis full"}
    old = {"started_at": "1999-01-01T06:00:00+00:00", "error": "no network"}
    with open_readonly(sample) as con:
        text = render(con, [{"published": True}, old, failed, {"started_at": "x"}])
    assert "The run of 2999-01-01 at 06:00 UTC failed: the &lt;disk&gt;\\nis full" in text
    cells = re.findall(
        r"<th scope=row><bdi>([\d-]{10} 06:00)</bdi>.*?<bdi>([^<]*)</bdi></td></tr>", text
    )
    assert cells == [
        ("2999-01-01 06:00", "failed: the &lt;disk&gt;\\nis full"),
        ("1999-01-01 06:00", "failed: no network"),
    ]
