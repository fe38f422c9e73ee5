"""Builds of a folder that is a git work tree: years of history on the first run."""

import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from flows.cli import main
from flows.pipeline.context import Request
from flows.pipeline.run import run
from flows.source import commit_tree, git, history
from flows.source.git_process import NoHistory
from flows.workers.runner import Runner
from tests.conftest import Content, article, copy_sql
from tests.repositories import DAY, FIRST, Repository


class Tended(Content):
    """A content folder under version control."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.repository = Repository(self.source)
        self.commits: list[str] = []

    def commit(self, files: Mapping[str, str | None], at: int | None = None) -> str:
        """Write or remove files, and commit."""
        self.edit(files)
        self.commits.append(self.repository.commit(at=at))
        return self.commits[-1]

    def edit(self, files: Mapping[str, str | None]) -> None:
        """Write or remove files without a commit."""
        for path, text in files.items():
            if text is None:
                (self.source / path).unlink()
            else:
                self.write(path, text)

    def versions(self) -> list[tuple[Any, ...]]:
        """Return when, what, which and with which score; the run's own time is None."""
        return self.query(
            """
            select
                if(commit is null, null, epoch_us(observed_at) / 1e6), change, article_id, quality
            from raw.article_versions
            order by observed_at, change = 'renamed', article_id
            """
        )

    def as_of(self, commit: str) -> list[tuple[Any, ...]]:
        """Return the articles after a commit."""
        return self.query(
            f"""
            select article_id, quality from as_of((
                select observed_at from raw.commits where commit = '{commit}'
            ))
            """
        )


