"""Numbers and names as a reader sees them, on a terminal, on the page and in messages."""

from collections.abc import Mapping

_NAME_LENGTH = 60


def spell(number: int, thing: str, things: str = "") -> str:
    """Return a number with the word for what is counted."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def clip(name: str, length: int = _NAME_LENGTH) -> str:
    """Return a name, shortened in its middle: often its end tells it from the next."""
    end = length // 3
    return name if len(name) <= length else f"{name[: length - end - 1]}…{name[-end:]}"


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def escape_control(text: object) -> str:
    """Return the text with control characters spelled out, line breaks and tabs too."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def spell_uncounted(counts: Mapping[str, int]) -> str:
    """Return what is there beside the articles: "and 6 drafts"; nothing if all are counted."""
    named = (
        f"{n:,} {name if n == 1 or name == 'scheduled' else f'{name}s'}"
        for name, n in counts.items()
    )
    return f"and {', '.join(named)}" if counts else ""
