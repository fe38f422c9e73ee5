"""Documents in, one frame per raw table out."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from flows import frontmatter
from flows.normalize.frames import Frames, columns
from flows.normalize.rows import normalize
from flows.normalize.warnings import MAX_WARNINGS
from flows.source.extract import Document, Extracted, Reject, Unchanged
from flows.source.read import Signature

SIGNATURE = Signature(10, "mark")
ARTICLE = b"""\
---
category: news
type: article
title: " A &amp; B "
excerpt: No
publishedDateTime: 1970-01-02T00:00:00.000001Z
updatedDateTime: "1970-01-03"
originalUrl: /o
webUrl: /w
ampWebUrl: /a
cdnAmpWebUrl: /c
quality: 80
heat: -1
published: yes
removed: false
provider:
  name: Example
  domain: example.org
  founded: 1999
  images:
    - url: logo.png
      width: 10
topics: [Solar, Energy]
images:
  - url: 1.jpg
    width: 1
    height: 2
    isCached: true
    title: one
    alt: [x, 1.5]
related:
  - title: other
    publishedDateTime: 1970-01-02
    quality: 5
    provider: {name: P, domain: p.org, secured: s}
    images: []
mood: {day: 2025-01-31, secured: hidden, sun: true, none: }
secured: {a: 12345, b: [6, 78]}
---
body"""
TOPIC = (
    b"_id: t1\ntaxonomy: topic\nname: Solar\nshortname: S\nparent: Energy\notherNames: [Sun, PV]\n"
)


def document(data: bytes, path: str = "_news/2025-03-04-a.md") -> Document:
    """Return the document of a file with these bytes."""
    whole = path.endswith(".yaml")
    found = frontmatter.read(data, whole_file=whole)
    assert found
    return Document(path, "hash", SIGNATURE, "topic" if whole else "article", found, data)


def frames(*documents: Document) -> Frames:
    """Normalize documents alone."""
    return normalize(Extracted(list(documents), [], []))


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame without the values that are null."""
    return [{k: v for k, v in row.items() if not pd.isna(v)} for row in frame.to_dict("records")]


def warnings(data: str) -> list[tuple[Any, ...]]:
    """Return the warnings of an article with these lines of front matter."""
    noted = frames(document(f"---\n{data}\n---\n".encode()))["ops.warnings"]
    assert set(noted.pop("path")) <= {"_news/2025-03-04-a.md"}
    return [
        tuple(warning) for warning in noted.astype(object).where(noted.notna(), None).to_numpy()
    ]


def instant(text: str) -> pd.Timestamp:
    """Return a moment in UTC."""
    return pd.Timestamp(text, tz="UTC")


def test_an_article_becomes_a_row_of_each_table() -> None:
    """Every key has its column, or is in extra; below secured only the length is told."""
    found = {table: rows(frame) for table, frame in frames(document(ARTICLE)).items()}
    article_id = "_news/2025-03-04-a.md"
    assert found == {
        "raw.articles": [
            {
                "article_id": article_id,
                "content_hash": "hash",
                "body_chars": 4,
                "secured_chars": 8,
                "title_text": "A & B",
                "excerpt_text": "No",
                "category": "news",
                "type": "article",
                "title": " A &amp; B ",
                "excerpt": "No",
                "published_at": instant("1970-01-02 00:00:00.000001"),
                "updated_at": instant("1970-01-03"),
                "original_url": "/o",
                "web_url": "/w",
                "amp_web_url": "/a",
                "cdn_amp_web_url": "/c",
                "quality": 80,
                "heat": -1,
                "is_published": True,
                "is_removed": False,
                "provider_name": "Example",
                "provider_domain": "example.org",
                "extra": '{"mood": {"day": "2025-01-31", "sun": true, "none": null},'
                ' "provider": {"founded": 1999}}',
            }
        ],
        "raw.article_topics": [
            {"article_id": article_id, "position": 1, "topic": "Solar"},
            {"article_id": article_id, "position": 2, "topic": "Energy"},
        ],
        "raw.article_images": [
            {
                "article_id": article_id,
                "position": 1,
                "url": "1.jpg",
                "width": 1,
                "height": 2,
                "is_cached": True,
                "title": "one",
                "extra": '{"alt": ["x", 1.5]}',
            }
        ],
        "raw.provider_images": [
            {"article_id": article_id, "position": 1, "url": "logo.png", "width": 10}
        ],
        "raw.related_articles": [
            {
                "article_id": article_id,
                "position": 1,
                "title": "other",
                "published_at": instant("1970-01-02"),
                "quality": 5,
                "provider_name": "P",
                "provider_domain": "p.org",
                "extra": '{"images": []}',
            }
        ],
        "raw.terms": [],
        "ops.files": [
            {
                "path": article_id,
                "collection": "news",
                "file_date": "2025-03-04",
                "status": "loaded",
                "content_hash": "hash",
                "size_bytes": 10,
                "mark": "mark",
                "parser_version": frontmatter.PARSER_VERSION,
            }
        ],
        "ops.warnings": [],
    }


