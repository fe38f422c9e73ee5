"""State what the committed sample holds, read with nothing but PyYAML."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from flows.normalize.rows import normalize
from flows.source.extract import Batch, extract
from flows.source.folder import walk
from flows.source.patterns import PathFilter

CONTENT = Path(__file__).parents[1] / "data" / "content"

BROKEN = {
    "_drafts/2025-12-03-tidal-power-the-patient-cousin-of-wind.md": "unquoted colon",
    "_drafts/2025-12-11-a-co-operative-counts-its-sunny-hours.md": "tab",
    "_drafts/2025-12-18-the-meter-reader-retires.md": "unclosed quote",
    "_drafts/2025-12-23-pumps-in-the-pantry.md": "unclosed fence",
    "_news/2025-02-20-a-ferry-that-charges-while-the-coffee-brews.md": "duplicate key",
    "_news/2025-07-31-the-pylon-painters.md": "merge conflict",
    "_news/2025-10-22-cafe-au-soleil.md": "encoding",
}
SYNTAX_FAULTS = {
    "mapping values are not allowed in this context": "unquoted colon",
    "found a tab character that violates indentation": "tab",
    "did not find expected key": "unclosed quote",
    "could not find expected ':'": "merge conflict",
}


class UnreadableError(Exception):
    """A file cannot be read as one front-matter document."""


def front_matter(path: Path) -> str:
    """Return the YAML between the fences, or the whole of a taxonomy file."""
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UnreadableError("encoding") from error
    if path.suffix == ".yaml":
        return text
    if not text.startswith("---\n"):
        raise UnreadableError("no front matter")
    block, fence, _ = text.removeprefix("---\n").partition("\n---\n")
    if not fence:
        raise UnreadableError("unclosed fence")
    return block


def compose_mapping(block: str) -> list[tuple[yaml.Node, yaml.Node]]:
    """Return a block's top-level pairs as nodes: a dict would hide a key given twice."""
    node = yaml.compose(block, yaml.CBaseLoader)
    assert isinstance(node, yaml.MappingNode)
    pairs: list[tuple[yaml.Node, yaml.Node]] = node.value
    return pairs


def read(path: Path) -> dict[str, Any]:
    """Return the fields as typed text, so that an impossible date stays readable."""
    block = front_matter(path)
    try:
        keys = [key.value for key, _ in compose_mapping(block)]
        fields: dict[str, Any] = yaml.load(block, yaml.CBaseLoader)
    except yaml.MarkedYAMLError as error:
        raise UnreadableError(SYNTAX_FAULTS[str(error.problem)]) from error
    if len(keys) != len(set(keys)):
        raise UnreadableError("duplicate key")
    return fields


