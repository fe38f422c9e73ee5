"""Values that are not simply of a column's type: what generators write, under any key.

The value of a column's own key fits, or its author is warned. Another key may well mean something
else: a switch, an address or a word of another kind there is passed over and stays in `extra`.
"""

import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from flows.frontmatter import Value
from flows.normalize import dates
from flows.normalize.convert import (
    NULLS,
    ConversionError,
    Convert,
    is_null,
    to_boolean,
    to_list,
    to_mapping,
    to_text,
    to_timestamp,
    to_timestamp_within,
)

T = TypeVar("T")
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//[^\s/]\S*", re.IGNORECASE)
_FLAGS = frozenset(("true", "True", "TRUE", "false", "False", "FALSE"))
_UNUSUAL = _FLAGS | NULLS
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


def is_flag(value: Value) -> bool:
    """Return whether a value says true or false, which is no name, topic, image or category."""
    return isinstance(value, bool) or (isinstance(value, str) and value in _FLAGS)


def _refuse_flag(value: Value, expected: str) -> None:
    if is_flag(value):
        raise ConversionError("wrong_type", expected, "Write what it is, or leave the key out.")


def take_one_text(value: Value) -> str | None:
    """Take a text; the author of a list or a mapping is warned."""
    return take_text(to_text(value))


def take_name(value: Value) -> str | None:
    """Take a name: a text that is no address, what names a mapping, the first of a list."""
    if isinstance(value, list):
        return _take_first(take_name, value)
    if isinstance(value, dict):
        parts = (value.get(key) for key in ("given", "family"))
        named = take_name(value.get("name")) or take_name(value.get("label"))
        if named := named or " ".join(filter(None, map(take_text, parts))):
            return named
        raise ConversionError("wrong_type", "a name", "Write the name itself, or below it `name`.")
    found = take_text(value)
    if found and (is_flag(found) or _ADDRESS.fullmatch(found)):
        raise NotOfKind
    return found


def take_own_name(value: Value) -> str | None:
    """Take a name as it was typed."""
    _refuse_flag(value, "a name")
    return to_text(value)


def _take_first(take: Callable[[Value], T | None], items: list[Value]) -> T | None:
    """Take the first item that has a value; if none has, the first one's fault is the list's."""
    fault: Exception | None = None
    for item in items:
        try:
            if (found := take(item)) is not None:
                return found
        except (ConversionError, NotOfKind) as error:
            fault = fault or error
    if fault:
        raise fault
    return None


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


def take_date(plausible: dates.DateRange, value: Value) -> int | None:
    """Take a date, or a list of one; a word that leaves it to the clock or to git is none."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    try:
        return to_timestamp_within(plausible, value)
    except ConversionError:
        if isinstance(value, str):
            if not value.strip():
                return None
            if value.casefold() in _DATE_WORDS:
                raise NotOfKind from None
        raise


def take_category(value: Value) -> str | None:
    """Take one text, the first of a list."""
    if isinstance(value, list):
        return _take_first(take_category, value)
    if is_flag(value):
        raise NotOfKind
    return take_one_text(value)


def take_own_category(value: Value) -> str | None:
    """Take a text as it was typed, or the first of a list."""
    _refuse_flag(value, "a category")
    return take_category(value) if isinstance(value, list) else to_text(value)


def take_own_texts(value: Value) -> list[Value] | None:
    """Take a list, or a text as a list of one."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, str) and not is_empty(value) else to_list(value)


def take_own_text(value: Value) -> str | None:
    """Take an item of such a list; a wiki link loses its brackets."""
    if isinstance(value, str) and value not in _UNUSUAL and not value.startswith("[["):
        return str(value)
    _refuse_flag(value, "a topic")
    found = to_text(value)
    return (take_text(found) if found is not None and found.startswith("[[") else found) or None


def take_texts(value: Value) -> list[str]:
    """Take a list of texts, or one text; of a mapping, its name; of a list, its items.

    YAML takes [[a wiki link]] without quotes for a list in a list; #tags lose their sign.
    """
    if isinstance(value, list):
        texts, fault = list[str](), None
        for item in value:
            try:
                texts += take_texts(item)
            except (ConversionError, NotOfKind) as error:
                fault = fault or error
        if fault and not texts:
            raise fault
        return texts
    found = take_name(value) if isinstance(value, dict) else take_text(value)
    if found is None:
        return []
    if is_flag(found):
        raise NotOfKind
    words = found.split()
    if all(word[0] == "#" for word in words):
        return [word for word in (word.lstrip("#") for word in words) if word]
    return [found]


def take_own_images(value: Value) -> list[Value] | None:
    """Take a list of images, or one."""
    if isinstance(value, list):
        return value
    is_one = isinstance(value, dict | str) and not is_empty(value)
    return [value] if is_one else to_list(value)


def take_image(item: Value) -> dict[str, Value] | None:
    """Take an image as a mapping; a text is its address."""
    _refuse_flag(item, "an image")
    return _take_mapping("url", item)


def take_provider(value: Value) -> dict[str, Value] | None:
    """Take a provider as a mapping; a text is its name."""
    _refuse_flag(value, "a provider")
    return _take_mapping("name", value)


def _take_mapping(key: str, value: Value) -> dict[str, Value] | None:
    return {key: value} if isinstance(value, str) and not is_empty(value) else to_mapping(value)


def take_images(value: Value) -> list[Value] | None:
    """Take a list of images, or one; a list without any is something else."""
    found = _judge(take_own_images, value)
    is_image = [
        isinstance(item, dict | str) and not is_empty(item) and not is_flag(item)
        for item in found or ()
    ]
    if found and not any(is_image):
        raise NotOfKind
    return found


def is_empty(value: Value) -> bool:
    """Return whether nothing was typed."""
    return is_null(value) or value == "" or value == [] or value == {}