def test_a_taxonomy_file_becomes_a_row_of_its_own_table() -> None:
    """Its other names travel as a list in JSON."""
    found = frames(document(TOPIC, "t.yaml"))
    assert rows(found["raw.terms"]) == [
        {
            "path": "t.yaml",
            "kind": "topic",
            "is_inferred": False,
            "term_id": "t1",
            "name": "Solar",
            "short_name": "S",
            "parent": "Energy",
            "other_names": '["Sun", "PV"]',
        }
    ]
    assert len(found["raw.articles"]) == 0


def test_rejects_and_touched_files_are_ledger_rows_only() -> None:
    """A reject brings its reason, a file that is as it was only its bytes' hash and new mark."""
    reject = Reject("b.md", None, None, "quarantined", "code", "reason", "hint", 3, 4)
    found = normalize(Extracted([], [reject], [Unchanged("c.md", "hash", SIGNATURE)]))
    version = frontmatter.PARSER_VERSION
    assert {table: rows(frame) for table, frame in found.items() if len(frame)} == {
        "ops.files": [
            {
                "path": "b.md",
                "status": "quarantined",
                "reason_code": "code",
                "reason": "reason",
                "line": 3,
                "column": 4,
                "hint": "hint",
                "parser_version": version,
            },
            {
                "path": "c.md",
                "status": "same",
                "content_hash": "hash",
                "size_bytes": 10,
                "mark": "mark",
                "parser_version": version,
            },
        ]
    }


def test_an_empty_batch_has_all_columns_all_the_same() -> None:
    """Frames are the same shape whatever came in, so that loading them needs no guess."""
    empty, full = normalize(Extracted([], [], [])), frames(document(ARTICLE))
    assert {table: list(frame.columns) for table, frame in empty.items()} == {
        table: list(declared) for table, declared in columns().items()
    }
    assert [str(frame.dtypes.to_dict()) for frame in empty.values()] == [
        str(frame.dtypes.to_dict()) for frame in full.values()
    ]