@pytest.fixture(scope="session")
def sql_without_reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the SQL files of the history, and what it must agree with."""
    tables = ("staging.articles", "marts.article_versions", "as_of()")
    return copy_sql(tmp_path_factory.mktemp("sql"), *tables)


@pytest.fixture(autouse=True)
def no_reports(without_reports: None) -> None:
    """Leave out the reports that are made of a history."""


@pytest.fixture
def tended(tmp_path: Path) -> Tended:
    """Give a repository of two articles, one of which was scored anew a day later."""
    tended = Tended(tmp_path)
    tended.commit({"a.md": article("a", 10), "b.md": article("b", 20)})
    tended.commit({"a.md": article("a", 11)})
    return tended


THE_TWO = [
    (FIRST, "added", "a.md", 10),
    (FIRST, "added", "b.md", 20),
    (FIRST + DAY, "changed", "a.md", 11),
]


def test_the_first_build_tells_the_whole_history(tended: Tended) -> None:
    """Every change has its commit and its time, and the scan adds nothing to it."""
    receipt = tended.build()
    assert (receipt.commits, receipt.source_commit) == (2, tended.commits[-1])
    assert tended.versions() == THE_TWO
    changes = tended.query(
        "select commit, epoch(committed_at), changed_fields, run_id from raw.article_versions"
        " where change = 'changed'"
    )
    assert changes == [(tended.commits[1], FIRST + DAY, ["quality", "heat"], receipt.run_id)]


def test_later_builds_take_new_commits(tended: Tended) -> None:
    """Each has its own state, though the run saw only what came of them all."""
    tended.build()
    tended.commit({"a.md": article("a", 12)})
    tended.commit({"a.md": article("a", 13), "b.md": None})
    receipt = tended.build()
    assert receipt.commits == 2
    assert [row[1:] for row in tended.versions()[3:]] == [
        ("changed", "a.md", 12),
        ("changed", "a.md", 13),
        ("removed", "b.md", 20),
    ]
    assert [tended.as_of(commit) for commit in tended.commits[1:]] == [
        [("a.md", 11), ("b.md", 20)],
        [("a.md", 12), ("b.md", 20)],
        [("a.md", 13)],
    ]


def test_a_commit_that_only_removes_files_is_read(tended: Tended) -> None:
    """It holds no file to read, and takes its article out all the same."""
    tended.build()
    removed = tended.commit({"b.md": None})
    receipt = tended.build()
    assert (receipt.commits, receipt.gone) == (1, 1)
    assert [row[1:] for row in tended.versions()[3:]] == [("removed", "b.md", 20)]
    assert tended.as_of(removed) == [("a.md", 11)]


def test_a_commit_that_was_pulled_late_changes_no_answer_given_before(tended: Tended) -> None:
    """It is older than the last run, but no reader could know of it then."""
    tended.build()
    ((looked_at,),) = tended.query("select max(started_at) from ops.runs")
    answer = f"from as_of('{looked_at}'::timestamptz)"
    before = tended.query(answer)
    tended.commit({"a.md": article("a", 12)})
    tended.build()
    assert tended.query(answer) == before
    times = tended.query(
        f"select epoch_us(observed_at) - epoch_us('{looked_at}'::timestamptz), epoch(committed_at)"
        f" from raw.article_versions where commit = '{tended.commits[-1]}'"
    )
    assert times == [(1, FIRST + 2 * DAY)]


def test_rewrites_that_change_nothing_make_no_version(tended: Tended) -> None:
    """A signature and the ends of lines are noise; a score that comes back is not."""
    tended.commit({"a.md": article("a", 11, secured="bm9pc2U=")})
    tended.commit({"a.md": article("a", 11).replace("\n", "\r\n")})
    tended.commit({"a.md": article("a", 10)})
    tended.build()
    assert tended.versions() == [*THE_TWO, (FIRST + 4 * DAY, "changed", "a.md", 10)]


def test_an_edit_that_is_not_committed_is_a_version_of_the_run(tended: Tended) -> None:
    """Once it is committed, it is known already."""
    tended.edit({"a.md": article("a", 12), "c.md": article("c", 30), "b.md": None})
    tended.build()
    seen = [*THE_TWO, *((None, *row) for row in TOUCHED)]
    assert tended.versions() == seen
    tended.commit({})
    receipt = tended.build()
    assert (receipt.commits, tended.versions()) == (1, seen)
    tended.commit({"a.md": article("a", 13)})
    tended.build()
    assert [row[1:] for row in tended.versions()[len(seen) :]] == [("changed", "a.md", 13)]


TOUCHED = [("changed", "a.md", 12), ("removed", "b.md", 20), ("added", "c.md", 30)]


def test_a_file_that_was_moved_and_not_committed_is_renamed(tended: Tended) -> None:
    """Though no run has seen its earlier path; the commit then makes no version."""
    tended.commit({"a.md": article("a", 11, secured="bm9pc2U=")})
    (tended.source / "a.md").rename(tended.source / "moved.md")
    tended.edit({"copy-of-b.md": article("b", 20)})
    receipt = tended.build()
    assert (receipt.new, receipt.renamed, receipt.gone) == (3, 0, 0)
    seen = [
        *THE_TWO,
        (None, "added", "copy-of-b.md", 20),
        (None, "removed", "a.md", 11),
        (None, "renamed", "moved.md", 11),
    ]
    assert sorted(tended.versions(), key=str) == sorted(seen, key=str)
    origins = tended.query(
        "select origin_id, renamed_from from marts.article_versions where article_id = 'moved.md'"
    )
    assert origins == [("a.md", "a.md")]
    tended.commit({})
    receipt = tended.build()
    assert (receipt.commits, len(tended.versions())) == (1, len(seen))


def test_a_file_that_was_moved_over_another_changes_that_one(tended: Tended) -> None:
    """As it does where a run has seen both."""
    (tended.source / "a.md").rename(tended.source / "b.md")
    receipt = tended.build()
    assert (receipt.new, receipt.renamed, receipt.gone) == (1, 0, 0)
    assert sorted(tended.versions(), key=str) == sorted(
        [*THE_TWO, (None, "changed", "b.md", 11), (None, "removed", "a.md", 11)], key=str
    )


def test_the_work_tree_has_the_last_word(tended: Tended) -> None:
    """It may hold earlier states than the last commit, and files that git does not track."""
    tended.build()
    tended.commit({"a.md": article("a", 12), "d.md": article("d", 40)})
    tended.repository.git("rm", "--quiet", "--cached", "b.md")
    tended.repository.git("commit", "--quiet", "--message=untracked")
    tended.edit({"a.md": article("a", 11), "d.md": None})
    tended.build()
    later = tended.query(
        "select commit is not null, change, article_id, quality from raw.article_versions offset 3"
    )
    assert sorted(later) == [
        (False, "changed", "a.md", 11),
        (False, "removed", "d.md", 40),
        (False, "returned", "b.md", 20),
        (True, "added", "d.md", 40),
        (True, "changed", "a.md", 12),
        (True, "removed", "b.md", 20),
    ]
    assert tended.query("select article_id, quality from raw.articles order by all") == [
        ("a.md", 11),
        ("b.md", 20),
    ]
    assert tended.build().published is False


def test_an_article_is_followed_through_its_renames(tended: Tended) -> None:
    """Also when another article takes its first path, and when it moves back."""
    tended.commit({"a.md": None, "c.md": article("a", 11)})
    tended.commit({"a.md": article("another", 1)})
    tended.commit({"c.md": None, "d.md": article("a", 11)})
    tended.commit({"d.md": article("a", 12)})
    tended.build()
    followed = tended.query(
        """
        select change, article_id, renamed_from, split_part(origin_id, '@', 1), origin_id <> 'a.md'
        from raw.article_versions
        where article_id <> 'b.md'
        order by observed_at, change = 'renamed'
        """
    )
    assert followed == [
        ("added", "a.md", None, "a.md", False),
        ("changed", "a.md", None, "a.md", False),
        ("removed", "a.md", None, "a.md", False),
        ("renamed", "c.md", "a.md", "a.md", False),
        ("returned", "a.md", None, "a.md", True),
        ("removed", "c.md", None, "a.md", False),
        ("renamed", "d.md", "c.md", "a.md", False),
        ("changed", "d.md", None, "a.md", False),
    ]


def test_an_article_on_a_path_that_another_left_before_the_last_run_is_a_new_one(
    tended: Tended,
) -> None:
    """Whatever became of the other one, builds in between make no difference."""
    steps = (
        {"a.md": None, "archive/first.md": article("a", 11)},
        {"a.md": article("second", 2)},
        {"a.md": None, "archive/second.md": article("second", 2), "archive/first.md": None},
        {"a.md": article("third", 3), "archive/first.md": article("a", 11)},
    )
    tended.build()
    for files in steps:
        tended.commit(files)
        tended.build()
    expected = [
        ("a.md", "third", 3),
        ("archive/first.md", "a", 11),
        ("archive/second.md", "second", 2),
        ("b.md", "b", 20),
    ]
    found = "select article_id, title, quality from as_of(now()::timestamptz)"
    assert tended.query(found) == expected
    followed = """
        select list((article_id, change) order by observed_at, change = 'renamed') as followed
        from raw.article_versions
        group by origin_id
        order by followed
    """
    whole = Content(tended.source.parent, warehouse="whole.duckdb")
    whole.build()
    assert tended.query(followed) == whole.query(followed)


def test_a_file_that_moves_onto_a_broken_one_changes_no_field(tended: Tended) -> None:
    """It is compared with what it was itself, in one build as in two."""
    tended.commit({"broken.md": "---\ntitle: a: b\n---\n"})
    tended.commit({"a.md": None, "broken.md": article("a", 11)})
    tended.build()
    moved = "select change, changed_fields from raw.article_versions where article_id = 'broken.md'"
    assert tended.query(moved) == [("renamed", [])]


def test_a_file_that_was_broken_in_the_past_ends_the_state_before(tended: Tended) -> None:
    """It is listed with its commit, line and reason, and counted in the receipt."""
    broken = tended.commit({"a.md": "---\ntitle: a: b\n---\n"})
    tended.commit({"a.md": article("a", 12)})
    receipt = tended.build()
    assert tended.versions() == [
        *THE_TWO,
        (FIRST + 2 * DAY, "removed", "a.md", 11),
        (FIRST + 3 * DAY, "returned", "a.md", 12),
    ]
    found = tended.query("select path, commit, line, reason_code from ops.past_quarantine")
    assert found == [("a.md", broken, 2, "unquoted_colon")]
    assert (receipt.past_quarantined, receipt.quarantined) == ({"unquoted_colon": 1}, 0)


def test_what_commits_of_the_past_excluded_is_no_loss(tended: Tended) -> None:
    """No run had it; what a run had and a commit takes away is a loss."""
    tended.commit({"b.md": "No front matter any more."})
    assert tended.build().failed_checks == []
    tended.commit({"c.md": article("c"), "d.md": article("d")})
    tended.commit({"c.md": "No front matter any more."})
    assert tended.build().failed_checks == []
    tended.commit({"d.md": "No front matter any more."})
    (found,) = tended.build().failed_checks
    assert found.startswith("articles_became_excluded: ") and "first: path d.md" in found


def test_content_that_was_moved_into_the_folder_is_said(tended: Tended, tmp_path: Path) -> None:
    """Its history begins with the move, which a look at the folder above would have followed."""
    tended.commit({"more/c.md": article("c", 30)})
    (tended.source / "inner").mkdir()
    for name in ("a.md", "b.md"):
        (tended.source / name).rename(tended.source / "inner" / name)
    moved = tended.commit({})
    inner = Content(tmp_path, source="content/inner", warehouse="inner.duckdb")
    expected = (
        f"2 files moved into inner/ from the folder above, most in commit {moved[:12]}: their"
        f" history begins there, and a build of {tended.source} has what was before"
    )
    assert inner.build().notes == [expected]
    for name in "defghijklmnopqrstuvwxyz":
        tended.edit({f"inner/{name}.md": article(name)})
    tended.commit({})
    assert inner.build().notes == []
    anew = Content(tmp_path, source="content/inner", warehouse="anew.duckdb")
    assert anew.build().notes == []


def test_a_path_that_turns_into_a_link_is_removed(tended: Tended) -> None:
    """A link is no content, in a commit as on disk."""
    (tended.source / "a.md").unlink()
    (tended.source / "a.md").symlink_to("b.md")
    tended.commit({})
    tended.build()
    assert tended.versions() == [*THE_TWO, (FIRST + 2 * DAY, "removed", "a.md", 11)]


def test_a_folder_without_a_repository_has_no_history(content: Content) -> None:
    """It is built as ever; asked for a history, the build says that there is none."""
    content.write("a.md", article("a"))
    with pytest.raises(NoHistory, match="lies in no git repository"):
        content.build(history=True)
    receipt = content.build()
    assert (receipt.commits, receipt.source_commit, receipt.notes) == (None, None, [])


def test_a_shallow_clone_is_built_without_a_history(tended: Tended, tmp_path: Path) -> None:
    """A wrong history is worse than none: a sentence says how to get it."""
    shallow = Content(tmp_path, source="shallow")
    options = ("--depth=1", f"file://{tended.source}", str(shallow.source))
    tended.repository.git("clone", "--quiet", *options)
    receipt = shallow.build()
    assert (receipt.loaded, receipt.commits) == (2, None)
    assert "git fetch --unshallow" in receipt.notes[0]
    assert shallow.query("select count(commit) from raw.article_versions") == [(0,)]
    with pytest.raises(NoHistory, match="git fetch --unshallow"):
        shallow.build(history=True)


def test_a_build_that_was_told_so_leaves_the_history(tended: Tended) -> None:
    """Later builds remember it."""
    tended.build(history=False)
    tended.commit({"a.md": article("a", 12)})
    receipt = tended.build()
    assert (receipt.commits, receipt.source_commit) == (None, tended.commits[-1])
    assert [row[0] for row in tended.versions()] == [None, None, None]
    assert tended.build(history=True).published is True
    published = [tended.build(history=wish).published for wish in (None, False, None)]
    assert published == [False, True, False]


def test_a_commit_is_compared_once_its_history_is_read(
    tended: Tended, capsys: pytest.CaptureFixture[str]
) -> None:
    """A warehouse without commits says how to get them, of a name that git knows."""
    tended.build(history=False)
    command = ["--warehouse", str(tended.warehouse), "diff"]
    assert main([*command, "HEAD~1", "HEAD"]) == 1
    assert capsys.readouterr().err == (
        "matterhouse: HEAD~1 is a commit, and the warehouse was built without any:"
        " `matterhouse build --history` brings them\n"
    )
    assert main([*command, "HEAD~99", "HEAD"]) == 1
    assert "no run, commit or date has this name" in capsys.readouterr().err
    tended.build(history=True)
    assert main([*command, "HEAD~1", "HEAD"]) == 0


def test_a_history_that_cannot_be_read_for_once_goes_on_later(
    tended: Tended, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run without git says so, and its commits are not lost."""
    tended.build()
    tended.commit({"a.md": article("a", 12)})
    tended.commit({"a.md": article("a", 13)})
    with monkeypatch.context() as without_git:
        without_git.setenv("PATH", "")
        receipt = tended.build()
    assert (receipt.commits, receipt.source_commit) == (0, tended.commits[1])
    assert "git, which is not installed" in receipt.notes[0]
    assert tended.build().commits == 2


