"""Each SQL model does what its cases say, and its totals are those of its articles."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.models import build, checks, files
from tests import models as cases

GRAINS = ["day", "month", "quarter", "week", "year"]
Row = dict[str, Any]


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """Hand out one warehouse whose raw tables a property refills: creating it takes longest."""
    with cases.warehouse({}) as con:
        yield con


@pytest.mark.parametrize("path", cases.paths("staging", "marts"), ids=cases.name)
def test_a_model_returns_the_rows_its_case_expects(path: Path) -> None:
    """The rows a case gives become exactly the rows it expects, reports in that order."""
    case = cases.read(path)
    columns = ", ".join(case.expect[0]) if case.expect else "*"
    query = f"select {columns} from {case.table} where {case.where}"
    with cases.warehouse(case.given, case.table) as con:
        found, expected = cases.rows(con, query), cases.plain(case.expect)
    if case.table.startswith("staging."):
        found, expected = sorted(found, key=repr), sorted(expected, key=repr)
    assert found == expected


def test_every_model_has_a_case() -> None:
    """No staging or mart table is left without rows in, rows out."""
    tested = {
        f"{path.parent.parent.name}.{path.parent.name}" for path in cases.paths("staging", "marts")
    }
    tables = {file.name for file in (*files.files("staging"), *files.files("marts"))}
    assert tables - tested == set()


HISTORY = [
    ("2024-05-01", "a.md", "added", 70, None),
    ("2024-05-01", "b.md", "added", 10, None),
    ("2024-05-02", "a.md", "changed", 80, None),
    ("2024-05-03", "a.md", "changed", 70, None),
    ("2024-05-04", "a.md", "removed", 70, None),
    ("2024-05-05", "moved/b.md", "renamed", 10, "b.md"),
    ("2024-05-05", "b.md", "removed", 10, None),
    ("2024-05-06", "a.md", "returned", 75, None),
]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2024-04-30 23:59:59", {}),
        ("2024-05-01 00:00:00", {"a.md": 70, "b.md": 10}),
        ("2024-05-02 12:00:00", {"a.md": 80, "b.md": 10}),
        ("2024-05-03 00:00:00", {"a.md": 70, "b.md": 10}),
        ("2024-05-04 00:00:00", {"b.md": 10}),
        ("2024-05-05 00:00:00", {"moved/b.md": 10}),
        ("2099-01-01 00:00:00", {"a.md": 75, "moved/b.md": 10}),
    ],
)
def test_as_of_returns_the_articles_of_a_moment(moment: str, expected: dict[str, int]) -> None:
    """Each moment has the state observed last: A-B-A, removed, renamed and returned articles."""
    names = ("observed_at", "article_id", "change", "quality", "renamed_from")
    versions = [dict(zip(names, version, strict=True)) for version in HISTORY]
    with cases.warehouse({"raw.article_versions": versions}, "as_of()") as con:
        as_of = f"as_of(timestamptz '{moment}+00')"
        found = con.execute(f"select article_id, quality from {as_of}").fetchall()
    assert dict(found) == expected


def test_as_of_works_in_a_warehouse_opened_read_only(tmp_path: Path) -> None:
    """The function is kept in the file, so an analyst who opens it cold can use it."""
    warehouse = tmp_path / "w.duckdb"
    with duckdb.connect(str(warehouse)) as con:
        build.create_tables(con)
        con.execute("""
            insert into raw.article_versions (article_id, observed_at, change, quality)
            values ('a.md', '2024-05-01', 'added', 7)
        """)
        build.build(con)
    with duckdb.connect(str(warehouse), read_only=True) as con:
        found = con.execute("select article_id, quality from as_of('2024-05-02')").fetchall()
    assert found == [("a.md", 7)]


def test_the_same_rows_make_the_same_tables_on_any_number_of_threads() -> None:
    """A rebuild of the same data gives the same rows in the same order."""
    articles = [
        {
            "article_id": f"{n:04}.md",
            "published_at": f"2024-0{1 + n % 5}-1{n % 9}",
            "quality": n % 97,
        }
        | {"provider_domain": f"p{n % 13}.example", "original_url": f"https://p.example/{n % 700}"}
        for n in range(1200)
    ]
    topics = [
        {"article_id": f"{n:04}.md", "position": p, "topic": f"T{(n * p) % 11}"}
        for n in range(1200)
        for p in (1, 2, 3)
    ]
    tables = [file.name for file in files.files("marts")]
    with cases.warehouse({"raw.articles": articles, "raw.article_topics": topics}) as con:
        first = {table: con.execute(f"from {table}").fetchall() for table in tables}
        con.execute("set threads = 4")
        cases.make(con)
        assert {table: con.execute(f"from {table}").fetchall() for table in tables} == first


ARTICLES = st.lists(
    st.fixed_dictionaries(
        {
            "published_at": st.none() | st.dates(date(2023, 11, 1), date(2024, 3, 31)).map(str),
            "provider_domain": st.sampled_from([None, "p.example", "www.P.example", "q.example"]),
            "category": st.sampled_from([None, "news"]),
            "type": st.sampled_from([None, "article", "video"]),
            "quality": st.none() | st.integers(0, 189),
            "heat": st.none() | st.integers(-1, 200),
            "is_published": st.none() | st.booleans(),
            "topics": st.lists(st.sampled_from(["AI", "ai ", "Law", "Robots"]), max_size=4),
        }
    ),
    max_size=25,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(articles=ARTICLES)
def test_totals_of_every_trend_are_those_of_its_articles(
    shared: duckdb.DuckDBPyConnection, articles: list[Row]
) -> None:
    """Whatever the corpus, each grain of each trend counts every dated article exactly once."""
    fill(shared, articles)
    cases.make(shared)
    # Random articles may well have no date, topic or provider at all, which is worth a warning.
    silent = ("articles_without_date", "articles_without_provider", "articles_without_topic")
    assert checks.run(shared, waived=silent) == []
    dated = [article for article in articles if article["published_at"]]
    listed = [{topic.strip().lower() for topic in article["topics"]} for article in dated]
    provided = [article for article in dated if article["provider_domain"]]
    expected = {
        "topic_trends": sum(map(len, listed)),
        "provider_trends": len(provided),
        "quality_trends": len(dated),
    }
    scored = {
        "topic_trends": sum(
            len(topics) for topics, a in zip(listed, dated, strict=True) if a["quality"] is not None
        ),
        "provider_trends": sum(article["quality"] is not None for article in provided),
        "quality_trends": sum(article["quality"] is not None for article in dated),
    }
    for table, total in expected.items():
        found = shared.execute(f"""
            select time_grain, sum(articles), sum(scored_articles)
            from marts.{table} group by time_grain order by time_grain
        """).fetchall()
        grains = GRAINS if total else []
        assert found == [(grain, total, scored[table]) for grain in grains], table
    fractions = shared.execute("""
        select time_grain, round(sum(fractional_articles), 6) from marts.topic_trends
        group by time_grain order by time_grain
    """).fetchall()
    with_topic = sum(map(bool, listed))
    assert fractions == [(grain, with_topic) for grain in (GRAINS if with_topic else [])]


def fill(con: duckdb.DuckDBPyConnection, articles: list[Row]) -> None:
    """Put random rows in the place of what the raw tables and the ledger held."""
    named = [article | {"article_id": f"{n}.md"} for n, article in enumerate(articles)]
    topics = [
        {"article_id": article["article_id"], "position": position, "topic": topic}
        for article in named
        for position, topic in enumerate(article.pop("topics"), 1)
    ]
    columns = (
        "article_id", "provider_domain", "category", "type", "published_at", "quality", "heat",
        "is_published",
    )  # fmt: skip
    added = [
        {"observed_at": "2024-06-01", "change": "added"} | {name: article[name] for name in columns}
        for article in named
    ]
    ledger = [{"path": article["article_id"], "status": "loaded"} for article in named]
    tables = {
        "raw.articles": named,
        "raw.article_topics": topics,
        "raw.article_versions": added,
        "ops.files": ledger,
    }
    for table, rows in tables.items():
        con.execute(f"delete from {table}")
        cases.insert(con, table, rows)
