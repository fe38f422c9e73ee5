"""Front matter of other systems: which of its keys feed which columns, and what stays in extra."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.config import Config, parse
from flows.frontmatter import read
from flows.normalize.rows import normalize
from flows.source.extract import Document, Extracted
from flows.source.read import Signature

HUGO = """\
title: Wind over the dunes
description: How a village kept its turbine.
date: 2024-03-05 18:30:00 +0100
lastmod: 2024-04-01
draft: false
tags: [Wind, Villages]
categories: [Reports, Coast]
author: Ada Quill
featured_image: dunes.jpg
weight: 20
"""
JEKYLL = """\
layout: post
title: A link worth a morning
date: 2023-10-13 20:02:00 -0500
categories: links
tags: tide, harbour
external-url: https://www.harbourpost.example/2023/tide?from=feed
published: false
"""
ZOLA = """\
title = "On kelp"
date = 2022-07-01
[taxonomies]
authors = ["Bo Reed", "Cy Marsh"]
subjects = ["Kelp"]
[extra]
author = {name = "Nobody"}
"""
DOCUSAURUS = """\
title: Release 4
authors:
  - name: Dana Vale
    url: https://dana.example
  - eli
tags:
  - {label: Releases, name: Release notes}
  - changelog
image: {src: ./cover.png, alt: A cover}
"""
OBSIDIAN = """\
created: 2021-05-06
published: 2020-04-28
source: "[[The Lantern]]"
tags:
  -
topics: ["[[Moths|night moths]]"]
type: [clipping]
images: moth.png
"""


def document(data: str, path: str = "blog/post.md", fence: str = "---") -> Document:
    """Return the document of a file with this front matter."""
    content = f"{fence}\n{data}{fence}\n".encode()
    found = read(content)
    assert found
    return Document(path, "hash", Signature(1, "mark"), "article", found, content)


def loaded(one: Document, mapping: Config | None = None) -> dict[str, Any]:
    """Return what an article became: its columns, lists and warnings, without what is null."""
    frames = normalize(Extracted([one], [], []), None, mapping)
    (article,) = frames["raw.articles"].to_dict("records")
    always = ("article_id", "content_hash", "body_chars", "title_text", "excerpt_text")
    row = {
        name: str(value) if name.endswith("_at") else value
        for name, value in article.items()
        if name not in always
        and value == value
        and value is not None
        and str(value) != "NaT"
        and str(value) != "<NA>"
    }
    for name in ("extra", "sources"):
        row[name] = json.loads(row[name]) if name in row else {}
    topics = frames["raw.article_topics"]["topic"].tolist()
    images = frames["raw.article_images"]["url"].tolist()
    warned = frames["ops.warnings"][["field", "line", "hint"]].to_dict("records")
    return row | {"topics": topics, "images": images, "warnings": warned}


def test_hugo() -> None:
    """Dates with an offset after a space, a flag turned round, what is left over in extra."""
    assert loaded(document(HUGO)) == {
        "title": "Wind over the dunes",
        "excerpt": "How a village kept its turbine.",
        "category": "Reports",
        "published_at": "2024-03-05 17:30:00+00:00",
        "updated_at": "2024-04-01 00:00:00+00:00",
        "is_draft": False,
        "provider_name": "Ada Quill",
        "extra": {"weight": 20, "categories": ["Coast"]},
        "sources": {
            "excerpt": "description",
            "category": "categories.0",
            "published_at": "date",
            "updated_at": "lastmod",
            "provider_name": "author",
            "topics": "tags",
            "images": "featured_image",
        },
        "topics": ["Wind", "Villages"],
        "images": ["dunes.jpg"],
        "warnings": [],
    }


def test_jekyll() -> None:
    """A linked address names the provider; tags in one text are split at their commas."""
    assert loaded(document(JEKYLL)) == {
        "title": "A link worth a morning",
        "category": "links",
        "published_at": "2023-10-14 01:02:00+00:00",
        "original_url": "https://www.harbourpost.example/2023/tide?from=feed",
        "provider_domain": "www.harbourpost.example",
        "is_published": False,
        "extra": {"layout": "post"},
        "sources": {
            "category": "categories.0",
            "published_at": "date",
            "original_url": "external-url",
            "provider_domain": "host external-url",
            "topics": "tags",
        },
        "topics": ["tide", "harbour"],
        "images": [],
        "warnings": [],
    }


def test_zola() -> None:
    """Taxonomies of any name are topics, but for the one that named the authors."""
    found = loaded(document(ZOLA, fence="+++"))
    assert (found["provider_name"], found["topics"], found["extra"]) == (
        "Bo Reed",
        ["Kelp"],
        {
            "taxonomies": {"authors": ["Bo Reed", "Cy Marsh"]},
            "extra": {"author": {"name": "Nobody"}},
        },
    )


def test_docusaurus() -> None:
    """The date is in the file's name, authors and tags can be mappings."""
    found = loaded(document(DOCUSAURUS, "blog/2024-02-29-release.mdx"))
    assert found == {
        "title": "Release 4",
        "published_at": "2024-02-29 00:00:00+00:00",
        "provider_name": "Dana Vale",
        "extra": {
            "authors": [{"name": "Dana Vale", "url": "https://dana.example"}, "eli"],
            "tags": [{"label": "Releases", "name": "Release notes"}, "changelog"],
        },
        "sources": {
            "published_at": "file name",
            "provider_name": "authors",
            "topics": "tags",
            "images": "image",
        },
        "topics": ["Release notes", "changelog"],
        "images": ["./cover.png"],
        "warnings": [],
    }


