"""The line reader: the common kind of YAML, exactly as PyYAML reads it, or nothing."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.frontmatter import Plain, Value, yaml_fast
from flows.frontmatter.yaml_fast import read_lines
from tests.benchmarks.fuzz_subset import CASES, SNIPPETS, blocks, difference, mutate, spelled

PROPERTY = settings(max_examples=1_000, derandomize=True, deadline=None, database=None)

TAKEN: dict[str, tuple[str, Value]] = {
    "plain text": ("a: b c", {"a": Plain("b c")}),
    "what YAML would type": ("a: 007\nb: -1", {"a": Plain("007"), "b": Plain("-1")}),
    "address": ("a: https://example.org/#b:c", {"a": Plain("https://example.org/#b:c")}),
    "double quotes": ('a: "b: c # d"', {"a": "b: c # d"}),
    "empty double quotes": ('a: ""', {"a": ""}),
    "escapes": (r'a: "\" \\ \/ \n \r \t \u00e9"', {"a": '" \\ / \n \r \t \u00e9'}),
    "single quotes": ("a: 'it''s'", {"a": "it's"}),
    "empty single quotes": ("a: ''", {"a": ""}),
    "spaces around a value": ('a:   b  \nc:  "d"  ', {"a": Plain("b"), "c": "d"}),
    "empty value": ("a:\nb: \n", {"a": Plain(""), "b": Plain("")}),
    "empty collections": ("a: []\nb: {}", {"a": [], "b": {}}),
    "mapping": ("a:\n  b:\n    c: d\ne: f", {"a": {"b": {"c": Plain("d")}}, "e": Plain("f")}),
    "list": ("a:\n  - b\n  - \"c\"", {"a": [Plain("b"), "c"]}),
    "list at its key": ("a:\n- b\nc: d", {"a": [Plain("b")], "c": Plain("d")}),
    "list of mappings": (
        "a:\n  - b: c\n    d:\n      e: f\n  - b: g",
        {"a": [{"b": Plain("c"), "d": {"e": Plain("f")}}, {"b": Plain("g")}]},
    ),
    "list in a list's mapping": (
        "a:\n- b:\n  - c\n- d:\n    - e",
        {"a": [{"b": [Plain("c")]}, {"d": [Plain("e")]}]},
    ),
    "quoted item with a colon": ('a:\n  - "b: c"', {"a": ["b: c"]}),
    "blank lines": ("\na: b\n\n   \nc: d\n", {"a": Plain("b"), "c": Plain("d")}),
    "CRLF": ("a: b\r\nc:\r\n  - d\r\n", {"a": Plain("b"), "c": [Plain("d")]}),
    "any script": ("a: 潮汐 🌊\u00a0\u200b«»", {"a": Plain("潮汐 🌊\u00a0\u200b«»")}),
    "nothing": ("", {}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "fields"), TAKEN.values(), ids=TAKEN)
def test_common_yaml_is_taken(text: str, fields: Value) -> None:
    """The shapes that front matter is made of need no PyYAML, and keep kinds and order."""
    read = read_lines(text)
    assert read is not None
    assert (spelled(read), difference(text)) == (spelled(fields), None)


LEFT = {
    "tab": "a:\tb",
    "tab in quotes": 'a: "b\tc"',
    "comment line": "# a\nb: c",
    "comment after a value": "a: b # c",
    "comment instead of a value": "a: # b",
    "colon in a plain value": "a: b: c",
    "colon at the end": "a: b:",
    "anchor": "a: &b c",
    "alias": "a: *b",
    "tag": "a: !b c",
    "literal block": "a: |\n  b",
    "folded block": "a: >\n  b",
    "flow list": "a: [b]",
    "flow mapping": "a: {b: c}",
    "value over two lines": "a: b\n  c",
    "quoted value over two lines": 'a: "b\n  c"',
    "item over two lines": "a:\n- b\n  - c",
    "duplicate key": "a: b\na: c",
    "duplicate key in a list item": "a:\n- b: c\n  b: d",
    "merge key": "<<: a",
    "quoted key": '"a": b',
    "key with a space": "a b: c",
    "key of another script": "ключ: a",
    "complex key": "? a\n: b",
    "empty item": "a:\n  -\n  - b",
    "list of lists": "a:\n- - b",
    "list at the top": "- a",
    "indented top": "  a: b",
    "indentation that fits nothing": "a:\n    b: c\n  d: e",
    "key after a scalar": "a: b\n  c: d",
    "item after a scalar": "a: b\n- c",
    "key in a list": "a:\n  - b\n  c: d",
    "text alone": "a",
    "missing space": "a:b",
    "unknown escape": r'a: "\d"',
    "half of a surrogate pair": r'a: "\ud83c"',
    "surrogate pair": r'a: "\ud83c\udf0a"',
    "unclosed quote": 'a: "b',
    "text after a quote": 'a: "b" c',
    "reserved character": "a: @b",
    "dash as a value": "a: - b",
    "lone carriage return": "a: b\rc: d",
    "next line": "a: b\x85c: d",
    "line separator": "a: b\u2028c",
    "paragraph separator": 'a: "b\u2029c"',
    "byte-order mark": "a: b\ufeff",
    "not a character": "a: b\uffff",
    "control character": "a: b\x00",
    "delete character": "a: b\x7f",
    "no-break space as a line": "a: b\n\u00a0",
    "merge conflict": "a: b\n<<<<<<< HEAD\nc: d",
    "document marker": "a: b\n--- # c\nd: e",
}


@pytest.mark.parametrize("text", LEFT.values(), ids=LEFT)
def test_anything_else_is_left_to_pyyaml(text: str) -> None:
    """Whatever could mean something else to YAML is not taken."""
    assert read_lines(text) is None


def test_what_is_beyond_the_limits_is_left_to_pyyaml() -> None:
    """Depth and number of values are PyYAML's path to classify, which knows the limits."""
    deep = "\n".join(" " * depth + "a:" for depth in range(200))
    long = "a:\n" + "- b\n" * yaml_fast.MAX_LINES
    assert (read_lines(deep), read_lines(long)) == (None, None)


