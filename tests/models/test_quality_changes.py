"""Why quality moved, against a computation of its own over articles whose every state is known."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.models import build, files
from tests import models as cases

MODELS = (
    "staging.quality_steps",
    "staging.quality_moves",
    "marts.quality_changes_by",
    "marts.quality_changes_by_commit",
    "marts.quality_changes",
)
# One week and a day of another, two months, two quarters, two years.
DAYS = ("2024-05-27", "2024-05-28", "2024-06-01", "2024-06-03", "2024-07-01", "2025-01-01")


@dataclass(frozen=True)
class State:
    """What an article is at a moment."""

    path: str
    quality: int | None
    story: str
    provider: str
    category: str
    topics: tuple[str, ...]

    def members(self, dimension: str) -> tuple[str, ...]:
        """Return what the article counts under."""
        if dimension == "all":
            return ("(all)",)
        if dimension == "topic":
            return tuple(sorted(set(self.topics))) or ("(none)",)
        return (getattr(self, dimension),)


Snapshot = dict[str, State]


class History:
    """Articles that are added, moved, scored, swapped, removed and brought back, step by step."""

    def __init__(self) -> None:
        self.versions: list[dict[str, Any]] = []
        self.snapshots: dict[date, Snapshot] = {}
        self.commits: list[tuple[datetime, Snapshot, Snapshot]] = []
        self.there: Snapshot = {}
        self.gone: Snapshot = {}
        self.now = datetime(2024, 1, 1)

    def apply(self, day: str, operation: str, pick: int, score: int | None) -> None:
        """Carry out one operation on one of the articles that are there."""
        moment = max(datetime.fromisoformat(day), self.now + timedelta(seconds=1))
        self.now = moment
        earlier = scored(self.there)
        articles = sorted(self.there)
        article = articles[pick % len(articles)] if articles else None
        if operation == "add" or article is None:
            article = f"{len(self.versions)}.md"
            kind, topics = f"{pick % 3}", tuple("xyz"[: pick % 4])
            self._write(article, State(article, score, article, f"p{kind}", f"c{kind}", topics))
        elif operation == "move":
            self._move(article)
        elif operation == "score":
            self._write(article, replace(self.there[article], quality=score), "changed")
        elif operation == "retag":
            topics = tuple("zyx"[: (score or 0) % 4])
            self._write(article, replace(self.there[article], topics=topics), "changed")
        elif operation == "swap":
            self._swap(article, articles[(pick + 1) % len(articles)])
        elif operation == "remove":
            self._record(article, self.there[article], "removed")
            self.gone[article] = self.there.pop(article)
        elif operation == "return" and self.gone:
            article = sorted(self.gone)[pick % len(self.gone)]
            self._write(article, replace(self.gone.pop(article), quality=score), "returned")
        self.snapshots[moment.date()] = dict(self.there)
        if (now := scored(self.there)) != earlier:
            self.commits.append((moment, earlier, now))

    def _write(self, article: str, state: State, change: str = "added") -> None:
        self.there[article] = state
        self._record(article, state, change)

    def _move(self, article: str) -> None:
        old = self.there[article]
        self._record(article, old, "removed")
        self._write(article, replace(old, path=f"{len(self.versions)}-moved.md"), "renamed")

    def _swap(self, one: str, other: str) -> None:
        first, second = self.there[one], self.there[other]
        self._write(one, replace(second, path=first.path), "changed")
        if other != one:
            self._write(other, replace(first, path=second.path), "changed")

    def _record(self, article: str, state: State, change: str) -> None:
        self.versions.append(
            {
                "article_id": state.path,
                "origin_id": article,
                "observed_at": f"{self.now.isoformat()}+00",
                "commit": f"{self.now}",
                "change": change,
                "quality": state.quality,
                "original_url": f"https://story.example/{state.story}",
                "provider_name": state.provider,
                "category": state.category,
                "topics": list(state.topics),
            }
        )

    def at(self, before: date) -> Snapshot:
        """Return the scored articles at the end of the last day before this one."""
        days = [day for day in self.snapshots if day < before]
        return scored(self.snapshots[max(days)] if days else {})

    def furthest(self, start: date, end: date) -> tuple[str | None, float | None]:
        """Return the commit of these days that moved the mean furthest, and by how much."""
        moves = [
            (abs(round(change, 6)), moment, change)
            for moment, before, after in self.commits
            if start <= moment.date() < end
            and (change := expected_member(before, after, "all", "(all)")["quality_change"])
        ]
        if not moves or not self.at(start):
            return None, None
        _, moment, change = max(moves)
        return f"{moment}", change


def scored(articles: Snapshot) -> Snapshot:
    """Return the articles that have a quality."""
    return {article: state for article, state in articles.items() if state.quality is not None}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Hand out one warehouse whose history a property refills."""
    listed = [
        {"article_id": "a", "position": position, "topic": topic}
        for position, topic in enumerate("xyz")
    ]
    with cases.warehouse({"raw.article_topics": listed}, MODELS[-1]) as warehouse:
        yield warehouse


