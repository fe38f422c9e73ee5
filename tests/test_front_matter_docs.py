"""docs/front-matter.md: what it says of dates, columns and settings is so."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.config import load_default, parse
from flows.frontmatter import Plain
from flows.normalize.convert import ConversionError, to_timestamp_within
from flows.normalize.dates import range_at, to_micros

PAGE = (Path(__file__).parents[1] / "docs" / "front-matter.md").read_text("utf-8")
DATES = re.findall(r"^\| `(.+?)` \| (.+?) \|$", PAGE.partition("## Dates")[2], re.MULTILINE)
NOW = datetime(2022, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("kind", [str, Plain], ids=["quoted", "plain"])
@pytest.mark.parametrize(("typed", "meant"), DATES)
def test_a_date_is_read_as_the_page_says(typed: str, meant: str, kind: type[str]) -> None:
    """In UTC, with quotes and without; what the page calls no date is a misfit."""
    try:
        found = to_timestamp_within(range_at(NOW), kind(typed))
    except ConversionError:
        assert meant.startswith("no date")
    else:
        assert found == to_micros(datetime.fromisoformat(meant))


def test_the_page_lists_the_keys_of_the_table() -> None:
    """Column by column and in order, as far as both name the same columns."""
    rows = dict(re.findall(r"^\| (?:`(\w+)`|topics|images) \| (.+?) \|$", PAGE, re.MULTILINE))
    for column, sources in load_default().columns.items():
        keys = [
            source.label for source in sources if source.form == "key" and "." not in source.label
        ]
        if column in rows:
            shown = re.findall(r"`([\w-]+)`", rows[column])
            assert [key for key in shown if key in keys] == keys


def test_the_example_is_a_configuration() -> None:
    """All its settings are taken."""
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    found = parse(example.encode(), Path("matterhouse.yaml"))
    assert (len(found.terms), found.reading.last_duplicate_counts) == (2, True)
