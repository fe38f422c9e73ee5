"""A run rebuilds the models whose input changed, and comes to the tables of a full rebuild."""

import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from flows import MatterhouseError
from flows.frontmatter import FrontMatter, Plain, Value
from flows.load import merge
from flows.load.ledger import Run
from flows.models import build, by_key, changes, comments, files
from flows.normalize.rows import normalize
from flows.source.extract import Document, Extracted, Reject
from flows.source.read import Signature
from flows.warehouse.connection import table_names

START = datetime(2025, 3, 1, tzinfo=UTC)
PATHS = [f"_news/2025-0{month}-0{day}-{name}.md" for month, day, name in
         ((1, 2, "a"), (1, 9, "b"), (2, 3, "c"), (2, 4, "d"))]  # fmt: skip
Fields = dict[str, Value]
Files = dict[str, Fields | None]
# What one edit makes of a file: other values, None for one that broke, or another path.
EDITS: dict[str, dict[str, Value]] = {
    "score": {"quality": 40, "heat": 44},
    "unscored": {"quality": None},
    "title": {"title": "Another"},
    "excerpt": {"excerpt": "In other words."},
    "payload": {"secured": "c2VjcmV0"},
    "topics": {"topics": ["Wind", "Energy"]},
    "provider": {"provider": {"name": "Q", "domain": "q.example"}},
    "date": {"publishedDateTime": Plain("2024-11-30")},
    "image": {"images": [{"url": "1.jpg"}]},
    "cited": {"related": [{"title": "t", "quality": 9, "provider": {"domain": "p.example"}}]},
    "address": {"originalUrl": "https://p.example/other"},
    "warned": {"quality": "high"},
    "scheduled": {"publishedDateTime": Plain("2025-03-03")},
    "past topics": {"topics": ["solar", "Coal"]},
}
edits = st.lists(
    st.tuples(st.sampled_from(PATHS), st.sampled_from([*EDITS, "broken", "gone", "moved"])),
    min_size=1,
    max_size=3,
)


class Warehouse:
    """Files that change from run to run, each on a day of its own, and what is built of them."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con, self.days = con, 0
        self.files: Files = {
            path: {
                "title": path,
                "publishedDateTime": Plain(path[6:16]),
                "quality": 70 + at,
                "heat": 75,
                "provider": {"name": "P", "domain": "p.example"},
                "topics": ["Solar", "Energy"],
                "originalUrl": f"https://p.example/{at}",
            }
            for at, path in enumerate(PATHS)
        }
        con.execute("set TimeZone = 'UTC'")
        build.create_tables(con)
        self.built = self.load(self.files, [])

    def edit(self, path: str, edit: str) -> None:
        """Make one run that finds one file changed; a file that is not there comes back."""
        self.edit_all([(path, edit)])

    def edit_all(self, asked: list[tuple[str, str]]) -> None:
        """Make one run of some edits."""
        before = dict(self.files)
        for path, edit in asked:
            fields = self.files.pop(path, {"title": "back"})
            if edit == "broken":
                self.files[path] = None
            elif edit == "moved":
                self.files[path.replace("_news/", "_moved/")] = fields
            elif edit != "gone":
                self.files[path] = {**(fields or {}), **EDITS[edit]}
        differing = {p: f for p, f in self.files.items() if before.get(p, ()) != f}
        self.built = self.load(differing, [path for path in before if path not in self.files])

    def load(self, changed: Files, vanished: list[str]) -> list[str]:
        """Load what changed, and return the models that were rebuilt."""
        run = Run(f"run-{self.days}", START + timedelta(days=self.days))
        self.days += 1
        documents, rejects = [], []
        for path, fields in changed.items():
            mark = Signature(1, "mark")
            if fields is None:
                rejects.append(Reject(path, "broken", mark, "quarantined", "code", "why", "how"))
            else:
                content = FrontMatter(fields, 0)
                documents.append(
                    Document(path, str(fields), mark, "article", content, b"---\n---\n")
                )
        merge.begin(self.con, vanished)
        merge.load(self.con, normalize(Extracted(documents, rejects, []), run.started_at), run)
        merge.finish(self.con, 0, run)
        self.con.execute("commit")
        self.con.execute(
            "insert into ops.runs by name select $run_id as run_id, $started_at as started_at",
            {"run_id": run.run_id, "started_at": run.started_at},
        )
        changed = merge.list_changes(self.con, run)
        return build.build(self.con, None if run.run_id == "run-0" else changed).tables

    def models(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of every model."""
        names = [t for t in table_names(self.con) if t.startswith(("staging.", "marts."))]
        return {
            name: sorted(self.con.execute(f"from {name}").fetchall(), key=repr) for name in names
        }


@pytest.fixture(autouse=True, scope="module")
def without_comments() -> Iterator[None]:
    """Leave out the comments, which take as long as the models."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(comments, "write", lambda con, file: None)
        yield


@pytest.fixture
def built() -> Iterator[Warehouse]:
    """Give a warehouse of four articles."""
    with duckdb.connect(config={"threads": 1}) as con:
        yield Warehouse(con)


@pytest.fixture
def by_key_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refresh by key what can be, as if the corpus were large and each change small in it."""
    monkeypatch.setattr(build, "LARGE", 0)
    monkeypatch.setattr(changes, "FEW", 0)


@pytest.fixture(params=["whole", "by key"])
def way(request: pytest.FixtureRequest) -> None:
    """Rebuild what a change reaches as a whole, as in a small corpus, or by key, as in a large."""
    if request.param == "by key":
        request.getfixturevalue("by_key_only")