def test_an_article_is_taken() -> None:
    """The usual news article is read without PyYAML."""
    text = (CASES / "news-article.md").read_text("utf-8").split("---\n")[1]
    assert (read_lines(text) is not None, difference(text)) == (True, None)


def test_documents_share_no_list_or_mapping() -> None:
    """What one caller does to its fields never shows in another's."""
    first, second = read_lines("a: []\nb: {}"), read_lines("a: []\nb: {}")
    assert first is not None
    assert second is not None
    assert first["a"] is not second["a"]
    assert first["b"] is not second["b"]


def test_the_memory_of_lines_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short lines are remembered, but never more than the limit, and long ones never."""
    entries: dict[str, object] = {}
    monkeypatch.setattr(yaml_fast, "_entries", entries)
    monkeypatch.setattr(yaml_fast, "MAX_CACHED_LINES", 3)
    for name in "abcde":
        read_lines(f"{name}: b\n{name}{name}: {'c' * yaml_fast.MAX_CACHED_CHARS}")
    assert sorted(entries) == ["d: b", "e: b"]


@PROPERTY
@given(st.integers(min_value=0), st.sampled_from(blocks()))
def test_a_mutated_document_is_read_as_pyyaml_reads_it_or_not_at_all(
    seed: int, block: bytes
) -> None:
    """No change to a document makes the line reader say something else than PyYAML."""
    text = mutate(Random(seed), block).decode("utf-8", "replace")
    if not text.startswith(("---", "\ufeff")):
        assert difference(text) is None


SIGNS = st.sampled_from([*SNIPPETS, *"ab1- :\n", "\na: ", ': "'])


@PROPERTY
@given(st.lists(SIGNS, max_size=25).map("".join))
def test_any_text_is_read_as_pyyaml_reads_it_or_not_at_all(text: str) -> None:
    """No combination of signs makes the line reader say something else than PyYAML."""
    if not text.startswith(("---", "\ufeff")):
        assert difference(text) is None
