"""Front matter: bytes in, fields or one clear fault out."""

import datetime
import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.frontmatter import (
    MAX_BLOCK_BYTES,
    MAX_NODES,
    BrokenFrontMatter,
    FrontMatter,
    Parser,
    Plain,
    Reading,
    Value,
    cut_body,
    explain_missing,
    is_secret,
    locate,
    locate_all,
    read,
    resolve,
)
from flows.frontmatter.yaml_errors import INVISIBLE
from tests.benchmarks.fuzz_subset import CASES, DOCUMENTS, SNIPPETS, blocks, mutate

# Derandomized, so that a run on another machine tries the same inputs.
PROPERTY = settings(max_examples=300, derandomize=True, deadline=None, database=None)


def shown(value: Value) -> object:
    """Spell out in JSON which kind of text a value is, and every type that JSON lacks."""
    match value:
        case Plain():
            return f"plain: {value}"
        case str():
            return f"quoted: {value}"
        case dict():
            return {key: shown(inner) for key, inner in value.items()}
        case list():
            return [shown(inner) for inner in value]
        case datetime.date() | datetime.time():
            return f"{type(value).__name__}: {value.isoformat()}"
    return value


def outcome(path: Path, parser: Parser) -> tuple[str, str]:
    """Give the suffix and the text of the expectation that this document deserves."""
    try:
        found = read(path.read_bytes(), whole_file=path.suffix == ".yaml", parser=parser)
    except BrokenFrontMatter as fault:
        lines = ("code", "line", "column", "message", "hint")
        return ".error", "".join(f"{name}: {getattr(fault, name)}\n" for name in lines)
    result: dict[str, object] | None = found and {
        "fields": shown(found.fields),
        "body_chars": found.body_chars,
    }
    if found and result and found.notes:
        result["notes"] = [f"{note.line} {note.code} {note.key_path}" for note in found.notes]
    return ".json", json.dumps(result, ensure_ascii=False, indent=2) + "\n"


def test_every_case_has_one_expectation() -> None:
    """Each document has a .json or an .error beside it, and none of those stands alone."""
    expectations = sorted(
        path.stem for path in CASES.iterdir() if path.suffix in (".json", ".error")
    )
    assert expectations == sorted(path.stem for path in DOCUMENTS)


@pytest.mark.parametrize("parser", ["fast", "pyyaml"])
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_case(path: Path, parser: Parser) -> None:
    """A document gives exactly the fields, or exactly the fault, written beside it."""
    expected = {
        suffix: path.with_suffix(suffix).read_text("utf-8")
        for suffix in (".json", ".error")
        if path.with_suffix(suffix).exists()
    }
    assert dict([outcome(path, parser)]) == expected


def fault_of(data: bytes, *, whole_file: bool = False) -> BrokenFrontMatter:
    """Read what must not be readable."""
    with pytest.raises(BrokenFrontMatter) as caught:
        read(data, whole_file=whole_file)
    return caught.value


@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        pytest.param(b"---\na: " + b"[" * 30_000 + b"\n---\n", "too_deep", 2, 67, id="brackets"),
        pytest.param(b"---\n" + b"- " * 50_000 + b"\n---\n", "too_deep", 2, 129, id="dashes"),
        pytest.param(b"---\na: " + b"{a: " * 9_000 + b"\n---\n", "too_deep", 2, 256, id="braces"),
        pytest.param(b"---\n" + b"a\n" * MAX_BLOCK_BYTES, "unclosed_fence", 1, 1, id="no fence"),
        pytest.param(
            b"---\na: |\n" + b" a\n" * MAX_BLOCK_BYTES + b"---\n",
            "block_too_large",
            1,
            1,
            id="large block",
        ),
        pytest.param(
            b"---\na: [" + b"b," * (MAX_NODES + 9) + b"]\n---\n",
            "too_many_nodes",
            2,
            5 + 2 * (MAX_NODES - 4),
            id="many values",
        ),
        pytest.param(b'{"a": "' + b"\\" * 9_000, "unclosed_bracket", 1, 1, id="json backslashes"),
        pytest.param(
            b'{"a": "' + b"a" * MAX_BLOCK_BYTES + b'"}', "block_too_large", 1, 1, id="large json"
        ),
        pytest.param(
            b'{"a": [1' + b",1" * MAX_NODES + b"]}", "too_many_nodes", 1, 102_005, id="json values"
        ),
        pytest.param(b'{"a": ' + b"9" * 5_000 + b"}", "bad_number", 1, 7, id="json digits"),
        pytest.param(
            b"+++\na = " + b"[" * 9_000 + b"\n+++\n", "too_deep", 2, 1, id="toml brackets"
        ),
        pytest.param(b"+++\n" + b"a." * 90_000 + b"a = 1\n+++\n", "too_deep", 2, 1, id="toml key"),
        pytest.param(
            b"+++\na = [" + b"1," * (MAX_NODES + 9) + b"]\n+++\n", "too_many_nodes", 2, 1, id="toml"
        ),
    ],
)
def test_what_would_hurt_the_parsers_is_refused(
    data: bytes, code: str, line: int, column: int
) -> None:
    """Depth, size and number of values are bounded before a parser can crash or crawl."""
    fault = fault_of(data)
    assert (fault.code, fault.line, fault.column) == (code, line, column)


