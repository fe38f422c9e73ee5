"""Frames in, raw tables, ledger and score history out."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from flows import MatterhouseError
from flows.frontmatter import FrontMatter, Plain
from flows.load import first, merge, staging
from flows.load.ledger import Outcomes, Run
from flows.models import build
from flows.normalize.frames import Frames, columns
from flows.normalize.rows import normalize
from flows.source.extract import Document, Extracted, Reject, Unchanged
from flows.source.read import Signature
from flows.warehouse.generations import WarehouseDamaged

START = datetime(2025, 3, 1, tzinfo=UTC)
NO_FILES = Outcomes(new=0, changed=0, unchanged=0, renamed=0, returned=0, gone=0)


class Ground:
    """A database that runs are loaded into, the n-th one on the n-th of March."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.days = itertools.count()

    def run(self, *frames: Frames, vanished: tuple[str, ...] = (), unchanged: int = 0) -> Outcomes:
        """Load a run of these batches and return what it met."""
        day = next(self.days)
        run = Run(f"run-{day + 1}", START + timedelta(days=day))
        merge.begin(self.con, vanished)
        for batch in frames:
            merge.load(self.con, batch, run)
        outcomes = merge.finish(self.con, unchanged, run)
        self.con.execute("commit")
        return outcomes

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.con.execute(query).fetchall()

    def versions(self) -> list[tuple[Any, ...]]:
        """Return the score history."""
        return self.rows(
            """
            select run_id, article_id, change, changed_fields, renamed_from, quality, topics
            from raw.article_versions
            order by run_id, article_id
            """
        )


@pytest.fixture
def ground() -> Iterator[Ground]:
    """Give empty tables."""
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        build.create_tables(con)
        yield Ground(con)


def article(
    path: str,
    quality: int | str = 80,
    content: str | None = None,
    topics: tuple[str, ...] = ("Solar",),
) -> Document:
    """Return an article; its hash stands for its path and score unless `content` is given."""
    fields = {"title": "t", "quality": quality, "topics": list(topics)}
    hashed = content or f"{path} {quality} {topics}"
    return Document(
        path, hashed, Signature(1, "mark"), "article", FrontMatter(fields, 0), b"---\n---\n"
    )


def read(*found: Document | Reject | Unchanged) -> Frames:
    """Return the frames of a batch in which these were found."""
    return normalize(
        Extracted(
            [each for each in found if isinstance(each, Document)],
            [each for each in found if isinstance(each, Reject)],
            [each for each in found if isinstance(each, Unchanged)],
        )
    )


def missed(path: str, code: str) -> Reject:
    """Return a file that vanished or changed while it was read."""
    return Reject(path, None, None, "missed", code, "why", "how")


def broken(path: str, code: str = "unclosed_fence") -> Reject:
    """Return a file that could not be loaded."""
    return Reject(path, f"broken {path}", Signature(1, "mark"), "quarantined", code, "why", "how")


LEDGER = """
select path, status, reason_code, day(first_seen_at), day(changed_at), day(gone_at), run_id
from ops.files
order by path
"""


def test_a_first_run_fills_tables_ledger_and_history(ground: Ground) -> None:
    """Articles and rejects of all batches are new, and each article has its first version."""
    outcomes = ground.run(read(article("a"), broken("b")), read(article("c", topics=())))
    assert outcomes == Outcomes(new=3, changed=0, unchanged=0, renamed=0, returned=0, gone=0)
    assert ground.rows("select article_id, quality from raw.articles order by all") == [
        ("a", 80),
        ("c", 80),
    ]
    assert ground.rows("from raw.article_topics") == [("a", 1, "Solar")]
    assert ground.rows(LEDGER) == [
        ("a", "loaded", None, 1, 1, None, "run-1"),
        ("b", "quarantined", "unclosed_fence", 1, 1, None, "run-1"),
        ("c", "loaded", None, 1, 1, None, "run-1"),
    ]
    assert ground.versions() == [
        ("run-1", "a", "added", [], None, 80, ["Solar"]),
        ("run-1", "c", "added", [], None, 80, []),
    ]


