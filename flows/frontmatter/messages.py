"""What can be wrong with front matter, in the words of messages.toml, and where it is."""

import re
import tomllib
from functools import cache
from pathlib import Path

from flows.frontmatter.types import SECRET_KEYS, KeyPath, Note

_SHOWABLE_KEY = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}\Z")


class BrokenFrontMatter(ValueError):
    """Front matter that cannot be read: what is wrong, where in the file, and what to change."""

    def __init__(self, code: str, message: str, hint: str, line: int, column: int) -> None:
        # All of it goes to the parent, so that a worker process can hand it over.
        super().__init__(code, message, hint, line, column)
        self.code = code
        self.message = message
        self.hint = hint
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message} {self.hint}"


@cache
def _read_messages() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def make_error(code: str, line: int, column: int, **words: object) -> BrokenFrontMatter:
    """Make the error of this code for a place in the file."""
    message, hint = _read_messages()[code].values()
    if words:
        message, hint = message.format(**words), hint.format(**words)
    return BrokenFrontMatter(code, message, hint, line, column)


def make_note(code: str, key_path: KeyPath, line: int) -> Note:
    """Make the note of this code for a line of the file."""
    return Note(key_path, code, **_read_messages()[code], line=line)


def show_key(key: str, text_before: str, secret_keys: frozenset[str] = SECRET_KEYS) -> str:
    """Name a key in a message, unless it may be a secret."""
    # Below or after a secret key, which escapes can spell, a piece of its value may pass for a key.
    before = text_before.casefold()
    hidden = "\\" in before or any(secret in before for secret in secret_keys)
    return f"'{key}'" if _SHOWABLE_KEY.match(key) and not hidden else "here"