def test_what_lies_before_the_first_run_comes_on_request(tended: Tended) -> None:
    """Once, and nothing that `as_of` has answered before is different afterwards."""
    tended.commit({"a.md": None, "moved.md": article("a", 11), "left.md": article("left", 5)})
    tended.edit({"left.md": None})
    tended.build(history=False)
    tended.commit({"moved.md": article("a", 12)})
    tended.build()
    looks = [moment for (moment,) in tended.query("select started_at from ops.runs order by all")]
    questions = [f"from as_of('{moment}'::timestamptz)" for moment in looks]
    before = [tended.query(question) for question in questions]
    tended.commit({"moved.md": article("a", 13)})
    receipt = tended.build(history=True)
    assert [tended.query(question) for question in questions] == before
    assert receipt.commits == 4
    assert [tended.as_of(commit) for commit in tended.commits[:3]] == [
        [("a.md", 10), ("b.md", 20)],
        [("a.md", 11), ("b.md", 20)],
        [("b.md", 20), ("left.md", 5), ("moved.md", 11)],
    ]
    assert tended.query("from as_of(now()::timestamptz) select article_id, quality") == [
        ("b.md", 20),
        ("moved.md", 13),
    ]
    origins = tended.query(
        "select distinct origin_id from raw.article_versions where article_id = 'moved.md'"
    )
    assert origins == [("a.md",)]
    assert tended.build(history=True).published is False