def test_a_run_without_files_changes_nothing(ground: Ground) -> None:
    """Files that the scan knew to be unchanged are only counted."""
    ground.run(read(article("a")))
    before = ground.rows(LEDGER)
    outcomes = ground.run(unchanged=1)
    assert outcomes == Outcomes(new=0, changed=0, unchanged=1, renamed=0, returned=0, gone=0)
    assert (outcomes.any, ground.rows(LEDGER)) == (False, before)


def test_a_touched_file_gets_its_new_signature_only(ground: Ground) -> None:
    """Neither its rows nor its history nor the time of its change move."""
    ground.run(read(article("a")))
    outcomes = ground.run(read(Unchanged("a", "hash", Signature(2, "new mark"))))
    assert (outcomes.unchanged, outcomes.any) == (1, False)
    assert ground.rows(LEDGER) == [("a", "loaded", None, 1, 1, None, "run-1")]
    assert ground.rows("select size_bytes, mark from ops.files") == [(2, "new mark")]
    assert len(ground.versions()) == 1


@pytest.mark.parametrize("code", ["vanished", "changing"])
@pytest.mark.parametrize("was", [article("a"), broken("a")], ids=["loaded", "quarantined"])
def test_a_known_file_that_is_missed_stays_as_it_was(
    ground: Ground, was: Document | Reject, code: str
) -> None:
    """An editor that saves it meanwhile removes nothing; the next run reads it."""
    ground.run(read(was))
    before = ground.rows(LEDGER), ground.rows("from raw.articles"), ground.versions()
    assert ground.run(read(missed("a", code))) == replace(NO_FILES, unchanged=1)
    assert (ground.rows(LEDGER), ground.rows("from raw.articles"), ground.versions()) == before
    assert ground.rows("select size_bytes, mark from ops.files") == [(1, None)]


@pytest.mark.parametrize("runs_before", [0, 1])
def test_a_new_file_that_is_missed_is_quarantined_unless_it_vanished(
    ground: Ground, runs_before: int
) -> None:
    """Temporary files of other programs leave no trace."""
    for _ in range(runs_before):
        ground.run(read(article("known")))
    outcomes = ground.run(read(missed("a", "vanished"), missed("b", "changing")))
    assert outcomes == replace(NO_FILES, new=1)
    run = runs_before + 1
    row = ("b", "quarantined", "changing", run, run, None, f"run-{run}")
    assert ground.rows(LEDGER)[:1] == [row]
    outcomes = ground.run(read(missed("a", "vanished"), article("b")))
    assert outcomes == replace(NO_FILES, changed=1)


def test_a_first_run_comes_to_the_rows_of_a_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """It compares with nothing, and leaves what comparing with empty tables leaves."""
    full = {"title": "t", "topics": ["Solar", "Wind"], "images": [{"url": "1.jpg"}], "quality": "x"}
    content = FrontMatter(full | {"provider": {"name": "P", "images": [{"url": "2.jpg"}]}}, 0)
    named = FrontMatter({"taxonomy": "topic", "name": "T", "otherNames": ["U", "V"]}, 0)
    mark = Signature(1, "mark")
    batches = [
        read(
            Document("_n/2025-01-31-a.md", "x", mark, "article", content, b"---\n---\n"),
            Document("t.yaml", "t", mark, "topic", named, b"taxonomy: topic\n"),
            broken("b"),
        ),
        read(article("c"), missed("d", "changing"), missed("e", "vanished")),
    ]
    found = []
    for is_first in (None, lambda con, run: False):
        if is_first:
            monkeypatch.setattr(first, "is_first", is_first)
        with duckdb.connect() as con:
            con.execute("set TimeZone = 'UTC'")
            build.create_tables(con)
            ground = Ground(con)
            outcomes = ground.run(*batches)
            tables = {table: ground.rows(f"from {table} order by all") for table in columns()}
            found.append((outcomes, tables, ground.rows("from raw.article_versions order by all")))
    assert found[0] == found[1]
    assert {table for table, rows in found[0][1].items() if not rows} == {"raw.related_articles"}


