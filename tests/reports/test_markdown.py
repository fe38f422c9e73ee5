"""What a refresh leaves for the pages of an orchestrator."""

from flows.pipeline import Request, refresh
from flows.reports import markdown
from flows.warehouse.paths import WarehousePaths
from flows.warehouse.run_log import read_runs
from tests.conftest import Content, article


def test_movers_are_the_same_days_for_topics_and_providers(content: Content) -> None:
    """The last 28 days end with the newest article; the 28 before them are what they beat."""
    for number, day in enumerate(("2025-03-29", "2025-03-02", "2025-03-01", "2025-02-02")):
        content.write(f"{number}.md", article(title=f"n{number}", published=day))
    content.write("5.md", article(title="n5", published="2025-02-01"))
    receipt = refresh(Request(content.source, content.warehouse))
    found = {
        t.key: t.rows for t in markdown.tables(WarehousePaths(content.warehouse), receipt.as_json())
    }
    # Two against two: nobody moves.
    assert (found["topic-movers"], found["provider-movers"]) == ([], [])
    content.write("6.md", article(title="n6", published="2025-03-15"))
    receipt = refresh(Request(content.source, content.warehouse))
    found = {
        t.key: t.rows for t in markdown.tables(WarehousePaths(content.warehouse), receipt.as_json())
    }
    counts = ("articles_last_28_days", "articles_previous_28_days", "momentum")
    assert [[row[c] for c in counts] for row in found["provider-movers"]] == [[3, 2, 1]]
    assert [[row[c] for c in counts] for row in found["topic-movers"]] == [[3, 2, 1], [3, 2, 1]]


def test_markdown_cannot_be_written_by_the_content(content: Content) -> None:
    """A key of the front matter stands as code, without the backticks that would end it."""
    content.write("a.md", "---\ntitle: x\n'[x](http://e.example) `<b>`': 1\n---\n")
    content.build()
    (receipt,) = read_runs(WarehousePaths(content.warehouse))
    said = markdown.markdown(receipt)
    assert "New keys, kept in `extra`: `[x](http://e.example) '<b>'`\n" in said


def test_markdown_of_a_failed_refresh_is_its_sentence(content: Content) -> None:
    """A failed refresh has no counts; its receipt says why and that nothing was lost."""
    receipt = {
        "run_id": "1", "source": "content", "warehouse": "w.duckdb", "published": False,
        "error": "the disk is full", "failed_checks": ["averages: no (error, 2 rows)"],
    }  # fmt: skip
    assert markdown.markdown(receipt) == (
        "# Run 1\n\n**Failed**: `the disk is full`. The published warehouse is as it was.\n\n"
        "- `averages: no (error, 2 rows)`\n\nSource `content`, warehouse `w.duckdb`\n"
    )