@pytest.fixture
def copied_sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a copy of the SQL files to add a mart to."""
    folder = tmp_path / "sql"
    shutil.copytree(files.sql_folder(), folder)
    monkeypatch.setattr(files, "sql_folder", lambda: folder)
    return folder


@pytest.mark.usefixtures("way")
@settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    # A smaller example is not worth the minutes that it takes to find.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.lists(edits, min_size=2, max_size=5))
def test_runs_come_to_the_tables_of_a_full_rebuild(runs: list[list[tuple[str, str]]]) -> None:
    """Whatever is edited in whatever order, no table keeps a row of an earlier state."""
    with duckdb.connect(config={"threads": 1}) as con:
        warehouse = Warehouse(con)
        for asked in runs:
            warehouse.edit_all(asked)
        models = warehouse.models()
        build.build(con)
        assert models == warehouse.models()


@pytest.mark.parametrize(
    ("edit", "rebuilt"),
    [
        (
            "payload",
            {
                "staging.articles",
                "staging.clock",
                "staging.providers",
                "staging.translations",
                "marts.articles",
                "marts.coverage",
            },
        ),
        (
            "image",
            {
                "staging.articles",
                "staging.clock",
                "staging.providers",
                "staging.translations",
                "marts.articles",
                "marts.coverage",
            },
        ),
    ],
)
def test_what_no_report_is_made_of_rebuilds_none_of_them(
    built: Warehouse, edit: str, rebuilt: set[str]
) -> None:
    """Most rewrites of a file touch nothing that a trend counts."""
    built.edit(PATHS[0], edit)
    assert set(built.built) == rebuilt


def test_a_new_score_leaves_topics_alone(built: Warehouse) -> None:
    """What is made of topics alone is as it was."""
    built.edit(PATHS[0], "score")
    assert {"marts.topic_pairs", "staging.article_topics", "staging.topics"}.isdisjoint(built.built)
    assert {"marts.topic_trends", "marts.article_versions"} <= set(built.built)


def test_every_model_has_for_some_keys_the_rows_that_it_has_for_all(built: Warehouse) -> None:
    """Nothing that a model says of a key hangs on rows of other keys."""
    built.edit_all([(PATHS[0], "score"), (PATHS[1], "moved"), (PATHS[2], "address")])
    built.edit_all([(PATHS[0], "gone"), (PATHS[2], "past topics"), (PATHS[3], "provider")])
    chance, held = random.Random(1), set()
    with changes.take_in(built.con, {}, files.in_order(), is_by_key=True) as known:
        for file in files.in_order():
            if not file.refresh_keys:
                continue
            names = ", ".join(file.refresh_keys[0])
            keys = built.con.execute(f"select distinct {names} from {file.name} order by all")
            some = chance.choices(keys.fetchall(), k=3)
            with changes.attached(built.con, "work") as work:
                by_key.create_keys(built.con, file, known, work)
                marks = ", ".join("?" for _ in file.refresh_keys[0])
                built.con.executemany(f"insert into work.keys values ({marks})", some)
                by_key.make_rows(built.con, file, known, work)
                kept = f"({names}) in (from work.keys)"
                stored = built.con.execute(f"from {file.name} where {kept} order by all").fetchall()
                fresh = built.con.execute("from work.fresh order by all").fetchall()
            assert fresh == stored, file.name
            held.add(file.name)
    assert {"marts.articles", "marts.stories", "staging.quality_steps"} <= held


COUNTING = """\
-- How many articles are there?
-- Grain: one row per article (article_id)
-- Key: article_id
-- Reads: staging.articles
-- Note: the count depends on all articles, so the key is wrong.
select
    article_id,  -- path
    {column}
from staging.articles
"""


@pytest.mark.usefixtures("by_key_only")
@pytest.mark.parametrize(
    ("column", "is_right"),
    [("count(*) over () as articles,  -- articles", False), ("quality,  -- score", True)],
)
def test_a_mart_of_ones_own_is_refreshed_by_its_key_which_can_be_verified(
    built: Warehouse,
    copied_sql: Path,
    column: str,
    is_right: bool,
) -> None:
    """A key that leaves out what a row depends on is found out, with the line to take out."""
    (copied_sql / "marts" / "own.sql").write_text(COUNTING.format(column=column))
    build.build(built.con)
    build.verify(built.con)
    built.edit_all([(PATHS[0], "gone"), (PATHS[1], "score")])
    if is_right:
        build.verify(built.con)
        found = built.con.execute("from marts.own order by all").fetchall()
        assert found == [(PATHS[1], 40), (PATHS[2], 72), (PATHS[3], 73)]
        return
    with pytest.raises(MatterhouseError, match=r"marts.own does not hold the rows that sql/marts"):
        build.verify(built.con)


@pytest.mark.usefixtures("by_key_only")
def test_a_key_that_is_no_column_is_refused(built: Warehouse, copied_sql: Path) -> None:
    """The message has the file, the line and the name."""
    sql = COUNTING.format(column="quality,  -- score").replace("Key: article_id", "Key: story")
    (copied_sql / "marts" / "own.sql").write_text(sql)
    build.build(built.con)
    with pytest.raises(
        MatterhouseError, match=r"`Key: story`, but story is no column of marts.own"
    ):
        built.edit(PATHS[0], "score")
    attached = built.con.execute("select database_name from duckdb_databases() where not internal")
    assert attached.fetchall() == [("memory",)]