def test_warnings_live_as_long_as_what_they_warn_of(ground: Ground) -> None:
    """A file that is read anew brings new ones; a file that is gone has none."""

    def warnings() -> list[tuple[Any, ...]]:
        return ground.rows("select path, field, code from ops.warnings order by all")

    ground.run(read(article("a", "high"), article("b", "low")))
    assert warnings() == [("a", "quality", "wrong_type"), ("b", "quality", "wrong_type")]
    ground.run(read(article("a", 80)))
    assert warnings() == [("b", "quality", "wrong_type")]
    ground.run(vanished=("b",))
    assert warnings() == []


def test_a_changed_article_replaces_its_rows_and_adds_a_version(ground: Ground) -> None:
    """The version names the columns that differ, the topics among them."""
    ground.run(read(article("a")))
    outcomes = ground.run(read(article("a", 90, topics=("Wind", "Sun"))))
    assert outcomes == Outcomes(new=0, changed=1, unchanged=0, renamed=0, returned=0, gone=0)
    assert ground.rows(
        "select quality, day(first_seen_at), day(observed_at) from raw.articles"
    ) == [(90, 1, 2)]
    assert ground.rows("select position, topic from raw.article_topics order by all") == [
        (1, "Wind"),
        (2, "Sun"),
    ]
    assert ground.rows(LEDGER) == [("a", "loaded", None, 1, 2, None, "run-2")]
    assert ground.versions()[1:] == [
        ("run-2", "a", "changed", ["quality", "topics"], None, 90, ["Wind", "Sun"])
    ]


def test_a_change_that_no_report_uses_is_no_version(ground: Ground) -> None:
    """Other bytes with the same analytic columns are a change of the ledger only."""
    ground.run(read(article("a", content="x")))
    assert ground.run(read(article("a", content="y"))).changed == 1
    assert len(ground.versions()) == 1


def test_a_state_that_returns_is_a_version_again(ground: Ground) -> None:
    """A-B-A: each state is compared with the one before, not with all there were."""
    for quality in (80, 90, 80):
        ground.run(read(article("a", quality)))
    assert [(row[0], row[2], row[5]) for row in ground.versions()] == [
        ("run-1", "added", 80),
        ("run-2", "changed", 90),
        ("run-3", "changed", 80),
    ]


def test_equal_bytes_under_a_new_path_are_a_rename(ground: Ground) -> None:
    """History goes on under the new path, from the day on which the old one was first seen."""
    ground.run(read(article("old", content="x")))
    outcomes = ground.run(read(article("new", content="x")), vanished=("old",))
    assert outcomes == Outcomes(new=0, changed=0, unchanged=0, renamed=1, returned=0, gone=0)
    assert ground.rows("select article_id, day(first_seen_at) from raw.articles") == [("new", 1)]
    assert ground.rows(LEDGER) == [
        ("new", "loaded", None, 1, 2, None, "run-2"),
        ("old", "gone", None, 1, 2, 2, "run-2"),
    ]
    assert ground.versions()[1:] == [
        ("run-2", "new", "renamed", [], "old", 80, ["Solar"]),
        ("run-2", "old", "removed", [], None, 80, ["Solar"]),
    ]


def test_what_moves_onto_a_broken_file_or_leaves_one_behind_is_renamed(ground: Ground) -> None:
    """A run follows an article as commits do: by the bytes that come where others go."""
    ground.run(read(article("a", content="of a"), article("c", content="of c"), broken("b")))
    ground.run(
        read(article("b", content="of a"), broken("c"), article("d", content="of c")),
        vanished=("a",),
    )
    followed = """
        select article_id, change, renamed_from, origin_id, changed_fields
        from raw.article_versions
        where run_id = 'run-2'
        order by article_id
    """
    assert ground.rows(followed) == [
        ("a", "removed", None, "a", []),
        ("b", "renamed", "a", "a", []),
        ("c", "removed", None, "c", []),
        ("d", "renamed", "c", "c", []),
    ]