STEPS = st.lists(
    st.tuples(
        st.sampled_from(DAYS),
        st.sampled_from(["add", "move", "score", "swap", "remove", "return", "retag"]),
        st.integers(0, 5),
        st.none() | st.integers(-5, 150),
    ),
    min_size=4,
    max_size=24,
).map(lambda steps: sorted(steps, key=lambda step: step[0]))


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_changes_of_quality_are_those_of_the_articles(
    con: duckdb.DuckDBPyConnection, steps: list[tuple[str, str, int, int | None]]
) -> None:
    """Moved, re-scored, swapped, removed: every count, mean and effect is what its words say."""
    history = History()
    # Three articles of three providers to begin with, the day before.
    for pick in range(3):
        history.apply("2024-05-26", "add", pick, 50 + pick)
    for step in steps:
        history.apply(*step)
    rebuild(con, history.versions)
    rows = cases.rows(con, "from marts.quality_changes")
    by_member = cases.rows(con, "from marts.quality_changes_by")
    # What chance would do is a case of its own; here, the whole has that of all its articles.
    chances = {
        (row["time_grain"], row["period_start"]): row["quality_change_p_value"]
        for row in by_member
        if row["dimension"] == "all"
    }
    assert {row["time_grain"] for row in rows} == {"day", "week", "month", "quarter", "year"}
    for row in rows:
        start = date.fromisoformat(row["period_start"])
        end = end_of(row["time_grain"], start)
        before, after = history.at(start), history.at(end)
        furthest = history.furthest(start, end) if before and after else (None, None)
        named = dict(zip(("commit", "commit_change"), furthest, strict=True))
        named["quality_change_p_value"] = chances.get((row["time_grain"], row["period_start"]))
        assert row == pytest.approx(expected_changes(before, after) | named | keys(row), abs=2e-6)
    for row in by_member:
        del row["quality_change_p_value"]
        start = date.fromisoformat(row["period_start"])
        before, after = history.at(start), history.at(end_of(row["time_grain"], start))
        expected = expected_member(before, after, row["dimension"], row["member"])
        assert row == pytest.approx(expected | keys(row), abs=2e-6)
    by_commit = cases.rows(con, "from marts.quality_changes_by_commit")
    assert [row.pop("commit") for row in by_commit] == [f"{at}" for at, _, _ in changed(history)]
    for row, (_, before, after) in zip(by_commit, changed(history), strict=True):
        counts = expected_member(before, after, "all", "(all)")
        expected = {name: value for name, value in counts.items() if name in row}
        assert {name: row[name] for name in expected} == pytest.approx(expected, abs=2e-6)
    sums = con.execute("""
        select
            dimension, time_grain, period_start,
            sum(contribution) - any_value(whole.quality_change),
        from marts.quality_changes_by as members
        inner join marts.quality_changes as whole using (time_grain, period_start)
        where whole.quality_change is not null
        group by dimension, time_grain, period_start
    """).fetchall()
    assert [row for row in sums if abs(row[3]) > 2e-6] == []


def changed(history: History) -> list[tuple[datetime, Snapshot, Snapshot]]:
    """Return the commits in which a score came, went, changed or became another story's."""
    names = ("new_articles", "removed_articles", "rescored_articles")
    compared = [
        (commit, expected_member(*commit[1:], "all", "(all)")) for commit in history.commits
    ]
    return [commit for commit, found in compared if any(found[name] for name in names)]


def rebuild(con: duckdb.DuckDBPyConnection, versions: list[dict[str, Any]]) -> None:
    """Put a history in the place of the one before, and make what depends on it."""
    con.execute("delete from raw.article_versions")
    cases.insert(con, "raw.article_versions", versions)
    wanted = ("staging.article_versions", *MODELS)
    for file in files.in_order():
        if file.name in wanted:
            build.make(con, file)


