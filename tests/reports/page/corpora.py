"""Content folders made for the page: hostile texts, very many topics, nothing of something."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.repositories import Repository

# Markup in every place, addresses that are scripts, names in other scripts and directions, names
# that are very long or have no space, signs that a terminal or a text direction would obey.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}",
    "</svg></title><script src=//evil.example/x.js></script>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; & <b>",
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe",
    "\x1b[2Jcleared",
    "مقالات عن الطاقة الشمسية",
    "再生可能エネルギーの分散型ネットワーク",
    "Ενέργεια, энергия, ऊर्जा",
    "\N{FAMILY}\N{ZERO WIDTH JOINER}\N{FIRE}",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3,
    "A very long name with very many words in it " * 12,
)
ADDRESSES = (
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://news.example.org/?q=<script>alert(1)</script>",
    'https://news.example.org/"onclick="alert(1)',
    "//evil.example/x",
)


def write(folder: Path, path: str, fields: Mapping[str, Any]) -> None:
    """Write one article; JSON is YAML, so nothing needs quoting."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{key}: {json.dumps(value)}" for key, value in fields.items()]
    file.write_text("\n".join(["---", *lines, "---", ""]), encoding="utf-8")


def article(number: int, **fields: Any) -> dict[str, Any]:
    """Return the fields of an ordinary article, with some of its own."""
    return {
        "title": f"Article {number}",
        "publishedDateTime": f"{date(2025, 6, 30) - timedelta(days=number % 400)}T12:00:00Z",
        "originalUrl": f"https://news.example.org/{number}",
        "quality": 40 + number % 60,
        "topics": ["Solar"],
        "provider": {"name": "Example News", "domain": "news.example.org"},
        **fields,
    }


def write_hostile(folder: Path) -> None:
    """Write a corpus in which every text is one of the hostile ones, in every field."""
    for number in range(120):
        text, other = HOSTILE[number % len(HOSTILE)], HOSTILE[(number * 7 + 3) % len(HOSTILE)]
        address = ADDRESSES[number % len(ADDRESSES)]
        fields = article(
            number,
            title=text,
            excerpt=text,
            topics=[text, other],
            originalUrl=address,
            provider={"name": text, "domain": f"{number % 40}.example"},
            related=[{"title": text, "originalUrl": address, "provider": {"name": other}}],
        )
        fields[f"{text} key"] = text
        write(folder, f"_news/{number}.md", fields)
    for number, text in enumerate(HOSTILE):
        name = "".join(sign for sign in text if sign not in "/\0")[:60]
        broken = folder / f"_{number}" / f"{name}.md"
        broken.parent.mkdir(parents=True)
        broken.write_text(f"---\ntitle: {json.dumps(text)}\nbad: [\n---\n", encoding="utf-8")


def write_many(folder: Path, topics: int, articles: int) -> None:
    """Write a corpus of very many topics, providers and collections."""
    for number in range(articles):
        name = f"Provider {number % 300}"
        write(
            folder,
            f"_collection-{number % 60}/{number}.md",
            article(
                number,
                topics=[f"Topic number {number % topics}", f"Topic number {number * 7 % topics}"],
                provider={"name": name, "domain": f"p{number % 300}.example"},
            ),
        )


def commit_sample(sample: Path, repository: Repository) -> None:
    """Commit the articles of each month at its end, and lower some scores of the month before."""
    files = sorted((sample / "_news").iterdir(), key=lambda file: file.name)
    before: list[Path] = []
    for month, found in groupby(files, key=lambda file: file.name[:7]):
        now = list(found)
        for file in now:
            (repository.folder / "_news").mkdir(exist_ok=True)
            (repository.folder / "_news" / file.name).write_bytes(file.read_bytes())
        for file in before[::3]:
            copy = repository.folder / "_news" / file.name
            copy.write_bytes(re.sub(rb"(?m)^quality: \d", b"quality: 1", copy.read_bytes()))
        for file in before[1::7]:
            (repository.folder / "_news" / file.name).unlink()
        year, number = map(int, month.split("-"))
        repository.commit(at=int(datetime(year, number, 28, tzinfo=UTC).timestamp()))
        before = now


def write_articles(folder: Path, articles: Sequence[Mapping[str, Any]]) -> None:
    """Write articles one after the other."""
    for number, fields in enumerate(articles):
        write(folder, f"_news/{number}.md", fields)