@pytest.mark.parametrize("merged_at", [1, 100], ids=["merged batch by batch", "merged once"])
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
def test_equal_files_pair_off_in_order_of_path(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, together: bool, merged_at: int
) -> None:
    """Each vanished path is the origin of one new path at most; what is over is new."""
    monkeypatch.setattr(merge, "MERGE_FILES", merged_at)
    ground.run(read(article("a", content="x"), article("b", content="x")))
    new = [article(path, content="x") for path in ("p", "q", "r")]
    batches = [read(*new)] if together else [read(new[0]), read(*new[1:])]
    outcomes = ground.run(*batches, vanished=("a", "b"))
    assert outcomes == Outcomes(new=1, changed=0, unchanged=0, renamed=2, returned=0, gone=0)
    assert [(row[1], row[2], row[4]) for row in ground.versions()[2:]] == [
        ("a", "removed", None),
        ("b", "removed", None),
        ("p", "renamed", "a"),
        ("q", "renamed", "b"),
        ("r", "added", None),
    ]


def test_a_vanished_file_is_gone_and_returns(ground: Ground) -> None:
    """Its article leaves the tables; its row, its history and its first day stay."""
    ground.run(read(article("a"), article("b")))
    gone = ground.run(vanished=("a",), unchanged=1)
    assert gone == Outcomes(new=0, changed=0, unchanged=1, renamed=0, returned=0, gone=1)
    assert ground.rows("select article_id from raw.articles") == [("b",)]
    assert ground.rows("select article_id from raw.article_topics") == [("b",)]
    assert ground.rows(LEDGER)[0] == ("a", "gone", None, 1, 2, 2, "run-2")
    back = ground.run(read(article("a")), unchanged=1)
    assert back == Outcomes(new=1, changed=0, unchanged=1, renamed=0, returned=1, gone=0)
    assert ground.rows(LEDGER)[0] == ("a", "loaded", None, 1, 3, None, "run-3")
    assert [(row[0], row[2]) for row in ground.versions() if row[1] == "a"] == [
        ("run-1", "added"),
        ("run-2", "removed"),
        ("run-3", "returned"),
    ]


def test_history_keeps_all_that_an_article_is_judged_by(ground: Ground) -> None:
    """Whatever column staging.articles reads of an article, its last version has the same."""
    fields = {
        "title": "Fish &amp;  chips",
        "publishedDateTime": Plain("2025-01-31T12:30:00Z"),
        "webUrl": "https://p.example/1",
        "originalUrl": "https://q.example/1",
        "provider": {"name": "P", "domain": "p.example"},
        "category": "news",
        "type": "article",
        "quality": 7,
        "heat": 8,
        "published": False,
        "removed": True,
    }
    content = FrontMatter(fields, 0)
    ground.run(read(Document("a", "x", Signature(1, "mark"), "article", content, b"---\n---\n")))
    kept = """
        original_url, web_url, provider_name, provider_domain, published_at, category, type,
        title_text, quality, heat, is_published, is_removed
    """
    (article_row,) = ground.rows(f"select {kept} from raw.articles")
    assert None not in article_row
    ground.run(vanished=("a",))
    assert ground.rows(f"select {kept} from raw.article_versions") == [article_row, article_row]


ORIGINS = """
select article_id, change, origin_id from raw.article_versions
order by observed_at, change = 'renamed', article_id
"""