def test_a_line_of_signs_below_a_rule_is_read_once() -> None:
    """To try each way to divide it up would take for ever."""
    for line in (b"#" * 200, b"a" + b" " * 100_000):
        assert read(b"\n---\n" + line + b"\n!\n---\n") is None


@pytest.mark.parametrize("other", [b"true", b"1.0", b'"1"'])
def test_values_of_other_types_are_two_values(other: bytes) -> None:
    """Of a repeated key in JSON only one of them can count; Python takes some for equal."""
    assert fault_of(b'{"a": 1, "a": ' + other + b"}\n").code == "duplicate_key"
    assert fault_of(b'{"a": [1], "a": [' + other + b"]}\n").code == "duplicate_key"


@pytest.mark.parametrize(
    ("one", "other"), [(b"[1]", b'["1"]'), (b"[a, [b]]", b"[a, ['b']]"), (b"{b: 1}", b"{b: '1'}")]
)
def test_values_in_and_without_quotes_are_two_values(one: bytes, other: bytes) -> None:
    """In lists and mappings too: of a repeated key in YAML only one of them can count."""
    assert fault_of(b"---\na: " + one + b"\na: " + other + b"\n---\n").code == "duplicate_key"
    assert read(b"---\na: " + one + b"\na: " + one + b"\n---\n") is not None


def test_fifty_thousand_topics_are_allowed() -> None:
    """A list of 50,000 topics is unusual, not broken."""
    data = b"---\ntopics:\n" + b"- Open Data\n" * 50_000 + b"---\n"
    assert read(data) == FrontMatter({"topics": [Plain("Open Data")] * 50_000}, 0)


def test_a_fault_survives_the_way_out_of_a_worker_process() -> None:
    """A fault is the same after pickling."""
    fault = fault_of(b"---\na: b: c\n---\n")
    copy = pickle.loads(pickle.dumps(fault))
    assert (type(copy), str(copy), copy.args) == (BrokenFrontMatter, str(fault), fault.args)


def test_a_fault_reads_as_a_sentence_with_its_place() -> None:
    """The text of a fault has place, cause and remedy."""
    assert str(fault_of(b"---\na: b: c\n---\n")) == (
        "line 2, column 5: The value contains a colon followed by a space. "
        "Put the whole value in straight double quotes."
    )


YAML_DOCUMENT = b"""---
title: Tides
provider: &p
  name: Courier
images:
- url: "a"
- {url: b, width: five}
empty:
copy:
  <<: *p
---
"""


@pytest.mark.parametrize(
    ("key_path", "place"),
    [
        (("title",), (2, 8)),
        (("provider", "name"), (4, 9)),
        (("images", 0, "url"), (6, 8)),
        (("images", 1, "width"), (7, 19)),
        (("images", 1), (7, 3)),
        (("empty",), (8, 1)),
        (("copy", "name"), (10, 3)),
        (("images", 2), None),
        (("images", "url"), None),
        (("title", "part"), None),
        (("absent",), None),
        ((), (2, 1)),
    ],
)
def test_locate_finds_a_value_in_yaml(
    key_path: tuple[str | int, ...], place: tuple[int, int] | None
) -> None:
    """A warning about a value can name its line and column in the file."""
    assert locate(YAML_DOCUMENT, key_path) == place