def test_a_history_that_was_rewritten_goes_on_from_what_is_there(tended: Tended) -> None:
    """What was recorded of the commits that are gone stays; the receipt says so."""
    tended.commit({"c.md": article("c", 30)})
    tended.build()
    recorded = tended.versions()
    tended.repository.git("reset", "--quiet", "--hard", "HEAD~1")
    tended.commit({"a.md": article("a", 99)})
    receipt = tended.build()
    assert "was rewritten since commit" in receipt.notes[0]
    assert [row[1:] for row in tended.versions()[len(recorded) :]] == [
        ("changed", "a.md", 99),
        ("removed", "c.md", 30),
    ]
    assert tended.build().notes == []


def test_going_back_to_an_earlier_commit_and_on_again_is_seen_as_such(tended: Tended) -> None:
    """The commits are the same ones; what was broken in them is listed once."""
    tended.commit({"b.md": "---\ntitle: a: b\n---\n", "c.md": article("c", 30)})
    tended.build()
    recorded = tended.versions()
    listed = [tended.query(f"from {table}") for table in ("raw.commits", "ops.past_quarantine")]
    tended.repository.git("checkout", "--quiet", tended.commits[0])
    (note,) = tended.build().notes
    assert note == (
        f"the source stands at commit {tended.commits[0][:12]}, which is older than"
        f" {tended.commits[2][:12]} of the last run: the articles are those of then"
    )
    tended.repository.git("checkout", "--quiet", "main")
    assert tended.build().notes == []
    assert [row[1:] for row in tended.versions()[len(recorded) :]] == [
        ("changed", "a.md", 10),
        ("returned", "b.md", 20),
        ("removed", "c.md", 30),
        ("changed", "a.md", 11),
        ("removed", "b.md", 20),
        ("returned", "c.md", 30),
    ]
    assert listed == [
        tended.query(f"from {table}") for table in ("raw.commits", "ops.past_quarantine")
    ]
    tended.repository.git("checkout", "--quiet", "--orphan", "nothing")
    assert tended.build().published is False


