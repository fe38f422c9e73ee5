"""Articles whose values are taken by columns become what they become value by value."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.config import Config, load_default, parse
from flows.frontmatter import Reading, read
from flows.normalize import rows
from flows.normalize.by_column import PlainArticles
from flows.normalize.keys import Keys, related_keys
from flows.normalize.plain import take_plain
from flows.normalize.plan import ArticlePlan, make_plan
from flows.source.extract import Document, Extracted
from flows.source.read import Signature

NOW = datetime(2025, 3, 5, tzinfo=UTC)
MAPPINGS = [
    None,
    *(
        parse(text, Path("matterhouse.yaml"))
        for text in (
            b"columns: {topics: [tags, topics], title: {constant: Kelp}}",
            b"columns: {title: headline, quality: rating, images: pictures}",
            b"secret: [quality]",
        )
    ),
]
# The usual line first, then all kinds of plain and odd ones in its place.
LINES: tuple[tuple[str, ...], ...] = (
    (
        "title: Kelp",
        'title: "Tides &amp;  kelp"',
        "title:",
        "title: [a]",
        "Title: Other",
        "title: ~",
    ),
    ("category: news", "category: [a, b]", "categories: [a]"),
    (
        "publishedDateTime: 2024-05-01T12:30:00Z",
        "publishedDateTime: 2024-05-01",
        "publishedDateTime: soon",
        "publishedDateTime:",
        "date: 2024-05-01",
    ),
    ("originalUrl: https://a.example/x", "link: https://a.example/x", "source: The Post"),
    ("quality: 80", 'quality: "80"', "quality: high", "quality: 010", "quality: 12345678901"),
    ("published: true", "published: no", "published: 2024-05-01", "draft: true"),
    (
        "provider: {name: Ann, domain: a.example}",
        "provider: {name: 7, images: [{url: a.png, width: 5}]}",
        "provider: {Name: Ann, mood: calm}",
        "provider: Ann",
        "provider:",
        "author: Ann",
    ),
    (
        "topics: [Sea, No, 7]",
        "topics: [Sea, ~]",
        "topics: ['[[Sea]]']",
        "topics: Sea",
        "topics: []",
        "tags: [Sea]",
    ),
    (
        "images: [{url: a.png, width: 5, isCached: true, alt: A}, {url: b.png}]",
        "images: [{src: a.png}]",
        "images: [a.png, 5]",
        "images: [{url: a.png, width: wide}]",
        "cover: a.png",
    ),
    (
        "related: [{title: A, quality: 5, provider: {name: Ann}, images: [{url: a}]}, {}]",
        "related: [{title: [A]}, 5]",
        "related: [{provider: {mood: calm}}]",
        "related: none",
    ),
    (
        "secured: AAAA",
        "Secured: {a: [1, AAAA]}",
        "extra: {a: [1, {password: x}]}",
        "taxonomy: article",
    ),
)
USUAL = [row[0] for row in LINES]
# Documents like the usual one but for the lines of a few rows.
documents = st.lists(
    st.dictionaries(
        st.sampled_from(range(len(LINES))), st.integers(min_value=0, max_value=6), max_size=2
    ),
    min_size=1,
    max_size=8,
)


def lines_of(changes: Mapping[int, int]) -> list[str]:
    """Return the usual lines with other ones of their rows, or without one."""
    lines: list[str] = []
    for at, row in enumerate(LINES):
        choice = changes.get(at, 0)
        lines += row[choice : choice + 1]
    return lines


def document(lines: Sequence[str], number: int) -> Document:
    """Return the document of a file with these lines."""
    content = "".join(f"{line}\n" for line in lines)
    data = f"---\n{content}---\nbody\n".encode()
    found = read(data)
    assert found
    path = f"{'2024-05-06-' * (number % 2)}{number}.md"
    return Document(path, f"hash {number}", Signature(1, "mark"), "article", found, data)


def value_by_value(
    documents: Sequence[Document], plan: ArticlePlan, related: Keys, reading: Reading
) -> PlainArticles:
    """Take no document by columns."""
    return PlainArticles(reading, {*range(len(documents))})


@settings(max_examples=40)
@given(documents, st.sampled_from(MAPPINGS))
@example([{}, {2: 3}], None)  # no date but that of the file's name
@example([{}, {7: 2}, {8: 3}, {9: 1}, {10: 3}], None)
@example([{}, {0: 0}], MAPPINGS[2])
def test_columns_and_single_values_give_the_same_frames(
    chosen: Sequence[Mapping[int, int]], mapping: Config | None
) -> None:
    """Row by row and in the same order, warnings too, whatever stands beside what."""
    batch = Extracted([document(lines_of(changes), n) for n, changes in enumerate(chosen)], [], [])
    by_column = rows.normalize(batch, NOW, mapping)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "take_plain", value_by_value)
        expected = rows.normalize(batch, NOW, mapping)
    for table, frame in expected.items():
        pd.testing.assert_frame_equal(by_column[table], frame)


def odd(*lines: str) -> Collection[int]:
    """Return which of two documents is odd: one with the lines, and a plain one."""
    batch = [document(lines, 0), document(USUAL, 1)]
    plausible = rows.dates.range_at(NOW)
    plan, related = make_plan(load_default(), plausible), related_keys(plausible)
    return take_plain(batch, plan, related, Reading()).odd


def test_the_usual_article_is_taken_by_columns() -> None:
    """With and without unknown keys; only what has to look elsewhere is not, or does not fit."""
    assert odd(*USUAL) == set()
    assert odd(*USUAL, "mood: {is: calm}") == set()
    assert odd(*USUAL[:2], *USUAL[3:]) == {0}
    assert odd(*USUAL[:4], "quality: high", *USUAL[5:]) == {0}