WHOLE = "Write a whole number, or leave the key out."


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            "title: a\nquality: high",
            [
                (
                    "quality",
                    "wrong_type",
                    'quality is "high", not a whole number; left out.',
                    3,
                    WHOLE,
                )
            ],
        ),
        (
            "heat: 010",
            [
                (
                    "heat",
                    "ambiguous_number",
                    'heat is "010", not a decimal number: YAML reads it as 8, and so it is stored.',
                    2,
                    "Write 8 if that is meant.",
                )
            ],
        ),
        (
            "images:\n  - url: a\n  - width: [1]",
            [
                (
                    "images[2].width",
                    "wrong_type",
                    "images[2].width is a list, not a whole number; left out.",
                    4,
                    WHOLE,
                )
            ],
        ),
        (
            "topics:\n  - a\n  -\n  - {b: c}",
            [
                (
                    "topics[2]",
                    "empty_item",
                    "topics[2] is empty, not a value; left out.",
                    4,
                    "Remove the empty item, or fill it in.",
                ),
                (
                    "topics[3]",
                    "wrong_type",
                    "topics[3] is a mapping, not text; left out.",
                    5,
                    "Write one value, in quotes if it is unusual.",
                ),
            ],
        ),
        (
            "provider: [{url: a}]",
            [
                (
                    "provider",
                    "wrong_type",
                    "provider is a list, not a name; left out.",
                    2,
                    "Write the name itself, or below it `name`.",
                )
            ],
        ),
        (
            'quality: "\\e[2J' + "x" * 50 + '"',
            [
                (
                    "quality",
                    "wrong_type",
                    f'quality is "\\u001b[2J{"x" * 36}…", not a whole number; left out.',
                    2,
                    WHOLE,
                )
            ],
        ),
        (
            "quality: high\nimages:\n- url: # ours",
            [
                (
                    "images[1].url",
                    "comment_for_value",
                    "There is only a comment after the colon, so the field is empty.",
                    4,
                    "Put the value in double quotes if # is part of it.",
                ),
                (
                    "quality",
                    "wrong_type",
                    'quality is "high", not a whole number; left out.',
                    2,
                    WHOLE,
                ),
            ],
        ),
    ],
    ids=["number", "octal", "image", "topics", "provider", "terminal", "comment"],
)
def test_a_value_that_does_not_fit_is_named(data: str, expected: list[tuple[Any, ...]]) -> None:
    """Field, value, line and what to write; long values are cut, unprintable ones spelled out."""
    assert warnings(data) == expected


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("12:30", '"12:30"'),
        ("NO", '"NO"'),
        ("Off", '"Off"'),
        ("1.10", '"1.10"'),
        ("02134", '"02134"'),
        ("0755", '"0755"'),
        ("0x1F", '"0x1F"'),
        ("2022_05", '"2022_05"'),
        ("1e3", '"1e3"'),
        ("+5", '"+5"'),
        (".inf", '".inf"'),
        ("2025-01-31", '"2025-01-31"'),
        ("9" * 19, f'"{"9" * 19}"'),
        ('"7"', '"7"'),
        ("7", "7"),
        ("-7.5", "-7.5"),
        ("true", "true"),
        ("~", "null"),
    ],
)
def test_a_key_without_a_column_keeps_what_was_typed(typed: str, kept: str) -> None:
    """Text, unless it is a number, boolean or null that JSON writes alike, at every depth."""
    lines = "\n".join(
        (
            f"own: {typed}",
            f"deep:\n- key: {typed}",
            f"provider:\n  own: {typed}",
            f"images:\n- own: {typed}",
            f"related:\n- own: {typed}",
        )
    )
    found = frames(document(f"---\n{lines}\n---\n".encode()))
    item = f'{{"own": {kept}}}'
    assert [
        found[table]["extra"][0]
        for table in ("raw.articles", "raw.article_images", "raw.related_articles")
    ] == [f'{{"own": {kept}, "deep": [{{"key": {kept}}}], "provider": {item}}}', item, item]


@pytest.mark.parametrize(
    ("line", "extra"),
    [
        ("taxonomy: article", None),
        ("taxonomy: person", '{"taxonomy": "person"}'),
        ("taxonomy: {category: [a]}", '{"taxonomy": {"category": ["a"]}}'),
    ],
)
def test_a_taxonomy_of_another_system_is_a_key_without_a_column(
    line: str, extra: str | None
) -> None:
    """What it says is kept as typed; our own word for an article says nothing new."""
    (row,) = rows(frames(document(f"---\n{line}\n---\n".encode()))["raw.articles"])
    assert row.get("extra") == extra