@pytest.mark.parametrize("keeps_known_commits", [True, False])
def test_a_rewritten_history_whose_last_commit_is_gone_is_compared_with_what_is_loaded(
    tended: Tended, keeps_known_commits: bool
) -> None:
    """Git throws away what nothing leads to, and the next commit has nothing to compare with."""
    tended.commit({"c.md": article("c", 30)})
    tended.build()
    recorded = tended.versions()
    if keeps_known_commits:
        tended.repository.git("reset", "--quiet", "--hard", "HEAD~1")
    else:
        tended.repository.git("checkout", "--quiet", "--orphan", "another")
        tended.edit({"c.md": None})
    tended.commit({"a.md": article("a", 98)})
    tended.commit({"a.md": article("a", 99)})
    tended.repository.git("branch", "--quiet", "-M", "main")
    tended.repository.git("reflog", "expire", "--expire=now", "--all")
    tended.repository.git("gc", "--quiet", "--prune=now")
    receipt = tended.build()
    assert "is gone" in receipt.notes[0]
    new = [("changed", "a.md", 98), ("removed", "c.md", 30), ("changed", "a.md", 99)]
    expected = new if keeps_known_commits else [*new[2:], new[1]]
    assert [row[1:] for row in tended.versions()[len(recorded) :]] == expected


