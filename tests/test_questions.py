"""Each question of docs/questions.md is one query, and the answer beneath is what it returns."""

import re
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from flows.models import build
from flows.pipeline.context import Request
from flows.pipeline.run import run
from tests.repositories import Repository

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "questions.md"
RUNS = ("2026-01-05", "2026-02-02")
MOVED = "2025-12-04-grid-what-is-it.md"
REMOVED = "2025-12-23-short-days-long-shadows-what-a-december-roof-is-good-for.md"
_QUERY = re.compile(r"```sql\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


def second_state(folder: Path) -> duckdb.DuckDBPyConnection:
    """Commit and build the sample corpus twice, as the page says, and date the runs as it does."""
    content, warehouse = folder / "content", folder / "w.duckdb"
    shutil.copytree(ROOT / "data" / "content", content)
    repository = Repository(content)
    repository.commit(at=moment(RUNS[0]))
    run(Request(content, warehouse))
    shutil.copytree(ROOT / "data" / "later", content, dirs_exist_ok=True)
    (content / "_news" / MOVED).rename(content / "_archive" / "_news" / MOVED)
    (content / "_news" / REMOVED).unlink()
    repository.commit(at=moment(RUNS[1]))
    run(Request(content, warehouse))
    dated = folder / "dated.duckdb"
    shutil.copy(warehouse.resolve(), dated)
    con = duckdb.connect(str(dated))
    con.execute("set TimeZone = 'UTC'")
    for (start,), day in zip(
        con.execute("select started_at from ops.runs order by started_at").fetchall(),
        RUNS,
        strict=True,
    ):
        for table, column in (
            ("raw.articles", "observed_at"),
            ("raw.articles", "first_seen_at"),
            ("ops.files", "changed_at"),
            ("ops.runs", "started_at"),
        ):
            con.execute(f"update {table} set {column} = ? where {column} = ?", [day, start])
    # The second commit was observed when the first run had just looked, not years before.
    for table in ("raw.article_versions", "raw.commits"):
        con.execute(f"update {table} set observed_at = committed_at")
    build.build(con)
    return con


def moment(day: str) -> int:
    """Return the first second of a day, in seconds since 1970."""
    return int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp())


def answers(con: duckdb.DuckDBPyConnection) -> str:
    """Return the page with the answers that its queries have now."""
    return _QUERY.sub(
        lambda found: f"```sql\n{found[1]}```\n\n```text\n{answer(con, found[1])}```\n",
        PAGE.read_text(encoding="utf-8"),
    )


def answer(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """Return names and rows, a line each."""
    found = con.execute(query)
    names = [column[0] for column in found.description or []]
    return "".join(" | ".join(map(_cell, row)) + "\n" for row in (names, *found.fetchall()))


def _cell(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_cell, value))}]"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


def test_each_question_has_the_answer_of_the_sample(tmp_path: Path) -> None:
    """The page is what its queries return (`python -m tests.test_questions` writes it)."""
    with second_state(tmp_path) as con:
        assert PAGE.read_text(encoding="utf-8") == answers(con)


@pytest.mark.parametrize("number", range(1, 18))
def test_no_question_is_left_without_an_answer(number: int) -> None:
    """Each of the seventeen has one query and at least one row under the names."""
    page = PAGE.read_text(encoding="utf-8")
    section = page.split(f"\n## {number}. ")[1].split("\n## ")[0]
    ((_, rows),) = _QUERY.findall(section)
    assert len(rows.splitlines()) > 1


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, second_state(Path(scratch)) as connection:
        PAGE.write_text(answers(connection), encoding="utf-8")