def test_an_article_is_followed_through_its_renames(ground: Ground) -> None:
    """Moved, re-scored, moved again, removed and returned, it is known by its first path."""
    ground.run(read(article("a", content="x")))
    ground.run(read(article("b", content="x")), vanished=("a",))
    ground.run(read(article("b", 90, content="y")))
    ground.run(read(article("c", 90, content="y")), vanished=("b",))
    ground.run(vanished=("c",))
    ground.run(read(article("c", 90, content="z")))
    assert ground.rows(ORIGINS) == [
        ("a", "added", "a"),
        ("a", "removed", "a"),
        ("b", "renamed", "a"),
        ("b", "changed", "a"),
        ("b", "removed", "a"),
        ("c", "renamed", "a"),
        ("c", "removed", "a"),
        ("c", "returned", "a"),
    ]


def test_a_new_article_on_the_path_of_a_moved_one_is_another(ground: Ground) -> None:
    """What comes to a path whose article lives on elsewhere, or ended elsewhere, begins anew."""
    ground.run(read(article("a", content="x")))
    ground.run(read(article("b", content="x")), vanished=("a",))
    ground.run(read(article("a", 10)))
    ground.run(vanished=("a", "b"))
    ground.run(read(article("a", 11), article("b", 12)))
    assert ground.rows(ORIGINS)[3:] == [
        ("a", "returned", "a@2025-03-03T00:00:00.000000Z"),
        ("a", "removed", "a@2025-03-03T00:00:00.000000Z"),
        ("b", "removed", "a"),
        ("a", "returned", "a@2025-03-03T00:00:00.000000Z"),
        ("b", "returned", "a"),
    ]


def test_an_article_that_breaks_is_removed_and_returns(ground: Ground) -> None:
    """A reject takes the rows of its file away; another reason later is a change, the same none."""
    ground.run(read(article("a")))
    seen = [
        ground.run(read(found))
        for found in (broken("a"), broken("a"), broken("a", "tab_indent"), article("a"))
    ]
    assert [(outcomes.changed, outcomes.unchanged) for outcomes in seen] == [
        (1, 0),
        (0, 1),
        (1, 0),
        (1, 0),
    ]
    assert [(row[0], row[2]) for row in ground.versions()] == [
        ("run-1", "added"),
        ("run-2", "removed"),
        ("run-5", "returned"),
    ]
    assert ground.rows(LEDGER) == [("a", "loaded", None, 1, 5, None, "run-5")]


@pytest.mark.parametrize(
    ("bend", "lacks", "has"),
    [
        (lambda frame: frame.drop(columns=["topic"]), ["topic"], []),
        (lambda frame: frame.assign(more=1), [], ["more"]),
        (lambda frame: frame.rename(columns={"topic": "Topic"}), ["topic"], ["Topic"]),
    ],
    ids=["missing", "too much", "misspelled"],
)
def test_a_frame_of_another_shape_is_refused(
    ground: Ground, bend: Callable[..., Any], lacks: list[str], has: list[str]
) -> None:
    """DuckDB would fill a missing column with null: both kinds are named, even without rows."""
    for given in (read(article("a")), read()):
        frames = {**given, "raw.article_topics": bend(given["raw.article_topics"])}
        with pytest.raises(MatterhouseError) as refused:
            ground.run(frames)
        assert str(refused.value) == (
            f"raw.article_topics: the frame lacks {lacks} and has {has} too much"
        )
        ground.con.execute("rollback")


def test_frames_and_tables_have_the_same_columns(ground: Ground) -> None:
    """But for what only the run knows, no column of a raw table comes from nowhere."""
    found = {
        table: {name for name, *_ in ground.rows(f"describe {table}")}
        - staging.RUN_COLUMNS.get(table, {}).keys()
        for table in columns()
    }
    assert found == {table: set(declared) for table, declared in columns().items()}


def test_a_run_that_did_not_reach_the_file_is_noticed(ground: Ground) -> None:
    """A commit is believed when the row of the run can be read back."""
    merge.begin(ground.con, [])
    with pytest.raises(WarehouseDamaged, match="run run-1 did not reach the file"):
        merge.commit(ground.con, Run("run-1", START))


def test_no_file_is_no_outcome(ground: Ground) -> None:
    """Whether the source differs is told by the counts alone."""
    assert (ground.run(), NO_FILES.any) == (NO_FILES, False)
