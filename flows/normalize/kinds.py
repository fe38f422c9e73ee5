"""Values that are not simply of a column's type: what generators write, under which key ever.

The value of a column's own key fits, or its author is warned. Another key may well mean something
else: a value that is not of the column's kind is passed over, and stays in `extra`.
"""

import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from flows.frontmatter import Value
from flows.normalize import dates
from flows.normalize.convert import (
    ConversionError,
    Convert,
    is_null,
    to_boolean,
    to_integer,
    to_list,
    to_mapping,
    to_text,
    to_timestamp,
    to_timestamp_within,
)

T = TypeVar("T")
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//[^\s/]\S*", re.IGNORECASE)
_WIKI_LINK = re.compile(r"\[\[([^\[\]|]+)(?:\|[^\[\]]*)?\]\]")
# What generators take for "ask the clock, or git": no date that the file says.
_DATE_WORDS = frozenset(("now", "today", "created", "git created"))
_DATE_WORDS |= {f"{word}last{sign}modified" for word in ("", "git ") for sign in " -"}


class NotOfKind(Exception):
    """The value is not of the column's kind, and nobody said that it should be."""


def take_text(value: Value) -> str | None:
    """Take one text; a wiki link loses its brackets, an empty text is none."""
    if isinstance(value, dict | list):
        raise NotOfKind
    found = (to_text(value) or "").strip()
    link = _WIKI_LINK.fullmatch(found)
    return (link[1].strip() if link else found) or None


def take_address(value: Value) -> str | None:
    """Take a text that is a whole address."""
    found = take_text(value)
    if found is not None and not _ADDRESS.fullmatch(found):
        raise NotOfKind
    return found


def take_host(value: Value) -> str | None:
    """Take the host of an address."""
    try:
        return urlsplit(take_address(value) or "").hostname
    except ValueError:
        raise NotOfKind from None  # An IPv6 address that is none.


def take_name(value: Value) -> str | None:
    """Take a name: a text that is no address, what names a mapping, the first of a list."""
    if isinstance(value, list):
        return next(filter(None, map(take_name, value)), None)
    if isinstance(value, dict):
        parts = (value.get(key) for key in ("given", "family"))
        named = take_name(value.get("name")) or take_name(value.get("label"))
        return named or " ".join(filter(None, map(take_text, parts))) or None
    found = take_text(value)
    if found and _ADDRESS.fullmatch(found):
        raise NotOfKind
    return found


def _judge(convert: Callable[[Value], T], value: Value) -> T:
    try:
        return convert(value)
    except ConversionError:
        raise NotOfKind from None


def take_flag(value: Value) -> bool | None:
    """Take true or false."""
    return _judge(to_boolean, value)


def take_opposite(value: Value) -> bool | None:
    """Take true for false, and the other way round."""
    found = take_flag(value)
    return None if found is None else not found


def take_own_flag(value: Value) -> bool | None:
    """Take true or false; a date under the same key is another column's."""
    try:
        return to_boolean(value)
    except ConversionError:
        if _fits(to_timestamp, value):
            raise NotOfKind from None
        raise


def _fits(convert: Convert, value: Value) -> bool:
    try:
        return convert(value) is not None
    except ConversionError:
        return False


def take_integer(value: Value) -> int | None:
    """Take a whole number."""
    return _judge(to_integer, value)


def take_date(plausible: dates.DateRange, value: Value) -> int | None:
    """Take a date; a text that is none is a misfit, true, false and numbers are no date at all."""
    if isinstance(value, bool | int | float | dict | list):
        raise NotOfKind
    if isinstance(value, str):
        if not value.strip():
            return None
        if value.casefold() in _DATE_WORDS:
            raise NotOfKind
    try:
        return to_timestamp_within(plausible, value)
    except ConversionError:
        if _fits(to_boolean, value):  # `published: true`
            raise NotOfKind from None
        raise


def take_first_text(value: Value) -> str | None:
    """Take one text, the first of a list."""
    if isinstance(value, list):
        return next(filter(None, map(take_first_text, value)), None)
    return take_text(value)


def take_own_first_text(value: Value) -> str | None:
    """Take a text as it was typed, or the first of a list."""
    return take_first_text(value) if isinstance(value, list) else to_text(value)


def take_own_texts(value: Value) -> list[Value] | None:
    """Take a list, or a text as a list of one."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, str) and not is_empty(value) else to_list(value)


def take_own_text(value: Value) -> str | None:
    """Take an item of such a list; a wiki link loses its brackets."""
    found = to_text(value)
    return take_text(found) if found is not None and found.startswith("[[") else found


def take_texts(value: Value) -> list[str]:
    """Take a list of texts, or one text; of a mapping, its name; of a list, its items.

    YAML takes [[a wiki link]] without quotes for a list in a list; #tags lose their sign.
    """
    if isinstance(value, list):
        return [found for item in value for found in take_texts(item)]
    found = take_name(value) if isinstance(value, dict) else take_text(value)
    if found and found.startswith("#"):
        words = found.split()
        return [word.lstrip("#") for word in words] if all(w[0] == "#" for w in words) else [found]
    return [found] if found else []


def take_own_images(value: Value) -> list[Value] | None:
    """Take a list of images, or one."""
    if isinstance(value, list):
        return value
    is_one = isinstance(value, dict | str) and not is_empty(value)
    return [value] if is_one else to_list(value)


def take_image(item: Value) -> dict[str, Value] | None:
    """Take an image as a mapping; a text is its address."""
    if isinstance(item, dict):
        return item
    if isinstance(item, str) and not is_empty(item):
        return {"url": item}
    return to_mapping(item)


def take_images(value: Value) -> list[Value] | None:
    """Take a list of images, or one; a list without any is something else."""
    found = _judge(take_own_images, value)
    is_image = [isinstance(item, dict | str) and not is_empty(item) for item in found or ()]
    if found and not any(is_image):
        raise NotOfKind
    return found


def is_empty(value: Value) -> bool:
    """Return whether nothing was typed."""
    return is_null(value) or value == "" or value == [] or value == {}
