"""Articles come in on their day and go on their last, by the clock of the run and of the site."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.models import files
from tests.conftest import Content, copy_sql

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def some_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build the days of articles, and no reports."""
    sql = copy_sql(tmp_path / "sql", "staging.article_periods", "staging.uncounted")
    monkeypatch.setattr(files, "sql_folder", lambda: sql)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Any]:
    """Give a clock whose time a test sets."""

    class Clock(datetime):
        time = START

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.time

    monkeypatch.setattr("flows.pipeline.run.datetime", Clock)
    return Clock


def test_a_scheduled_article_comes_in_on_its_day_without_any_change(
    content: Content, clock: type[Any]
) -> None:
    """The build of that day publishes and says why; the one before and the one after do not."""
    content.write("a.md", "---\ntitle: a\ndate: 2026-04-01\npublishDate: 2026-05-03\n---\n")
    content.write("b.md", "---\ntitle: b\ndate: 2026-04-01\nexpiryDate: 2026-05-05\n---\n")
    assert content.build().uncounted == {"scheduled": 1}
    states, published = [], []
    for day in range(1, 6):
        clock.time = START + timedelta(days=day)
        receipt = content.build()
        published.append(receipt.published)
        assert len(receipt.notes) == receipt.published
        counted = content.query(
            "select distinct article_id from staging.article_periods order by 1"
        )
        live = content.query("select article_id from staging.articles where is_live")
        states.append(("".join(i[0] for (i,) in counted), "".join(i[0] for (i,) in live)))
    assert published == [False, True, False, True, False]
    assert states == [("b", "b"), ("ab", "ab"), ("ab", "ab"), ("ab", "a"), ("ab", "a")]


def test_days_begin_at_midnight_of_the_site(content: Content, clock: type[Any]) -> None:
    """What names no zone is in that of the site; moments stay what they are."""
    content.write("matterhouse.yaml", "timezone: America/New_York\n")
    content.write("naive.md", "---\ndate: 2026-02-01\n---\n")
    content.write("offset.md", "---\ndate: 2026-02-01T23:00:00-05:00\n---\n")
    content.write("utc.md", "---\ndate: 2026-02-01T03:00:00Z\n---\n")
    content.build()
    query = (
        "select article_id, published_date::varchar, published_at::varchar from staging.articles"
    )
    assert content.query(query) == [
        ("naive.md", "2026-02-01", "2026-02-01 05:00:00+00"),
        ("offset.md", "2026-02-01", "2026-02-02 04:00:00+00"),
        ("utc.md", "2026-01-31", "2026-02-01 03:00:00+00"),
    ]
    assert content.query("select time_zone from ops.runs") == [("America/New_York",)]


def test_the_language_of_the_site_says_which_article_counts(content: Content) -> None:
    """A page in two languages is one article, and what names no language is in that of the site."""
    content.write("matterhouse.yaml", "language: DE\n")
    content.write("en/a.md", "---\ndate: 2026-02-01\n---\n")
    content.write("de/a.md", "---\ndate: 2026-02-01\n---\n")
    content.write("b.md", "---\ndate: 2026-02-01\n---\n")
    assert content.build().uncounted == {"translation": 1}
    assert content.query("select article_id, language, translation_of from staging.articles") == [
        ("b.md", "de", None),
        ("de/a.md", "de", None),
        ("en/a.md", "en", "de/a.md"),
    ]


def test_drafts_are_counted_apart(content: Content) -> None:
    """Whatever word or folder says that the site keeps an article back."""
    content.write("live.md", "---\ndate: 2026-02-01\n---\n")
    content.write("cut.md", "---\ndate: 2026-02-01\npublished: false\n---\n")
    content.write("blog/_drafts/a.md", "---\ndate: 2026-02-01\n---\n")
    content.write("b.md", "---\ndate: 2026-02-01\ndraft: 'true'\n---\n")
    assert content.build().uncounted == {"draft": 2}
    counted = content.query("select distinct article_id from staging.article_periods order by 1")
    assert counted == [("cut.md",), ("live.md",)]