def keys(row: dict[str, Any]) -> dict[str, Any]:
    """Return what names a row."""
    return {
        name: row[name]
        for name in ("dimension", "member", "time_grain", "period_start")
        if name in row
    }


def end_of(grain: str, start: date) -> date:
    """Return the first day after a period."""
    months = {"month": 1, "quarter": 3, "year": 12}
    if grain in months:
        month = start.month - 1 + months[grain]
        return date(start.year + month // 12, month % 12 + 1, 1)
    return start + timedelta(days=1 if grain == "day" else 7)


def expected_changes(before: Snapshot, after: Snapshot) -> dict[str, Any]:
    """Compute a row of marts.quality_changes, mix and all, from two snapshots."""
    counts = expected_member(before, after, "all", "(all)")
    found = {name: counts[name] for name in counts if name.endswith(("articles", "_mean"))}
    effects = dict.fromkeys(("new_effect", "removed_effect", "rescored_effect", "mix_effect"))
    if before and after:
        effects = dict.fromkeys(effects, 0.0)
        for provider in {state.provider for state in (*before.values(), *after.values())}:
            own = expected_member(before, after, "provider", provider)
            ends = [held(snapshot, "provider", provider) for snapshot in (before, after)]
            shares = [len(end) / len(all_) for end, all_ in zip(ends, (before, after), strict=True)]
            means = [mean(end) for end in ends if end]
            for name in ("new_effect", "removed_effect", "rescored_effect"):
                effects[name] += sum(shares) / 2 * (own[name] or 0)
            effects["mix_effect"] += (shares[1] - shares[0]) * sum(means) / len(means)
    change = counts["quality_change"]
    return found | effects | {"quality_change": change}


def expected_member(
    before: Snapshot, after: Snapshot, dimension: str, member: str
) -> dict[str, Any]:
    """Compute a row of marts.quality_changes_by from two snapshots."""
    had, has = held(before, dimension, member), held(after, dimension, member)
    stayed = {
        article
        for article in had.keys() & has.keys()
        if (before[article].story, before[article].provider)
        == (after[article].story, after[article].provider)
        and before[article].members(dimension) == after[article].members(dimension)
    }
    stayed_before = mean({article: had[article] for article in stayed})
    stayed_after = mean({article: has[article] for article in stayed})
    old, new = mean(had), mean(has)
    effects = dict.fromkeys(("new_effect", "removed_effect", "rescored_effect"))
    if old is not None and new is not None:
        effects = dict(zip(effects, (new - old, 0.0, 0.0), strict=True))
        if stayed_before is not None and stayed_after is not None:
            parts = (new - stayed_after, stayed_before - old, stayed_after - stayed_before)
            effects = dict(zip(effects, parts, strict=True))
    return {
        "scored_articles": len(has),
        "new_articles": len(has.keys() - stayed),
        "removed_articles": len(had.keys() - stayed),
        "rescored_articles": sum(had[article] != has[article] for article in stayed),
        "quality_mean": new,
        "quality_change": None if old is None or new is None else new - old,
        **effects,
        "contribution": contribution(before, after, had, has),
    }


def contribution(
    before: Snapshot,
    after: Snapshot,
    had: dict[str, tuple[float, int]],
    has: dict[str, tuple[float, int]],
) -> float | None:
    """Compute what a member did to the mean of all: each article pulls it towards its score."""
    if not before or not after:
        return None
    whole = math.fsum(state.quality or 0 for state in before.values()) / len(before)
    pull = sum(weight * (quality - whole) for weight, quality in has.values())
    pull -= sum(weight * (quality - whole) for weight, quality in had.values())
    return pull / len(after)


def held(snapshot: Snapshot, dimension: str, member: str) -> dict[str, tuple[float, int]]:
    """Return the articles of a member with their weight and their score."""
    return {
        article: (1 / len(state.members(dimension)), state.quality or 0)
        for article, state in snapshot.items()
        if member in state.members(dimension)
    }


def mean(articles: dict[str, tuple[float, int]]) -> float | None:
    """Return the weighted mean of the scores."""
    weights = sum(weight for weight, _ in articles.values())
    return (
        sum(weight * quality for weight, quality in articles.values()) / weights
        if weights
        else None
    )
