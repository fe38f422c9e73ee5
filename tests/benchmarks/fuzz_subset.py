"""Mutate documents without end, and compare what is read with what PyYAML says."""

import random
import re
from pathlib import Path

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
    for _ in range(chance.randint(1, 4)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.choice((0, 0, 0, 1, 1, 2, 5, 20)))
        lines = text.splitlines(keepends=True) or [""]
        new = chance.choice((chance.choice(SNIPPETS), "", chance.choice(lines)))
        text = text[:start] + new + text[end:]
    return text.encode("utf-8", "surrogateescape")