def test_obsidian() -> None:
    """A date below `published` is a date, wiki links are names, an odd `type` stays in extra."""
    assert loaded(document(OBSIDIAN)) == {
        "published_at": "2020-04-28 00:00:00+00:00",
        "provider_name": "The Lantern",
        "extra": {"created": "2021-05-06", "tags": [None], "type": ["clipping"]},
        "sources": {"published_at": "published", "provider_name": "source"},
        "topics": ["Moths"],
        "images": ["moth.png"],
        "warnings": [
            {"field": "type", "line": 8, "hint": "Write one value, in quotes if it is unusual."}
        ],
    }


@pytest.mark.parametrize(
    ("lines", "column", "value"),
    [
        ("source: https://a.example/x", "original_url", "https://a.example/x"),
        ("source: https://a.example/x", "provider_name", None),
        ("source: The Post", "provider_name", "The Post"),
        ("source: The Post", "original_url", None),
        ("link: /about/", "original_url", None),
        ("author: [Ada, Bo]", "provider_name", "Ada"),
        ("author: {name: Ada, url: x}", "provider_name", "Ada"),
        ("author_name: Ada", "provider_name", "Ada"),
        ("post-date: 2024-01-02", "published_at", "2024-01-02 00:00:00+00:00"),
        ("publish: true", "is_draft", False),
        ("publish: false", "is_draft", True),
        ("draft: true", "is_published", None),
        ("draft: true\npublished: true", "is_draft", True),
        ("draft: 'true'", "is_draft", True),
        ("draft: 1", "is_draft", True),
        ("draft: [true]", "is_draft", True),
        ("draft: false", "is_draft", False),
        ("draft: false\nunlisted: true", "is_draft", True),
        ("unlisted: false\nhidden: true", "is_draft", True),
        ("isDraft: true", "is_draft", True),
        ("visible: false", "is_draft", True),
        ("permalink: false", "is_draft", True),
        ("permalink: /kelp/", "is_draft", None),
        ("eleventyExcludeFromCollections: true", "is_draft", True),
        ("_build: {render: never}", "is_draft", True),
        ("build: {list: never}", "is_draft", True),
        ("hide: [toc]", "is_draft", None),
        ("date: 2024-01-02\npublishDate: 2024-03-01", "published_at", "2024-03-01 00:00:00+00:00"),
        ("expires: 2024-05-06", "expires_at", "2024-05-06 00:00:00+00:00"),
        ("last_update: {date: 2024-01-02}", "updated_at", "2024-01-02 00:00:00+00:00"),
        ("date: 2024-01-02\npublished: true", "is_published", True),
        ("published: true\ncreated: 2024-01-02", "published_at", "2024-01-02 00:00:00+00:00"),
        (
            "publishedDateTime: 2024-01-02\ndate: 2020-01-01",
            "published_at",
            "2024-01-02 00:00:00+00:00",
        ),
        ("rating: 5\nweight: 3", "quality", None),
        ("originalUrl: https://a.example/x", "provider_domain", None),
        ("Title: Kelp", "title", "Kelp"),
        ("title: Kelp\nTitle: Other", "title", "Kelp"),
        ("TITLE: Kelp\ntitle:", "title", "Kelp"),
        ("date created: 2024-01-02", "published_at", "2024-01-02 00:00:00+00:00"),
        ("published_at: 2024-01-02", "published_at", "2024-01-02 00:00:00+00:00"),
        ("Last-Update: {Date: 2024-01-02}", "updated_at", "2024-01-02 00:00:00+00:00"),
        (
            "date: git Last Modified\ncreated: 2024-01-02",
            "published_at",
            "2024-01-02 00:00:00+00:00",
        ),
        (
            "date: Wednesday, April 7th 2021, 8:33:00 pm",
            "published_at",
            "2021-04-07 20:33:00+00:00",
        ),
        ("author: [{name: {given: Ada, family: Quill}}]", "provider_name", "Ada Quill"),
        ("author: [[Ada Quill]]", "provider_name", "Ada Quill"),
        ("Status: Draft", "is_draft", True),
        ("status: [draft]", "is_draft", True),
        ("status: in review", "is_draft", True),
        ("status: seedling", "is_draft", False),
        ("visibility: private", "is_draft", True),
        ("category: [News, Sea]", "category", "News"),
    ],
)
def test_a_column_takes_the_first_source_that_has_a_value_of_its_kind(
    lines: str, column: str, value: object
) -> None:
    """What is of another kind is passed over; scores are never guessed."""
    assert loaded(document(lines + "\n")).get(column) == value


