"""What a run leaves for the pages of an orchestrator."""

from typing import Any

from flows.reports.messages import markdown
from flows.warehouse.paths import WarehousePaths
from flows.warehouse.run_log import read_runs
from tests.conftest import Content, article


def test_movers_are_the_same_days_for_topics_and_providers(content: Content) -> None:
    """The last 28 days end with the newest article that is not scheduled; chance moves nobody."""
    days = ["2024-01-01", "2025-02-20", *(f"2025-03-{day}" for day in (10, 29))]
    for day in (*days, "2099-01-01"):
        content.write(f"{day}.md", article(title=day, published=day))
    moved = movers(content)
    # Three articles can tell nothing.
    assert moved == {"topic-movers": [], "provider-movers": []}
    for number in range(2):
        content.write(f"more-{number}.md", article(title=f"m{number}", published="2025-03-20"))
    moved = movers(content)
    assert [list(row.values())[1:4] for row in moved["provider-movers"]] == [["rising", 4, 0.08]]
    assert [list(row.values())[1:4] for row in moved["topic-movers"]] == [["rising", 4, 0.08]] * 2


def movers(content: Content) -> dict[str, list[dict[str, Any]]]:
    """Build, and return what a run leaves of movers."""
    receipt = content.build().as_json()
    found = markdown.read_tables(WarehousePaths(content.warehouse), receipt)
    return {table.key: table.rows for table in found if table.key.endswith("movers")}


def test_markdown_cannot_be_written_by_the_content(content: Content) -> None:
    """A key of the front matter stands as code, without the backticks that would end it."""
    content.write("a.md", "---\ntitle: x\n'[x](http://e.example) `<b>`': 1\n---\n")
    content.build()
    (receipt,) = read_runs(WarehousePaths(content.warehouse))
    said = markdown.to_markdown(receipt)
    assert "New keys, kept in `extra`: `[x](http://e.example) '<b>'`\n" in said


def test_markdown_of_a_failed_refresh_is_its_sentence(content: Content) -> None:
    """A failed run has no counts; its receipt says why and that nothing was lost."""
    receipt = {
        "run_id": "1", "source": "content", "warehouse": "w.duckdb", "published": False,
        "error": "the disk is full", "failed_checks": ["averages: no (error, 2 rows)"],
    }  # fmt: skip
    assert markdown.to_markdown(receipt) == (
        "# Run 1\n\n**Failed**: `the disk is full`. Nothing was published.\n\n"
        "- `averages: no (error, 2 rows)`\n\nSource `content`, warehouse `w.duckdb`\n"
    )