@pytest.mark.parametrize(
    ("data", "key_path", "place"),
    [
        (b'{"a": 1,\n "p": {"n": 2}}\n', ("p", "n"), (2, 8)),
        (b";;;\n{}\n;;;\n", ("p",), None),
        (b"+++\na = 1\n[p]\nn = 2\n+++\n", ("p", "n"), (4, 1)),
        (b"+++\na = 1\np.n = 2\n+++\n", ("p", "n"), (3, 3)),
        (b"# Text\n", ("p",), None),
    ],
)
def test_locate_finds_a_key_in_json_and_toml(
    data: bytes, key_path: tuple[str | int, ...], place: tuple[int, int] | None
) -> None:
    """For JSON and TOML the place of the key is given."""
    assert locate(data, key_path) == place


def test_locate_finds_the_value_that_counts() -> None:
    """Of a key that appears twice that is the last one."""
    reading = Reading(last_duplicate_counts=True)
    data = b"---\nquality: 5\nquality: five\n---\n"
    assert locate(data, ("quality",), reading=reading) == (3, 10)


def test_locate_in_a_whole_file_counts_from_its_first_line() -> None:
    """A taxonomy file without fences has its fields on its own line numbers."""
    assert locate(b"name: Oceans\nparent: Nature\n", ("parent",), whole_file=True) == (2, 9)


@pytest.mark.parametrize(
    "front_matter",
    [
        b"---\na: 1\n---\n",
        b"---\r\na: 1\r\n...\r\n",
        b"\xef\xbb\xbf\n<!-- x -->\n---\na: 1\n---\n",
        b"+++\na = 1\n+++\n",
        b'{"a": 1}\n',
        b"no front matter",
    ],
)
def test_the_head_of_a_file_says_what_the_file_says(front_matter: bytes) -> None:
    """Only the body is missing."""
    found, place = read(front_matter), locate(front_matter, ("a",))
    body = b"\n---\nb: 2\n" if found else b""
    assert cut_body(front_matter + body) == front_matter
    assert read(front_matter + body) == (found and replace(found, body_chars=len(body)))
    assert locate(front_matter + body, ("a",)) == place


def test_locate_all_finds_what_locate_finds() -> None:
    """Several places found in one pass are those found one by one, in the order asked for."""
    paths = [("empty",), ("absent",), ("title",), ("images", 1, "width")]
    assert locate_all(YAML_DOCUMENT, paths) == [(8, 1), None, (2, 8), (7, 19)]
    assert locate_all(b'{"a": 1,\n "b": 2}\n', [("b",), ("a",)]) == [(2, 2), (1, 2)]
    assert locate_all(b"# Text\n", [("a",), ("b",)]) == [None, None]


