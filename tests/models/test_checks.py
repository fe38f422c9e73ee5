"""Each check stays silent on a sound warehouse and names what is wrong in a broken one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.models import build, checks, files
from flows.models.table_checks import make_rows_unique, make_secured_kept_out
from flows.warehouse.connection import Connection, connect
from tests import models as cases

CHECKS = {file.stem: file for file in files.files("checks")}
KEYED = [file for schema in build.SCHEMAS for file in files.files(schema) if file.key]
SOUND: dict[str, list[dict[str, Any]]] = {
    "ops.runs": [
        {"run_id": "r1", "seen": 3, "loaded": 2, "quarantined": 0, "excluded": 1}
        | {"new": 3, "changed": 0, "unchanged": 0, "renamed": 0, "started_at": "2024-05-02"}
    ],
    "ops.files": [
        {"path": "a.md", "status": "loaded"},
        {"path": "readme.md", "status": "excluded"},
        {"path": "t.yaml", "status": "loaded"},
    ],
    "raw.articles": [
        {"article_id": "a.md", "published_at": "2024-05-01", "quality": 50}
        | {"provider_domain": "p.example", "extra": '{"note": "secured: \\"secured\\": 1"}'}
    ],
    "raw.article_topics": [{"article_id": "a.md", "position": 1, "topic": "Robots"}],
    "raw.article_versions": [
        {"article_id": "a.md", "run_id": "r1", "observed_at": "2024-05-02", "change": "added"}
        | {"quality": 50, "provider_domain": "p.example", "topics": ["Robots"]}
        | {"published_at": "2024-05-01"}
    ],
    "raw.terms": [{"path": "t.yaml", "kind": "topic", "term_id": "robots", "name": "Robots"}],
}


@pytest.mark.parametrize("path", cases.paths("checks"), ids=cases.name)
def test_a_check_finds_the_rows_its_case_expects(path: Path) -> None:
    """The rows a case gives, broken as it says, make the check return exactly what it expects."""
    case = cases.read(path)
    check = CHECKS[path.parent.name]
    with cases.warehouse(case.given, *files.references(check)) as con:
        for statement in case.after:
            con.execute(statement)
        assert cases.rows(con, check.sql) == cases.plain(case.expect)


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_has_a_case_that_makes_it_fire(check: str) -> None:
    """A check that no case can make fail would be no check."""
    expectations = [cases.read(path).expect for path in (cases.FOLDER / "checks" / check).iterdir()]
    assert any(expectations)


def test_a_sound_warehouse_passes_every_check() -> None:
    """Rows that fit together make no check return anything."""
    with cases.warehouse(SOUND) as con:
        assert checks.run(con) == []


def test_an_empty_warehouse_passes_every_check() -> None:
    """Tables without rows are sound."""
    with cases.warehouse({}) as con:
        assert checks.run(con) == []


@pytest.fixture(scope="module")
def empty() -> Iterator[Connection]:
    """Give every table without a row."""
    with cases.warehouse({}) as con:
        yield con


@pytest.mark.parametrize("file", KEYED, ids=lambda file: file.name)
def test_rows_of_a_table_differ_in_the_columns_that_its_header_names(
    empty: Connection, file: files.SqlFile
) -> None:
    """Rows that differ in any one of them are sound, and two that differ in none are not."""
    for column in file.key:
        empty.execute(f"""
            insert into {file.name} ({column})
            select if(data_type in ('DATE', 'TIMESTAMP WITH TIME ZONE'), '2024-01-01', '1')
            from duckdb_columns()
            where schema_name || '.' || table_name = '{file.name}' and column_name = '{column}'
        """)
    empty.execute(f"insert into {file.name} by name select null as {file.key[0]}")
    assert make_rows_unique(empty, [file]) is None
    empty.execute(f"insert into {file.name} by name select null as {file.key[0]}")
    check = make_rows_unique(empty, [file])
    assert check
    assert empty.execute(check.sql).fetchall() == [(file.name, "", 2)]


def test_only_tables_that_a_run_wrote_are_held_against_their_keys() -> None:
    """What a run did not touch was found unique by the run that made it."""
    with cases.warehouse({"raw.commits": [{"commit": "a"}, {"commit": "a"}]}) as con:
        assert checks.run(con, written=["raw.articles"]) == []
        assert [found.name for found in checks.run(con)] == ["rows_unique"]


def test_a_secret_key_is_found_in_every_text_that_is_json() -> None:
    """Keys of the user's own, at any depth, in columns of any layer; words about them are none."""
    extras = {
        "clean": '{"note": "the \\"secured\\": key", "unsecured": 1}',
        "nested": '{"a": [{"Secured" : "x"}]}',
        "own": '{"API key": "x"}',
    }
    given: dict[str, list[dict[str, Any]]] = {
        "raw.articles": [{"article_id": name, "extra": text} for name, text in extras.items()]
        + [{"article_id": "about", "title": 'How to hide "password": "x"', "sources": "{}"}]
        + [{"article_id": "columns", "sources": '{"api key": "title"}'}],
        "raw.terms": [{"path": "t.yaml", "name": '["", {"password": 1}]'}],
    }
    with cases.warehouse(given, "marts.topics") as con:
        con.execute("alter table raw.provider_images add column Password integer")
        con.execute("insert into marts.topics (topic, term_id) values ('T', '{\"api key\": 1}')")
        found = make_secured_kept_out(con, None, {"secured", "password", "api key"})
        assert found
        assert con.execute(found.sql).fetchall() == [
            ("marts.topics", "term_id", "T"),
            ("raw.articles", "extra", "nested"),
            ("raw.articles", "extra", "own"),
            ("raw.provider_images", "Password", "the whole column"),
            ("raw.terms", "name", "t.yaml"),
        ]