@pytest.mark.parametrize(
    ("lines", "topics"),
    [
        ("tags: one", ["one"]),
        ("tags: one two, three", ["one two", "three"]),
        ("tag: [a]\ncategories: [b]", ["a"]),
        ("tags: []\ncategories: b", ["b"]),
        ("category: Tools", ["Tools"]),
        ("category: news\npublishedDateTime: 2024-01-01", []),
        ("topics: Solar", ["Solar"]),
        ("taxonomy: {tag: [a, b]}", ["a", "b"]),
        ("taxonomies: {tags: [], kinds: [x]}", ["x"]),
        ("topics: [{name: a}]", []),
        ("tags: [{label: a, permalink: /a}, {slug: b}]", ["a"]),
        ("tags: [[Moths]]", ["Moths"]),
        ("categories: [[a, b], [c]]", ["a", "b", "c"]),
        ("tags: ['#moth', '#night sky']", ["moth", "#night sky"]),
        ("tags: '#moth #night'", ["moth", "night"]),
        ("Keywords: a, b", ["a", "b"]),
    ],
)
def test_topics_come_from_tags_and_categories(lines: str, topics: list[str]) -> None:
    """The first of them that has any; the seed's categories are kinds of articles, not topics."""
    assert loaded(document(lines + "\n"))["topics"] == topics


@pytest.mark.parametrize(
    ("lines", "field", "extra"),
    [
        ("quality: high", "quality", {"quality": "high"}),
        ("quality: 010", "quality", {"quality": "010"}),
        ("date: 03/04/2023", "date", {"date": "03/04/2023"}),
        ("topics: [a, {b: c}]", "topics[2]", {"topics": [{"b": "c"}]}),
        ("provider: [{url: a}]", "provider", {"provider": [{"url": "a"}]}),
        ("date: {}", "date", {"date": {}}),
        ("date: [2024-05-06, 2024-05-07]", "date", {"date": ["2024-05-06", "2024-05-07"]}),
        ("date: {start: 2024-05-06}", "date", {"date": {"start": "2024-05-06"}}),
        ("date: true", "date", {"date": True}),
        ("summary: [a, b]", "summary", {"summary": ["a", "b"]}),
        ("author: {email: a@b.example}", "author", {"author": {"email": "a@b.example"}}),
        ("tags: {a: b}", "tags", {"tags": {"a": "b"}}),
        ("provider: {name: false}", "provider.name", {"provider": {"name": False}}),
        ("category: true", "category", {"category": True}),
        ("topics: [true, Sea]", "topics[1]", {"topics": [True]}),
        ("images: [false]", "images[1]", {"images": [False]}),
        ("provider: {domain: [x]}", "provider.domain", {"provider": {"domain": ["x"]}}),
        ("title: [a, {secured: b}]", "title", {"title": ["a", {}]}),
    ],
)
def test_what_did_not_fit_is_kept_in_extra(lines: str, field: str, extra: dict[str, Any]) -> None:
    """Nothing that was typed is lost, but for what is secret."""
    found = loaded(document(lines + "\n", "post.md"))
    assert ([w["field"] for w in found["warnings"]], found["extra"]) == ([field], extra)