class Authority(yaml.CSafeLoader):
    """PyYAML's safe loader, with the text of a key as its key."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, object]:
        """Build a mapping as SafeLoader does, apart from its keys."""
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


def resolved(value: Value) -> object:
    """Type every plain scalar as YAML 1.1 does."""
    match value:
        case Plain():
            return resolve(value)
        case dict():
            return {key: resolved(inner) for key, inner in value.items()}
        case list():
            return [resolved(inner) for inner in value]
    return value


# Where we refuse what PyYAML accepts; everything else it accepts, we read alike.
STRICTER = {
    "bad_tagged_value",  # a tag on a key or an empty list, which PyYAML never gets to build
    "control_character",  # a second byte-order mark, which libyaml skips
    "complex_key",  # keys that are unhashable, or an alias to something typed
    "duplicate_key",  # PyYAML silently keeps the last
    "invisible_space",  # PyYAML takes it for the beginning of a key or value
    "merge_conflict",  # found where one of the others is
    "not_a_mapping",
    "recursive_alias",  # PyYAML builds the loop
    "secured_alias",  # PyYAML has no secrets
    "too_deep",  # our limits: PyYAML has none
    "too_many_aliases",
    "unsupported_tag",  # "! x", which PyYAML drops
    "wide_colon",  # a text that was meant for a field
}


def assert_same_as_pyyaml(text: str, found: FrontMatter | BrokenFrontMatter | None) -> None:
    """Compare with what PyYAML makes of the text, where it has an opinion."""
    try:
        yaml.compose(text, Loader=Authority)
    except yaml.YAMLError:
        assert isinstance(found, BrokenFrontMatter)
        return
    try:
        expected = yaml.load(text, Loader=Authority)
    except Exception:
        return  # a date or number that SafeLoader chokes on; we keep its text
    if isinstance(found, BrokenFrontMatter):
        assert found.code in STRICTER
    else:
        assert found is not None
        if any(note.code == "repeated_key" for note in found.notes):
            assert resolved(found.fields) == expected  # in another order
            return
        # repr, because NaN is not equal to itself and True is equal to 1.
        assert repr(resolved(found.fields)) == repr({} if expected is None else expected)


def read_or_fault(
    data: bytes, *, whole_file: bool = False
) -> FrontMatter | BrokenFrontMatter | None:
    """Give whichever outcome a document has."""
    try:
        return read(data, whole_file=whole_file)
    except BrokenFrontMatter as fault:
        return fault


@PROPERTY
@given(st.integers(min_value=0), st.sampled_from(blocks()))
def test_a_mutated_document_reads_as_pyyaml_reads_it(seed: int, block: bytes) -> None:
    """Whatever PyYAML accepts is read alike or refused for a listed reason."""
    data = mutate(Random(seed), block)
    found = read_or_fault(data, whole_file=True)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        assert isinstance(found, BrokenFrontMatter)
        return
    if text and not text.startswith(("---", "\ufeff")):
        assert_same_as_pyyaml(text, found)


@PROPERTY
@given(
    st.binary(max_size=200) | st.binary(max_size=200).map(lambda tail: b"---\n" + tail + b"\n---\n")
)
def test_any_bytes_end_in_one_outcome(data: bytes) -> None:
    """Bytes of any kind are read, have no front matter, or raise our fault and nothing else."""
    for whole_file in (False, True):
        found = read_or_fault(data, whole_file=whole_file)
        assert isinstance(found, FrontMatter | BrokenFrontMatter | None)


def test_any_small_combination_of_yaml_signs_ends_in_one_outcome() -> None:
    """Short texts of special characters never let a foreign exception out."""
    chance = Random(20240305)
    for _ in range(3_000):
        body = "".join(chance.choices(SNIPPETS, k=chance.randint(1, 9)))
        for fences in ("---\n{}\n---\n", "+++\n{}\n+++\n", ";;;\n{}\n;;;\n", '{{"{}"}}'):
            found = read_or_fault(fences.format(body).encode())
            assert isinstance(found, FrontMatter | BrokenFrontMatter | None)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.dates()
    | st.datetimes()
)
# PyYAML leaves a key that begins with an invisible space without quotes; we refuse it.
KEYS = st.text().filter(lambda key: not INVISIBLE.match(key))
FIELDS = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=9
    ),
)


# To invent nested fields takes more than twenty times as long as what other properties read.
@PROPERTY
@given(FIELDS, st.booleans())
def test_what_pyyaml_dumps_reads_back(fields: dict[str, object], allow_unicode: bool) -> None:
    """Any mapping that PyYAML can write reads back as PyYAML itself reads it."""
    text = yaml.safe_dump(fields, allow_unicode=allow_unicode)
    found = read(f"---\n{text}---\n".encode())
    assert found is not None
    assert repr(resolved(found.fields)) == repr(yaml.load(text, Loader=Authority))


@PROPERTY
@given(
    st.from_regex(r"[-+0-9:._eETZxb ]{1,25}", fullmatch=True)
    | st.sampled_from(
        ["", "~", "null", "Yes", "oFF", "n", ".inf", "-.INF", ".NaN", "<<", "=", "0b1"]
    )
    | st.datetimes().map(str)
    | st.text(max_size=20)
)
def test_typed_is_what_safe_loader_makes_of_a_plain_scalar(text: str) -> None:
    """A plain scalar has the type that PyYAML gives it; what PyYAML cannot build stays text."""
    loader = yaml.SafeLoader("")
    tag = loader.resolve(yaml.ScalarNode, text, (True, False))
    try:
        expected = loader.construct_object(yaml.ScalarNode(tag, text))
    except Exception:
        expected = text
    assert repr(resolve(Plain(text))) == repr(expected)


@pytest.mark.parametrize(
    "text",
    ["2023-02-30", "2024-01-01T25:00:00", "2024-01-01 00:00:00 +99:00", "9" * 5_000, "0b", "="],
)
def test_what_yaml_cannot_hold_stays_text(text: str) -> None:
    """Impossible dates and endless numbers are for the column to warn about."""
    found = resolve(Plain(text))
    assert (type(found), found) == (str, text)


CANARY = "c2VjcmV0Y2FuYXJ5"


@PROPERTY
@given(st.integers(min_value=0))
def test_no_fault_quotes_what_the_file_secures(seed: int) -> None:
    """Neither message nor hint of a broken file holds a piece of its payload."""
    chance = Random(seed)
    payload = chance.choice(
        (CANARY, f'"{CANARY}"', f"\n  {CANARY}: {CANARY}\n  {CANARY}: 1", f"*{CANARY}")
    )
    data = mutate(chance, f"---\ntitle: x\nsecured: {payload}\nquality: 5\n---\n".encode())
    found = read_or_fault(data)
    assert not (isinstance(found, BrokenFrontMatter) and CANARY in str(found))


def with_secrets(chance: Random, anchors: list[str], depth: int, *, secured: bool = False) -> str:
    """Write a value of anchors, aliases, merges and secured keys; only those hold the canary."""
    if anchors and chance.random() < 0.3:
        return f"*{chance.choice(anchors)}"
    shape = chance.choice(("text", "list", "mapping", "mapping")) if depth else "text"
    if shape == "mapping":
        keys = chance.sample(
            ("title", "copy", "<<", "secured", '" SECURED"'), k=chance.randint(1, 3)
        )
        values = [
            with_secrets(chance, anchors, depth - 1, secured=secured or "secured" in key.lower())
            for key in keys
        ]
        text = "{" + ", ".join(f"{k} : {v}" for k, v in zip(keys, values, strict=True)) + "}"
    elif shape == "list":
        items = [with_secrets(chance, anchors, depth - 1, secured=secured) for _ in "ab"]
        text = f"[{', '.join(items)}]"
    else:
        text = CANARY if secured else "open"
    if chance.random() < 0.5:
        return text
    anchors.append(f"a{len(anchors)}")
    return f"&{anchors[-1]} {text}"


def in_the_open(value: Value) -> Iterator[str]:
    """Yield every key, and every text that no secured key is above."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            if not is_secret(key):
                yield from in_the_open(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from in_the_open(inner)
    else:
        yield str(value)


def test_nothing_secured_gets_out_by_alias_or_merge() -> None:
    """However anchors and merges are woven, what is below a secured key is below one only."""
    chance = Random(20240611)
    outcomes = set()
    for _ in range(5_000):
        anchors: list[str] = []
        parts = (f"{key}: {with_secrets(chance, anchors, 3)}\n" for key in "abc")
        found = read_or_fault(f"---\n{''.join(parts)}---\n".encode())
        if isinstance(found, FrontMatter):
            assert CANARY not in " ".join(in_the_open(found.fields))
            outcomes.add("kept a secret" if CANARY in repr(found.fields) else "had no secret")
        else:
            assert found is not None
            outcomes.add(found.code)
    assert {"kept a secret", "had no secret", "secured_alias"} <= outcomes


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ("Title: Tides\nDate: 2024-05-06\n\nBody text.\n", "Pelican or MultiMarkdown"),
        ("Tides\n=====\n\n:date: 2024-05-06\n", "reStructuredText"),
        (".. title: Tides\n.. date: 2024-05-06\n", "Nikola"),
        ("<!--\n.. title: Tides\n-->\n", "Nikola"),
        ("= Tides\nAda Quill\n:revdate: 2024-05-06\n", "AsciiDoc"),
        ("Tides come and go.\n", None),
        ("Note: tides come and go.\n\nAt noon: high.\n", None),
    ],
)
def test_a_head_that_is_not_read_is_named(text: str, system: str | None) -> None:
    """Its author learns why the file is no article."""
    data = text.encode()
    code, message, _ = explain_missing(data)
    assert read(data) is None
    assert (code, system is None or system in message) == (
        "foreign_head" if system else "no_front_matter",
        True,
    )
