"""One front-matter value → what its column takes, or an error that says what was expected."""

import html
import json
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, tzinfo
from typing import Any

from flows import frontmatter
from flows.frontmatter import Plain, Value
from flows.normalize import dates

Convert = Callable[[Value], Any]

_INT32 = 2**31
NULLS = frozenset(("", "~", "null", "Null", "NULL"))
# Nearly every number: no sign but minus, no leading zero, fewer digits than 32 bits hold.
_SHORT_DECIMAL = re.compile(r"-?[1-9][0-9]{0,8}|0")
_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True}
_BOOLEANS |= {"false": False, "no": False, "off": False, "0": False}
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
# Joiners stay: emoji sequences and several scripts are spelled with them.
_ZERO_WIDTH = str.maketrans("", "", "\u200b\u2060\ufeff\u00ad")


class ConversionError(ValueError):
    """A value does not fit its column; `value` is what the column gets."""

    def __init__(self, code: str, expected: str, hint: str, value: int | None = None) -> None:
        super().__init__(expected)
        self.code, self.expected, self.hint, self.value = code, expected, hint, value


def to_text(value: Value) -> str | None:
    """Keep text as the author typed it: `No` is "No", `007` is "007"."""
    if type(value) is str:
        return value
    if isinstance(value, Plain):
        return None if value in NULLS else str(value)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise ConversionError("wrong_type", "text", "Write one value, in quotes if it is unusual.")
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return value.isoformat()


def to_integer(value: Value) -> int | None:
    """Take whole numbers that fit 32 bits; 33.0 is one, "33" in quotes is not."""
    number: Value = value
    if isinstance(value, Plain):
        if _SHORT_DECIMAL.fullmatch(value):
            return int(value)
        number = int(value) if _DECIMAL.fullmatch(value) else frontmatter.resolve(value)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int):
        quoted = value.__class__ is str and _DECIMAL.fullmatch(str(value))
        hint = "Remove the quotes." if quoted else "Write a whole number, or leave the key out."
        raise ConversionError("wrong_type", "a whole number", hint)
    if not -_INT32 <= number < _INT32:
        raise ConversionError("out_of_range", "a number that fits 32 bits", "Check the number.")
    if isinstance(value, Plain) and str(number) != value.lstrip("+") and "." not in value:
        raise ConversionError(
            "ambiguous_number",
            f"a decimal number: YAML reads it as {number}, and so it is stored",
            f"Write {number} if that is meant.",
            number,
        )
    return number


def to_boolean(value: Value) -> bool | None:
    """Take true, yes, on and 1, or their opposites, in quotes or not, also as a list of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if is_null(value):
        return None
    # Whoever quotes a flag means it all the same, as the generators that read it do.
    if isinstance(value, str | bool | int):
        meant = _BOOLEANS.get(value) if isinstance(value, str) else None
        meant = _BOOLEANS.get(str(value).strip().casefold()) if meant is None else meant
        if meant is not None:
            return meant
    raise ConversionError("wrong_type", "true or false", "Write true or false.")


def to_timestamp(value: Value, zone: tzinfo = UTC) -> int | None:
    """Take a date or date-time as µs since 1970 UTC; one that names no zone is in `zone`."""
    if is_null(value):
        return None
    hint = ""
    try:
        if isinstance(value, str):
            return dates.to_micros(dates.read(value, zone))
        if isinstance(value, date):
            return dates.to_micros(value, zone)
    except dates.NotADate as error:
        hint = error.hint
    except OverflowError:
        pass  # The first hours of year 1 in an eastern zone.
    raise _bad_date(hint or "Write a date that exists, such as 2025-01-31 or 2025-01-31T12:30:00Z.")


def to_timestamp_within(plausible: dates.DateRange, value: Value) -> int | None:
    """Take a plausible date."""
    micros = to_timestamp(value, plausible.zone)
    if micros is not None and (doubt := plausible.doubt(micros)):
        raise _bad_date(doubt)
    return micros


def _bad_date(hint: str) -> ConversionError:
    return ConversionError("bad_date", "a date", hint)


def to_mapping(value: Value) -> dict[str, Value] | None:
    """Take a mapping; an empty value is none."""
    if isinstance(value, dict):
        return value
    if is_null(value):
        return None
    hint = "Write its keys on indented lines of their own."
    raise ConversionError("wrong_type", "a mapping", hint)


def to_list(value: Value) -> list[Value] | None:
    """Take a list; an empty value is none."""
    if isinstance(value, list):
        return value
    if is_null(value):
        return None
    raise ConversionError(
        "wrong_type", "a list", "Write each item on a line of its own, after `- `."
    )


def is_null(value: Value) -> bool:
    """Return whether YAML takes the value for null: empty, ~ or null without quotes."""
    return value is None or (isinstance(value, Plain) and value in NULLS)


def clean(typed: str | None) -> str | None:
    """Resolve HTML entities, fold white space and compose characters, as SQL's clean_text does."""
    if typed is None:
        return None
    if "&" not in typed and "  " not in typed and typed.isascii() and typed.isprintable():
        return typed.strip(" ")  # Nearly every text, for a fifth of what folding costs.
    if "&" in typed:
        typed = html.unescape(typed)
    if not typed.isascii():
        typed = unicodedata.normalize("NFC", typed).translate(_ZERO_WIDTH)
    return " ".join(typed.split())
