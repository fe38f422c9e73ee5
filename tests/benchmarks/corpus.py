"""Invented corpora of any size: news articles below year and month folders, and their taxonomy.

File number n depends on n and the seed alone, so a larger corpus contains the smaller one.
"""

import base64
import itertools
import random
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

# Two halves make some 500 words of no language.
_STEMS = re.findall(
    r"\w+",
    "al bar cor den el far gar hol in jun kel lor mar nor or pel quin ros sel tor ul ver win yar",
)
_ENDS = re.findall(
    r"\w+", "a al by den er est ing is ley mont o on or ra ridge ston ter um ville wick"
)
WORDS = tuple(stem + end for stem, end in itertools.product(_STEMS, _ENDS))
PARENTS = tuple(f"{name} technology" for name in ("Energy", "Health", "Mobility", "Food", "Water"))
TOPICS = tuple(f"{word.title()} {PARENTS[i % 5].split()[0]}" for i, word in enumerate(WORDS[::8]))
# As many as the largest real folder of this kind has.
PROVIDERS = tuple(
    (f"The {a.title()} {b.title()}", f"{a}-{b}.example")
    for a, b in zip(WORDS[:120], reversed(WORDS[:120]), strict=True)
)
# A few providers write most of the news, and a few topics take most of it.
_BY_PROVIDER = list(itertools.accumulate(1 / (rank + 2) for rank in range(len(PROVIDERS))))
_BY_TOPIC = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(TOPICS))))
_FIRST_DAY = datetime(2019, 1, 1)
_DAYS = 365 * 6
AWKWARD_EVERY = 250
# One in 250 files each: a value that does not fit, a broken title, Windows line ends, no scores.
_AWKWARD = ("misfit", "broken", "crlf", "unscored")


def write(folder: Path, files: int, seed: int = 1) -> None:
    """Write `files` articles and the taxonomy of their topics and providers below `folder`."""
    _write_all(folder, taxonomy())
    _write_all(folder, (article(number, seed) for number in range(files)))


def _write_all(folder: Path, contents: Iterator[tuple[str, str]]) -> None:
    made = set()
    for path, text in contents:
        file = folder / path
        if file.parent not in made:
            file.parent.mkdir(parents=True, exist_ok=True)
            made.add(file.parent)
        file.write_bytes(text.encode())


def taxonomy() -> Iterator[tuple[str, str]]:
    """Give path and text of each topic's and each provider's file."""
    for name in PARENTS:
        yield f"_data/topics/{_slug(name)}.yaml", f"taxonomy: topic\nname: {name}\n"
    for i, name in enumerate(TOPICS):
        text = f"taxonomy: topic\nname: {name}\nparent: {PARENTS[i % 5]}\n"
        yield f"_data/topics/{_slug(name)}.yaml", text
    for name, domain in PROVIDERS[::4]:
        text = f"taxonomy: organization\n_id: {domain}\nname: {name}\ndomain: {domain}\n"
        yield f"_data/organizations/{domain}.yaml", text


def article(number: int, seed: int = 1) -> tuple[str, str]:
    """Give path and text of one article."""
    rng = random.Random(number * 1_000_003 + seed)
    published = _FIRST_DAY + timedelta(days=rng.randrange(_DAYS), seconds=rng.randrange(86_400))
    title = _sentence(rng, 11)
    url = _url(rng, _provider(rng), title)
    path = f"_news/{published:%Y/%m/%Y-%m-%d}-{_slug(title)[:60]}-{number}.md"
    kind = _AWKWARD[number % AWKWARD_EVERY] if number % AWKWARD_EVERY < len(_AWKWARD) else ""
    return path, _spoilt(_front_matter(rng, published, title, url), kind)


def _front_matter(
    rng: random.Random, published: datetime, title: str, url: tuple[str, str, str]
) -> str:
    provider, domain, address = url
    quality = max(0, round(rng.gauss(70, 25)))
    lines = [
        "---",
        "category: news",
        f'title: "{title}"',
        f'excerpt: "{_sentence(rng, 32)}."',
        f"publishedDateTime: {published:%Y-%m-%dT%H:%M:%SZ}",
        f'originalUrl: "{address}"',
        f'webUrl: "{address}"',
        f"type: {'video' if rng.random() < 0.03 else 'article'}",
        f"quality: {quality}",
        f"heat: {-1 if rng.random() < 0.3 else quality + rng.randrange(9)}",
        f"published: {'true' if quality >= 70 else 'false'}",
        "",
        "provider:",
        f"  name: {provider}",
        f"  domain: {domain}",
        "",
        "topics:",
        *_topics(rng),
        "",
        "images:",
        f'  - url: "https://images.{domain}/{_slug(title)}/{rng.getrandbits(48):x}.jpg?fit=crop"',
        f"    width: {rng.randrange(600, 2000)}",
        f"    height: {rng.randrange(400, 1200)}",
        "    isCached: true",
        "",
    ]
    related = rng.choice((0, 0, 1, 2))
    if related:
        lines.append("related:")
        for _ in range(related):
            lines += _related(rng, published)
        lines.append("")
    secured = base64.b64encode(rng.randbytes(rng.randrange(450, 850))).decode()
    lines += [f'secured: "{secured}"', "---", ""]
    if rng.random() < 0.1:
        lines += [_sentence(rng, 40) + ".", ""]
    return "\n".join(lines)


def _topics(rng: random.Random) -> list[str]:
    ranks = {rng.choices(range(len(TOPICS)), cum_weights=_BY_TOPIC)[0] for _ in range(2)}
    names = [TOPICS[rank] for rank in sorted(ranks)] + sorted({PARENTS[rank % 5] for rank in ranks})
    return [f"  - {name}" for name in names]


def _related(rng: random.Random, published: datetime) -> list[str]:
    title = _sentence(rng, 9)
    provider, domain, address = _url(rng, _provider(rng), title)
    shown = published + timedelta(hours=rng.randrange(72))
    return [
        f'  - title: "{title}"',
        f'    excerpt: "{_sentence(rng, 28)} ..."',
        f"    publishedDateTime: {shown:%Y-%m-%dT%H:%M:%SZ}",
        f'    webUrl: "{address}"',
        "    type: article",
        "    provider:",
        f"      name: {provider}",
        f"      domain: {domain}",
        f"    quality: {rng.randrange(120)}",
    ]


def _spoilt(text: str, kind: str) -> str:
    match kind:
        case "misfit":
            return text.replace("\nquality: ", "\nquality: about ")
        case "broken":
            return text.replace('title: "', "title: Update: ", 1)
        case "crlf":
            return text.replace("\n", "\r\n")
        case "unscored":
            scores = ("quality: ", "heat: ", "published: ")
            return "".join(x for x in text.splitlines(keepends=True) if not x.startswith(scores))
    return text


def _provider(rng: random.Random) -> tuple[str, str]:
    return rng.choices(PROVIDERS, cum_weights=_BY_PROVIDER)[0]


def _url(rng: random.Random, provider: tuple[str, str], title: str) -> tuple[str, str, str]:
    name, domain = provider
    return name, domain, f"https://www.{domain}/{rng.choice(WORDS)}/{_slug(title)}"


def _sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words)).capitalize()


def _slug(text: str) -> str:
    return text.lower().replace(" ", "-")