def read_all() -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Split the corpus into documents and faults, both by relative path."""
    documents, faults = {}, {}
    for path in sorted(p for p in CONTENT.rglob("*") if p.suffix in {".md", ".yaml"}):
        name = path.relative_to(CONTENT).as_posix()
        try:
            documents[name] = read(path)
        except UnreadableError as fault:
            faults[name] = str(fault)
    return documents, faults


DOCUMENTS, FAULTS = read_all()
ARTICLES = {name: fields for name, fields in DOCUMENTS.items() if "taxonomy" not in fields}


def moment(fields: dict[str, Any]) -> datetime | None:
    """Return the publication time in UTC, none for a date no calendar has."""
    try:
        return datetime.fromisoformat(fields["publishedDateTime"]).astimezone(UTC)
    except ValueError:
        return None


def per_quarter(topic: str) -> list[int]:
    """Count a topic's articles in each quarter from 2024 Q3 to 2025 Q4."""
    moments = [moment(fields) for fields in ARTICLES.values() if topic in fields["topics"]]
    counts = Counter((m.year, (m.month + 2) // 3) for m in moments if m is not None)
    quarters = [(2024, 3), (2024, 4), (2025, 1), (2025, 2), (2025, 3), (2025, 4)]
    return [counts[quarter] for quarter in quarters]


def urls(value: Any) -> Iterator[str]:
    """Yield every address in a document, however deep."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from urls(item)
    elif isinstance(value, str):
        yield from re.findall(r"https?://[^\s\"<>]+", value)


def story(url: str) -> str:
    """Reduce an address to host and path, with the query only where it names the story."""
    parts = urlsplit(url)
    query = "" if "utm_" in parts.query else parts.query
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}?{query}"


def test_each_deliberate_mistake_breaks_its_own_file_and_no_other() -> None:
    """Seven files are broken on purpose; one page has no front matter at all."""
    assert {**BROKEN, "README.md": "no front matter"} == FAULTS


def test_every_kind_of_document_is_counted() -> None:
    """The corpus holds 181 articles, nine topics and nine organizations."""
    kinds = Counter(
        fields.get("taxonomy", fields.get("type", "untyped")) for fields in DOCUMENTS.values()
    )
    assert kinds == {"article": 177, "video": 4, "topic": 9, "organization": 9}


def test_the_broken_share_stays_under_the_warning_of_the_checks() -> None:
    """Fewer than one file in twenty ends in quarantine."""
    assert len(BROKEN) / (len(DOCUMENTS) + len(FAULTS)) < 0.05


def test_every_article_is_read_by_the_columns_own_keys() -> None:
    """The sample is of the kind that the columns are named after, but for a bad date's day."""
    listing = walk(CONTENT, PathFilter())
    batch = Batch(CONTENT, tuple(sorted(listing.paths)), {}, listing.faults)
    articles = normalize(extract(batch))["raw.articles"].dropna(subset="sources")
    assert dict(zip(articles["article_id"], articles["sources"], strict=True)) == {
        "_news/2025-02-28-leap-of-faith-at-the-tide-gauge.md": '{"published_at": "file name"}'
    }


def test_three_files_hold_a_value_of_the_wrong_type() -> None:
    """A word as score, a thirtieth of February and topics that are a mapping."""
    wrong = {
        name
        for name, fields in ARTICLES.items()
        if not fields.get("quality", "0").isdigit()
        or moment(fields) is None
        or not isinstance(fields["topics"], list)
    }
    assert wrong == {
        "_news/2025-01-15-a-kiosk-that-lends-out-power-banks-by-the-season.md",
        "_news/2025-02-28-leap-of-faith-at-the-tide-gauge.md",
        "_news/2025-06-26-a-chapel-roof-pays-for-its-own-bell.md",
    }


def test_every_topic_is_listed_beside_the_root() -> None:
    """Articles carry the root topic and only topics that the taxonomy names."""
    taxonomy = {
        f["name"]: f.get("parent") for f in DOCUMENTS.values() if f.get("taxonomy") == "topic"
    }
    lists = [f["topics"] for f in ARTICLES.values() if isinstance(f["topics"], list)]
    assert {topic for topics in lists for topic in topics} == set(taxonomy)
    assert [topics for topics in lists if "Clean Energy" not in topics] == []
    assert {parent for name, parent in taxonomy.items() if name != "Clean Energy"} == {
        "Clean Energy"
    }


@pytest.mark.parametrize(
    ("topic", "counts"),
    [
        pytest.param("Batteries", [3, 3, 8, 11, 13, 24], id="rises"),
        pytest.param("Hydrogen", [9, 6, 5, 4, 2, 1], id="fades"),
        pytest.param("Heat Pumps", [1, 12, 4, 0, 4, 12], id="comes back each autumn"),
        pytest.param("Geothermal", [0, 0, 0, 0, 0, 9], id="is new in the last quarter"),
    ],
)
def test_topics_tell_their_story(topic: str, counts: list[int]) -> None:
    """Articles per quarter rise, fade, follow the season or begin late."""
    assert per_quarter(topic) == counts


def test_one_provider_slips_month_by_month() -> None:
    """Gridwire Daily appears once a month and scores lower each time."""
    scores = [
        (fields["publishedDateTime"], int(fields["quality"]))
        for fields in ARTICLES.values()
        if fields["provider"]["domain"] == "gridwire.example.com"
    ]
    qualities = [quality for _, quality in sorted(scores)]
    assert len({when[:7] for when, _ in scores}) == len(scores) == 18
    assert all(later < earlier for earlier, later in pairwise(qualities))
    assert (qualities[0], qualities[-1]) == (112, 46)


def test_providers_are_many_and_one_of_them_leads() -> None:
    """Twenty providers share the corpus, three names share one domain."""
    domains = Counter(fields["provider"]["domain"] for fields in ARTICLES.values())
    lindmark = {
        fields["provider"]["name"]
        for fields in ARTICLES.values()
        if fields["provider"]["domain"] == "news.lindmark.example.org"
    }
    assert len(domains) == 20
    assert domains.most_common(1) == [("transition-ledger.example.org", 53)]
    assert lindmark == {"Lindmark University", "U. Lindmark Newsroom", "University of Lindmark"}


def test_published_is_a_cut_through_quality() -> None:
    """A scored article is published exactly when its quality reaches 70."""
    contradictions = [
        name
        for name, fields in ARTICLES.items()
        if fields.get("quality", "").isdigit()
        and (int(fields["quality"]) >= 70) != (fields["published"] == "true")
    ]
    assert contradictions == []


def test_three_stories_arrive_on_two_paths() -> None:
    """Addresses differ in tracking, host case, slash or fragment, or not at all."""
    stories = Counter(story(fields["originalUrl"]) for fields in ARTICLES.values())
    assert sorted(count for count in stories.values() if count > 1) == [2, 2, 2]


def test_awkward_bytes_survive_the_checkout() -> None:
    """One file keeps its CRLF line ends and another its byte-order mark."""
    contents = {path.name: path.read_bytes() for path in sorted(CONTENT.rglob("*.md"))}
    assert [name for name, raw in contents.items() if b"\r\n" in raw] == [
        "2025-11-05-how-cold-is-too-cold-five-winters-of-logbooks.md"
    ]
    assert [name for name, raw in contents.items() if raw.startswith(b"\xef\xbb\xbf")] == [
        "2024-09-24-the-quiet-fall-in-the-price-of-glass.md"
    ]


def test_every_address_is_invented() -> None:
    """All hosts lie under the names that are reserved for examples."""
    hosts = {urlsplit(url).hostname or "" for fields in DOCUMENTS.values() for url in urls(fields)}
    reserved = re.compile(r".+\.example(\.(com|net|org))?")
    assert sorted(host for host in hosts if not reserved.fullmatch(host)) == []


def test_every_article_carries_its_own_payload() -> None:
    """No two articles share the opaque text that the warehouse must never show."""
    payloads = [fields["secured"] for fields in ARTICLES.values()]
    assert len(set(payloads)) == len(ARTICLES)
    assert {80 <= len(payload) <= 200 for payload in payloads} == {True}
