"""Mutate documents without end, and compare what is read with what PyYAML says."""

import random
import re
import sys
import time
from pathlib import Path

from flows.frontmatter import BrokenFrontMatter, Value, read
from flows.frontmatter.yaml_fast import read_lines

CASES = Path(__file__).parents[1] / "front_matter"
DOCUMENTS = sorted(path for path in CASES.iterdir() if path.suffix in (".md", ".yaml"))
# What YAML gives a meaning to, and what people type by accident.
SNIPPETS = (
    *"\t\n\r #:-?,[]{}&*!|>'\"%@`=~\\\0\x7f\x85\xa0\u2028\ufeffé🌊",
    *("\r\n", ": ", " #", "- ", "---\n", "...\n", "<<: ", "? ", "''", '\\"', "\\u00e9", "\\x41"),
    *("null", "true", "No", "007", "12:30", "2024-02-30", "!!str ", "&a ", "*a", "[]", "{}", "| "),
    *("  ", "    ", "\n\n", "\n  ", "\n- ", "key: value\n", '"', "title: x\n", "  - a\n", ">-\n  "),
)
_BLOCK = re.compile(rb"(?:---[ \t]*[\r\n]+)?([^+;{].*?)(?:[\r\n](?:---|\.\.\.).*)?\Z", re.DOTALL)


def blocks() -> list[bytes]:
    """Give the YAML texts that mutation starts from: what the small case files hold."""
    contents = [_BLOCK.match(path.read_bytes()) for path in DOCUMENTS]
    return [found[1] for found in contents if found and 0 < len(found[1]) < 4_000]


def mutate(chance: random.Random, document: bytes) -> bytes:
    """Change a document in a few places, mostly by what could matter to YAML."""
    text = document.decode("utf-8", "surrogateescape")
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        text = chance.choice((_changed_characters, _changed_lines))(chance, text)
    return text.encode("utf-8", "surrogateescape")


def _changed_characters(chance: random.Random, text: str) -> str:
    start = chance.randint(0, len(text))
    end = min(len(text), start + chance.choice((0, 0, 0, 1, 1, 2, 5, 20)))
    return text[:start] + chance.choice((*SNIPPETS, "", "")) + text[end:]


def _changed_lines(chance: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = chance.randrange(len(lines))
    line, other = lines[at], chance.choice(lines)
    change = chance.randrange(7)
    lines[at] = (
        *(" " + line, "  " + line, line.lstrip(" "), line[1:], line + other, other),
        line.replace(": ", ": " + chance.choice(SNIPPETS), 1),
    )[change]
    return "".join(lines)


def difference(text: str) -> str | None:
    """Say where the line reader's answer is not PyYAML's; None when it is, or left to PyYAML."""
    fast = read_lines(text)
    if fast is None:
        return None
    try:
        slow = read(text.encode(), whole_file=True, parser="pyyaml")
    except BrokenFrontMatter as fault:
        return f"{text!r}: {fast!r} where PyYAML finds {fault.code}"
    expected = {} if slow is None else slow.fields
    if spelled(fast) == spelled(expected):
        return None
    return f"{text!r}: {fast!r} where PyYAML reads {expected!r}"


def spelled(value: Value) -> str:
    """Write a value with the class of each text and the order of its keys."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key!r}: {spelled(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(spelled, value)) + "]"
    return f"{type(value).__name__} {value!r}"


def main(seconds: float, seed: int) -> int:
    """Fuzz for a while; print every difference and, at the end, what was tried."""
    chance, texts = random.Random(seed), blocks()
    common = [text for text in texts if read_lines(text.decode("utf-8", "replace")) is not None]
    articles = sorted(common, key=lambda text: text.count(b"\n"))[-3:]
    tried = taken = differences = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        document = chance.choice(chance.choice((articles, common, texts)))
        text = mutate(chance, document).decode("utf-8", "replace")
        if text.startswith(("---", "\ufeff")):
            continue  # a fence or a mark, which `read` would cut off
        tried += 1
        taken += read_lines(text) is not None
        if found := difference(text):
            differences += 1
            print(found)
    print(f"seed {seed}: {tried} tried, {taken} taken by the line reader, {differences} differ")
    return 1 if differences else 0


if __name__ == "__main__":
    duration = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    raise SystemExit(main(duration, int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())))