def test_a_check_that_needs_more_memory_finds_what_it_would_have_found_at_once() -> None:
    """A list cannot spill: the first try ends for want of memory, and the second one counts."""
    sql = (
        "-- Too many.\n-- severity: error\nselect len(list(i)) as n from range(8_000_000) as r (i)"
    )
    with connect() as con:
        con.execute("set memory_limit = '30MiB'")
        found = checks._run(con, files.SqlFile("checks", "too_many", sql))
    assert str(found) == "too_many: Too many. (error, 1 row, first: n 8000000)"


@pytest.mark.parametrize(
    ("score", "topics"), [(2**31 - 1, 3), (-(2**31), 7), (1, 7), (85, 21_000), (0, 3)]
)
def test_no_score_and_no_number_of_topics_breaks_the_sums_of_quality(
    score: int, topics: int
) -> None:
    """What one author types for a score moves means, and stops no build."""
    articles = [("a.md", "2024-05-01", 80, 3), ("b.md", "2024-06-01", score, topics)]
    check = CHECKS["quality_changes_add_up"]
    with cases.warehouse({}) as con:
        for article, day, quality, count in articles:
            con.execute(f"""
                insert into raw.article_topics (article_id, position, topic)
                select '{article}', i, 't' || i from range({count}) as numbers (i);
                insert into raw.article_versions
                    (article_id, origin_id, observed_at, change, quality, topics)
                select
                    '{article}', '{article}', '{day}', 'added', {quality},
                    list('t' || i order by i)
                from range({count}) as numbers (i)
            """)
        cases.make(con, *files.references(check))
        assert cases.rows(con, check.sql) == []
        assert cases.rows(con, "from marts.quality_changes where quality_change is not null")


def test_a_failed_check_carries_its_sentence_its_columns_and_its_first_rows() -> None:
    """A check that found many rows hands out the first twenty and says how many there are."""
    future = [
        {"article_id": f"{n:02}.md", "published_at": "2999-01-01T00:00:00Z"} for n in range(30)
    ]
    given = {"ops.runs": [{"run_id": "r1", "started_at": "2024-05-02"}], "raw.articles": future}
    with cases.warehouse(given) as con:
        found = {failed.name: failed for failed in checks.run(con)}
    failed = found["published_in_future"]
    assert failed.severity == "warn"
    assert failed.message.startswith("An article is dated more than a day after this run")
    assert failed.columns == ("article_id", "published_at")
    assert [row[0] for row in failed.rows] == [f"{n:02}.md" for n in range(20)]
    assert failed.count == 30


def test_a_waived_check_does_not_run() -> None:
    """Naming a check as waived leaves it, and only it, out."""
    given = SOUND | {"ops.runs": [{"run_id": "r0", "table_rows": None}, *SOUND["ops.runs"]]}
    with cases.warehouse(given) as con:
        con.execute("update ops.runs set table_rows = map {'raw.articles': 9} where run_id = 'r0'")
        con.execute("delete from ops.files where status = 'excluded'")
        assert [failed.name for failed in checks.run(con)] == [
            "articles_shrank",
            "ledger_balances",
        ]
        waived = checks.run(con, waived={"articles_shrank"})
        assert [failed.name for failed in waived] == ["ledger_balances"]