MAPPING = r"""
columns:
  published_at: [date, {key: path, match: '(\d{4}/\d\d/\d\d)'}, {file: name}]
  title: [headline, title]
  provider_name: {constant: The Mill}
  category: {file: folder}
  quality: rating
  topics: [extra.team, labels]
  images: []
split: {labels: " ", author: ";"}
secret: [token]
collections: {blog/old: archive}
"""


def test_a_configuration_replaces_rows() -> None:
    """Nested keys, patterns, constants, the folder, splits; what is secret is nowhere."""
    lines = """\
path: inside/2020/10/07/hello
headline: One
title: Two
author: Ada
rating: 7
labels: tide moon
token: hidden
deep: {Token: hidden, open: yes}
image: a.png
"""
    mapping = parse(MAPPING.encode(), Path("matterhouse.yaml"))
    assert loaded(document(lines, "blog/old/x.md"), mapping) == {
        "title": "One",
        "category": "blog",
        "published_at": "2020-10-07 00:00:00+00:00",
        "quality": 7,
        "provider_name": "The Mill",
        "secured_chars": 6,
        "extra": {
            "title": "Two",
            "author": "Ada",
            "deep": {"open": "yes"},
            "image": "a.png",
        },
        "sources": {
            "title": "headline",
            "category": "file folder",
            "published_at": "path",
            "quality": "rating",
            "provider_name": "constant",
            "topics": "labels",
        },
        "topics": ["tide", "moon"],
        "images": [],
        "warnings": [],
    }


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("blog/2024-05-06-kelp.md", "2024-05-06"),
        ("blog/2024-05-06-kelp/index.md", "2024-05-06"),
        ("2024/05/06/kelp.md", "2024-05-06"),
        ("2024-05-06/2024-05-07-kelp.md", "2024-05-07"),
        ("blog/12024/05/06/kelp.md", None),
        ("blog/2024-05-061/kelp.md", None),
        ("blog/2024/05-06/kelp.md", None),
    ],
)
def test_a_path_that_holds_a_whole_date_is_one(path: str, day: str | None) -> None:
    """The name of the file comes before its folders."""
    found = loaded(document("title: Kelp\n", path)).get("published_at")
    assert found == (day and f"{day} 00:00:00+00:00")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("tags: null\ncategories: Kelp\n", {"topics": ["Kelp"], "category": "Kelp"}),
        ("tags: ~\nkeywords: Null\n", {}),
        ("tags: 'Kelp, null, , ~'\n", {"topics": ["Kelp"]}),
        ("topics: [Kelp, '']\n", {"topics": ["Kelp"], "warned": ["topics[2]"]}),
        ("tags: ['#', '']\n", {}),
        ("categories: 'Kelp, Sea'\n", {"topics": ["Kelp", "Sea"], "category": "Kelp"}),
        ("author: false\nauthors: [true, Ann]\n", {"provider_name": "Ann"}),
        ("author: [https://a.example, Ann]\n", {"provider_name": "Ann"}),
        ("cover: false\nimage: true\nthumbnail: a.png\n", {"images": ["a.png"]}),
        ("tags: false\ncategories: [true]\nkeywords: Sea\n", {"topics": ["Sea"]}),
        ("provider: The Post\n", {"provider_name": "The Post"}),
        ("provider: [The Post, Ann]\n", {"provider_name": "The Post"}),
        ("provider: https://post.example/a\n", {"provider_domain": "post.example"}),
        ("provider: {name: ''}\nauthor: Ann\n", {"provider_name": "Ann"}),
        ("date: [2024-05-06]\n", {"published_at": "2024-05-06"}),
        (
            "date: {created: 2024-05-06, updated: 2024-05-07}\n",
            {"published_at": "2024-05-06", "updated_at": "2024-05-07"},
        ),
        ("date: tbd\npubDate: 2024-05-06\n", {"published_at": "2024-05-06", "warned": ["date"]}),
        ("published: true\ncreated: 2024-05-06\n", {"published_at": "2024-05-06"}),
        ("summary: {a: b}\ndeck: Short.\n", {"excerpt": "Short.", "warned": ["summary"]}),
    ],
)
def test_the_first_key_that_holds_a_value_of_the_kind_counts(
    lines: str, expected: dict[str, Any]
) -> None:
    """What YAML calls empty is none, true and false are no name, topic, image or category."""
    found = loaded(document(lines, "post.md"))
    names = ("category", "excerpt", "provider_name", "provider_domain", "topics", "images")
    values = {name: found[name] for name in names if found.get(name)}
    values |= {name: found[name][:10] for name in ("published_at", "updated_at") if name in found}
    warned = [warning["field"] for warning in found["warnings"]]
    assert values | ({"warned": warned} if warned else {}) == expected