def test_an_empty_repository_is_no_error(tmp_path: Path) -> None:
    """Its first commits are taken once they are there, and change nothing that was seen."""
    tended = Tended(tmp_path)
    tended.edit({"a.md": article("a", 10)})
    assert tended.build().commits == 0
    tended.commit({})
    tended.commit({"a.md": article("a", 11)})
    assert tended.build().commits == 2
    assert [row[1:] for row in tended.versions()] == [
        ("added", "a.md", 10),
        ("changed", "a.md", 11),
    ]


def test_the_history_of_the_sample_ends_in_the_sample(tmp_path: Path) -> None:
    """Committed in halves, its articles are those that a build without a history loads."""
    tended = Tended(tmp_path)
    sample = Path(__file__).parents[1] / "data/content"
    files = [path for path in sorted(sample.rglob("*")) if path.is_file()]
    for half in (files[::2], files[1::2]):
        for path in half:
            tended.write(path.relative_to(sample).as_posix(), path.read_bytes())
        tended.commit({})
    tended.build()
    plain = Content(tmp_path, warehouse="plain.duckdb")
    plain.build(history=False)
    assert state(tended) == state(plain)
    assert tended.query("select count(*) from raw.article_versions where commit is null") == [(0,)]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "remove", "move", "break", "commit", "commit", "build"]),
        st.sampled_from("abc"),
        st.integers(0, 3),
    ),
    min_size=4,
    max_size=14,
)