IMPLAUSIBLE = (
    "Check the year: it is before 1900 or more than a year ahead; `dates` in matterhouse.yaml may"
    " allow it."
)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("1900-01-01", None),
        ("1899-12-31T23:59:59Z", IMPLAUSIBLE),
        ("0203-03-04", IMPLAUSIBLE),
        ("0001-01-01T00:00:00Z", IMPLAUSIBLE),
        ("0001-01-01 00:00:00 +10:00", IMPLAUSIBLE),
        ("2026-03-06T00:00:00Z", None),
        ("2026-03-07T00:00:00Z", IMPLAUSIBLE),
        ("9999-12-31", IMPLAUSIBLE),
        (
            "1970-01-01T00:00:00Z",
            "1970-01-01 is what a clock says that was never set: write the real one.",
        ),
        ("1970-01-01T00:00:01Z", None),
    ],
)
def test_a_date_that_cannot_be_meant_is_null(typed: str, hint: str | None) -> None:
    """Before 1900, more than a year after the run began, or a clock's zero: null, with the line."""
    observed_at = datetime(2025, 3, 5, tzinfo=UTC)
    text = f"---\nrelated:\n- publishedDateTime: {typed}\npublishedDateTime: {typed}\n---\n"
    found = normalize(Extracted([document(text.encode(), "a.md")], [], []), observed_at)
    noted = found["ops.warnings"].to_dict("records")
    keys = ("publishedDateTime", 4), ("related[1].publishedDateTime", 3)
    assert [(w["field"], w["line"], w["code"], w["hint"]) for w in noted] == [
        (field, line, "bad_date", hint) for field, line in keys if hint
    ]
    assert [
        found[table]["published_at"].isna().tolist()
        for table in ("raw.articles", "raw.related_articles")
    ] == [[hint is not None]] * 2


def test_only_so_many_warnings_are_kept() -> None:
    """A file that is wrong in every item says so once more, and then no more."""
    noted = warnings("topics:\n" + "  - {}\n" * (MAX_WARNINGS + 100))
    assert (len(noted), noted[0][0], noted[-2][0], noted[-1]) == (
        MAX_WARNINGS + 1,
        "topics[1]",
        f"topics[{MAX_WARNINGS}]",
        (
            "",
            "more_warnings",
            f"More than {MAX_WARNINGS} values do not fit; the rest is not listed.",
            None,
            "Fix the listed ones.",
        ),
    )


@pytest.mark.parametrize(
    ("lines", "chars"),
    [
        ("title: a", None),
        ("secured:", 0),
        ("secured: abc", 3),
        ("Secured: abc\n'secured ': [d, {e: fg}]", 6),
        ("password: abcd", 4),
    ],
)
def test_the_length_of_secrets_is_all_that_is_told(lines: str, chars: int | None) -> None:
    """However the key is spelled; null means that there is none."""
    (row,) = rows(frames(document(f"---\n{lines}\n---\n".encode()))["raw.articles"])
    assert (row.get("secured_chars"), row.get("extra")) == (chars, None)


@pytest.mark.parametrize(
    ("path", "collection", "file_date"),
    [
        ("a.md", None, None),
        ("_news/a.md", "news", None),
        ("x/y/2025-03-04-a.md", "x", "2025-03-04"),
        ("2025-03-04.md", None, "2025-03-04"),
        ("_n/2025-02-30-a.md", "n", None),
        ("2025-03-045.md", None, None),
        ("2025-03-04/a.md", "2025-03-04", None),
    ],
)
def test_a_path_gives_collection_and_date(
    path: str, collection: str | None, file_date: str | None
) -> None:
    """The first folder, and a date that exists at the start of the file's name."""
    (row,) = rows(frames(document(b"---\n---\n", path))["ops.files"])
    assert (row.get("collection"), row.get("file_date")) == (collection, file_date)