def test_a_date_that_does_not_fit_leaves_the_word_to_the_name_of_the_file() -> None:
    """Its author is warned all the same."""
    found = loaded(document("publishedDateTime: soon\n", "2024-05-06-kelp.md"))
    assert (found["published_at"], [warning["field"] for warning in found["warnings"]]) == (
        "2024-05-06 00:00:00+00:00",
        ["publishedDateTime"],
    )


def test_a_source_is_named_as_the_file_spells_it() -> None:
    """So that it can be searched for."""
    text = "Pub Date: 2024-05-06\nExtra: {Team: [Sea]}\nCover_Image: {image: a.png}\n"
    mapping = parse(b"columns: {topics: extra.team}", Path("matterhouse.yaml"))
    found = loaded(document(text), mapping)
    assert (found["sources"], found["topics"], found["images"], found["extra"]) == (
        {"published_at": "Pub Date", "topics": "Extra.Team", "images": "Cover_Image"},
        ["Sea"],
        ["a.png"],
        {},
    )


def test_bounds_of_dates_are_those_of_the_configuration() -> None:
    """An archive has old dates, a calendar has far ones; both days of the bounds are within."""
    mapping = parse(b"dates: {earliest: 1850-01-01, latest: 2090-12-31}", Path("matterhouse.yaml"))
    beyond = (
        "Check the year: it is before 1850-01-01 or after 2090-12-31, as `dates` in"
        " matterhouse.yaml has it."
    )
    for typed, date, hints in (
        ("1850-01-01", "1850-01-01 00:00:00+00:00", []),
        ("2090-12-31 23:59:59", "2090-12-31 23:59:59+00:00", []),
        ("2091-01-01", None, [beyond]),
    ):
        found = loaded(document(f"date: {typed}\n"), mapping)
        hinted = [warning["hint"] for warning in found["warnings"]]
        assert (found.get("published_at"), hinted) == (date, hints)


def test_the_last_day_that_there_is_can_be_a_bound() -> None:
    """It says that any date ahead can be meant."""
    mapping = parse(b"dates: {latest: 9999-12-31}", Path("matterhouse.yaml"))
    found = loaded(document("date: 2600-01-01\n"), mapping)
    assert (found["published_at"], found["warnings"]) == ("2600-01-01 00:00:00+00:00", [])


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("{key: status, match: '^published$'}", [True, False, None]),
        ("{not: status, match: '^draft$'}", [True, False, None]),
        ("[{key: state, match: x}, {key: status, match: '^published$'}]", [True, False, None]),
    ],
)
def test_a_flag_says_whether_its_text_matches(row: str, found: list[bool | None]) -> None:
    """Also that it does not; only where there is no text, the next source is asked."""
    mapping = parse(f"columns: {{is_published: {row}}}".encode(), Path("matterhouse.yaml"))
    texts = ("status: published", "status: draft", "title: a")
    flags = [loaded(document(text + "\n"), mapping).get("is_published") for text in texts]
    assert flags == found