@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(STEPS)
def test_a_build_with_history_ends_where_one_without_does(
    steps: list[tuple[str, str, int]],
) -> None:
    """Whatever was committed, left lying about or built in between."""
    with tempfile.TemporaryDirectory() as folder:
        tended = Tended(Path(folder))
        # Enough sound files that no check takes the broken ones for a broken source.
        tended.commit({f"{name}.md": article(name, 1) for name in "abdefgh"})
        for what, name, number in steps:
            file = tended.source / f"{name}.md"
            match what:
                case "write":
                    tended.write(file.name, article(name, number))
                case "break":
                    tended.write(file.name, "---\ntitle: a: b\n---\n")
                case "remove":
                    file.unlink(missing_ok=True)
                case "move" if file.exists():
                    file.rename(tended.source / f"{'abc'[number % 3]}.md")
                case "commit":
                    tended.commit({})
                case "build":
                    tended.build(accept_loss=True)
        tended.write("z.md", article("z"))
        tended.build(accept_loss=True)
        plain = Content(Path(folder), warehouse="plain.duckdb")
        plain.build(history=False)
        assert state(tended) == state(plain)
        # Only what moves away is gone in the moment in which its new path goes on.
        assert (
            tended.query(
                "from staging.article_versions where valid_to <= valid_from and change <> 'removed'"
            )
            == []
        )
        assert tended.query("from staging.article_versions where valid_to < valid_from") == []
        warnings = tended.query("select unnest(failed_checks) from ops.runs")
        assert not [said for (said,) in warnings if said.startswith("history_agrees")]


def state(content: Content) -> list[list[tuple[Any, ...]]]:
    """Return what is loaded, without the times at which runs saw it."""
    return [
        content.query(
            "select * exclude (first_seen_at, observed_at) from raw.articles order by article_id"
        ),
        content.query("from raw.article_topics order by all"),
        content.query(
            "select path, status, content_hash from ops.files where status <> 'gone' order by all"
        ),
        content.query(
            "select article_id, quality, title, provider, topics from as_of(now()::timestamptz)"
        ),
    ]


