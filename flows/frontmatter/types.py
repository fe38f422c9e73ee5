"""What a field can hold, and how much of it."""

import datetime
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

MAX_BLOCK_BYTES = 1 << 20  # real blocks are kilobytes; more is a file that lost its closing fence
MAX_DEPTH = 64  # real files nest five deep; the C parser's own recursion dies at 30,000
MAX_NODES = 51_000  # keys and values: 50,000 topics fit, and more takes too much memory
MAX_EXPANDED = 4 << 20  # characters once aliases are written out: an alias bomb grows without end
MAX_TYPED_CHARS = 4_300  # Python refuses longer decimal integers, and no column holds one

# `secured` is a payload that is never shown; `password` belongs to page-encryption plugins.
SECRET_KEYS = frozenset(("secured", "password"))


class Plain(str):
    """A YAML scalar typed without quotes and tag: what it means is its column's decision."""

    __slots__ = ()


Scalar: TypeAlias = (
    bool | int | float | str | datetime.datetime | datetime.date | datetime.time | None
)
Value: TypeAlias = Scalar | list["Value"] | dict[str, "Value"]
# What leads to a value: keys of mappings, and indexes of lists from 0.
KeyPath: TypeAlias = tuple[str | int, ...]


@lru_cache(maxsize=4_096)
def is_secret(key: str, secret_keys: frozenset[str] = SECRET_KEYS) -> bool:
    """Return whether what is below the key must never leave the file."""
    return key.strip().casefold() in secret_keys


@dataclass(frozen=True, slots=True)
class Reading:
    """How front matter is read where sources differ; the secret keys are case-folded."""

    secret_keys: frozenset[str] = SECRET_KEYS
    last_duplicate_counts: bool = False

    def is_secret(self, key: str) -> bool:
        """Return whether what is below the key must never leave the file."""
        return is_secret(key, self.secret_keys)


@dataclass(frozen=True, slots=True)
class Note:
    """What the author of front matter that can be read should know all the same."""

    key_path: KeyPath
    code: str
    message: str
    hint: str
    line: int


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The fields of one file, and how many characters follow them."""

    fields: dict[str, Value]
    body_chars: int
    notes: tuple[Note, ...] = ()