def test_two_commits_tags_or_dates_are_compared(
    tended: Tended, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each stands for the articles after it; a commit that touched no content for those before."""
    tended.repository.git("tag", "v1.0")
    tended.commit({"a.md": None, "moved.md": article("a", 11), "c.md": article("c", 30)})
    tended.commit({"moved.md": article("a", 12), "b.md": None})
    tended.commit({"notes": "of something else"})
    tended.build()
    expected = [
        {"what": "entered", "article_id": "c.md", "quality_before": None, "quality_after": 30},
        {"what": "left", "article_id": "b.md", "quality_before": 20, "quality_after": None},
        {"what": "renamed", "article_id": "moved.md", "quality_before": 11, "quality_after": 12},
    ]
    second = f"{datetime.fromtimestamp(FIRST + DAY, UTC):%Y-%m-%dT%H:%M:%S}"
    for earlier, later in (
        ("v1.0", "HEAD"),
        (tended.commits[1][:8], tended.commits[3]),
        (second, f"{datetime.now(UTC):%Y%m%d}"),
    ):
        assert main(["diff", earlier, later, "--json", "--warehouse", str(tended.warehouse)]) == 0
        found = json.loads(capsys.readouterr().out)["articles"]
        assert [{key: row[key] for key in expected[0]} for row in found] == expected
    assert main(["diff", "v2.0", "HEAD", "--warehouse", str(tended.warehouse)]) == 1
    assert "no run, commit or date has this name" in capsys.readouterr().err


def test_broken_files_of_the_past_are_listed_with_their_commit(
    tended: Tended, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where, why and in which commit, for people and for programs."""
    broken = tended.commit({"a.md": "---\ntitle: a: b\n---\n"})
    tended.commit({"a.md": article("a", 12)})
    tended.build()
    options = ["--history", "--warehouse", str(tended.warehouse)]
    assert main(["quarantine", *options]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("a.md:2:") and f"in commit {broken[:12]} of 2023-11-16" in printed
    assert main(["quarantine", "--json", *options]) == 0
    ((path, line, commit),) = (
        (row["path"], row["line"], row["commit"]) for row in json.loads(capsys.readouterr().out)
    )
    assert (path, line, commit) == ("a.md", 2, broken)


def test_a_first_build_says_how_many_commits_it_reads(
    tended: Tended, with_reports: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before it reads them, and how to leave them; later builds have nothing to wait for."""
    options = ["--warehouse", str(tended.warehouse)]
    assert main(["build", str(tended.source), *options]) == 0
    printed = capsys.readouterr()
    said = "reading the history of the source, 2 commits (--no-history leaves it out)"
    assert printed.err.splitlines()[0] == said
    assert "  history: 2 commits read\n" in printed.out
    tended.commit({"a.md": article("a", 12)})
    assert main(["build", *options]) == 0
    printed = capsys.readouterr()
    assert (said in printed.err, "  history: 1 commit read\n" in printed.out) == (False, True)


def test_progress_is_told_in_commits(tended: Tended, tmp_path: Path) -> None:
    """Each batch of files counts as its share of them; then come the files as they lie on disk."""
    tended.commit({"a.md": article("a", 10), "c.md": article("c", 30), "d.md": article("d", 40)})
    tended.commit({"a.md": None})
    repository = commit_tree.find_repository(tended.source)
    assert repository is not None
    commits = git.read_commits(repository)
    changes = history.read_content_changes(repository, commits, lambda path: path.endswith(".md"))
    read = history.read_history(repository, commits, changes, after=None, before=FIRST * 10**7)
    batches = history.cut_batches(read, 2)
    assert [(batch.commits, [path[41:] for path in batch.paths]) for batch in batches] == [
        (1, ["a.md", "a.md"]),
        (2, ["b.md", "c.md"]),
        (1, ["d.md"]),
    ]
    told: list[tuple[str, int, int]] = []
    run(
        Request(tended.source, tmp_path / "told.duckdb"),
        Runner(1, lambda *step: told.append(step)),
    )
    assert told == [("history", 4, 4), ("extract", 3, 3)]


def test_a_commit_is_built_without_a_checkout(tended: Tended, tmp_path: Path) -> None:
    """As a revision of the folder or as a bare repository, with the history that led to it."""
    tended.commit({"a.md": article("a", 12), "c.md": article("c", 30)})
    tended.repository.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    bare = Content(tmp_path, source="bare.git", warehouse="bare.duckdb")
    assert (bare.build().loaded, bare.build().published) == (3, False)
    tended.build()
    assert state(bare) == state(tended)
    then = Content(tmp_path, source="content@HEAD~1", warehouse="then.duckdb")
    then.source.rmdir()
    receipt = then.build()
    assert (receipt.loaded, receipt.commits, receipt.source_commit) == (2, 2, tended.commits[1])
    found = "select article_id, quality, commit from raw.article_versions order by all"
    assert then.query(found) == [
        ("a.md", 10, tended.commits[0]),
        ("a.md", 11, tended.commits[1]),
        ("b.md", 20, tended.commits[0]),
    ]
    options = ["--warehouse", str(tmp_path / "by-hand.duckdb"), "--quiet"]
    assert main(["build", f"{tended.source}@{tended.commits[0][:10]}", *options]) == 0
    assert main(["build", *options]) == 0
    assert main(["diff", "HEAD~2", "HEAD~1", "--warehouse", str(then.warehouse)]) == 0
