"""One front-matter value and what its column takes of it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from flows.frontmatter import Plain, Value
from flows.normalize import convert
from flows.normalize.convert import ConversionError

DAY = 86_400_000_000  # microseconds
NULLS: list[Value] = [None, Plain(""), Plain("~"), Plain("null"), Plain("Null"), Plain("NULL")]


def judged(take: Callable[[Value], Any], value: Value) -> Any:
    """Return what a column takes, or code, expectation, hint and substitute of a misfit."""
    try:
        return take(value)
    except ConversionError as misfit:
        return (misfit.code, misfit.expected, misfit.hint, misfit.value)


@pytest.mark.parametrize(
    "take",
    [
        convert.to_text,
        convert.to_integer,
        convert.to_boolean,
        convert.to_timestamp,
        convert.to_mapping,
        convert.to_list,
    ],
)
@pytest.mark.parametrize("value", NULLS)
def test_what_yaml_takes_for_null_is_null(take: Callable[[Value], Any], value: Value) -> None:
    """An empty value, ~ and null without quotes are no value in any column."""
    assert (judged(take, value), convert.is_null(value)) == (None, True)


NOT_TEXT = ("wrong_type", "text", "Write one value, in quotes if it is unusual.", None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("quoted", "quoted"),
        ("", ""),
        ("null", "null"),
        (Plain("No"), "No"),
        (Plain("007"), "007"),
        (Plain("1e3"), "1e3"),
        (Plain("2025-01-31"), "2025-01-31"),
        (True, "true"),
        (7, "7"),
        (1.5, "1.5"),
        (date(2025, 1, 31), "2025-01-31"),
        ([], NOT_TEXT),
        ({"a": 1}, NOT_TEXT),
    ],
)
def test_text_stays_as_it_was_typed(value: Value, expected: Any) -> None:
    """No type of YAML's changes a text; TOML's and JSON's own types are written out."""
    assert judged(convert.to_text, value) == expected


NOT_WHOLE = (
    "wrong_type",
    "a whole number",
    "Write a whole number, or leave the key out.",
    None,
)
QUOTED = ("wrong_type", "a whole number", "Remove the quotes.", None)
TOO_LARGE = ("out_of_range", "a number that fits 32 bits", "Check the number.", None)


def ambiguous(number: int) -> tuple[str, str, str, int]:
    """Return the misfit of a number that does not look like what YAML makes of it."""
    expected = f"a decimal number: YAML reads it as {number}, and so it is stored"
    return ("ambiguous_number", expected, f"Write {number} if that is meant.", number)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Plain("0"), 0),
        (Plain("33"), 33),
        (Plain("-1"), -1),
        (Plain("+5"), 5),
        (Plain("33.0"), 33),
        (33, 33),
        (33.0, 33),
        (Plain("2147483647"), 2**31 - 1),
        (Plain("-2147483648"), -(2**31)),
        (Plain("2147483648"), TOO_LARGE),
        (Plain("-2147483649"), TOO_LARGE),
        (Plain("9" * 30), TOO_LARGE),
        (Plain("33.5"), NOT_WHOLE),
        (33.5, NOT_WHOLE),
        (float("inf"), NOT_WHOLE),
        (float("nan"), NOT_WHOLE),
        (Plain("high"), NOT_WHOLE),
        ("33", QUOTED),
        ("high", NOT_WHOLE),
        (True, NOT_WHOLE),
        ([1], NOT_WHOLE),
        (Plain("010"), ambiguous(8)),
        (Plain("0x10"), ambiguous(16)),
        (Plain("1:30"), ambiguous(90)),
        (Plain("1_000"), ambiguous(1000)),
    ],
)
def test_a_whole_number_is_taken_and_nothing_else(value: Value, expected: Any) -> None:
    """What YAML 1.1 makes of odd spellings is stored, and said."""
    assert judged(convert.to_integer, value) == expected


NOT_BOOLEAN = ("wrong_type", "true or false", "Write true or false.", None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Plain("true"), True),
        (Plain("False"), False),
        (Plain("yes"), True),
        (Plain("off"), False),
        (True, True),
        ("True", True),
        ("no", False),
        (Plain("1"), True),
        (0, False),
        ([Plain("true")], True),
        (Plain(""), None),
        (Plain("maybe"), NOT_BOOLEAN),
        ("", NOT_BOOLEAN),
        (2, NOT_BOOLEAN),
        ([], NOT_BOOLEAN),
        ({}, NOT_BOOLEAN),
    ],
)
def test_true_and_false_are_taken(value: Value, expected: Any) -> None:
    """In quotes, as 1 or 0 and in a list of one, as site generators read flags."""
    assert judged(convert.to_boolean, value) == expected


BAD_DATE = (
    "bad_date",
    "a date",
    "Write a date that exists, such as 2025-01-31 or 2025-01-31T12:30:00Z.",
    None,
)


def year_first(*readings: str) -> tuple[str, str, str, None]:
    """Return the misfit of a date that could be one of these."""
    return ("bad_date", "a date", f"Write the year first: {' or '.join(readings)}.", None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Plain("1970-01-02"), DAY),
        ("1970-01-02", DAY),
        ("1970-01-02T00:00:00Z", DAY),
        ("1970-01-02t00:00:00z", DAY),
        ("1970-01-02 02:00+02:00", DAY),
        ("1970-01-01T22:30:00-0130", DAY),
        ("1970-01-02T00:00:00.000001Z", DAY + 1),
        ("1969-12-31", -DAY),
        (Plain("1970-1-2 0:00:00"), DAY),
        (date(1970, 1, 2), DAY),
        (datetime(1970, 1, 2), DAY),
        (datetime(1970, 1, 2, tzinfo=UTC), DAY),
        (Plain("1970-01-02 02:00:00 +0200"), DAY),
        ("1970-01-02 02:00:00 +0200", DAY),
        (Plain("1970-01-02 02:00:00 +02:00"), DAY),
        ("1970-01-02 02:00:00 +02:00", DAY),
        (Plain("1970-1-1 19:00:00 -5"), DAY),
        ("1970-01-02 00:00:00 UTC", DAY),
        ("1970-01-02 00:00 GMT", DAY),
        ("1970-01-02 02:00:00 Africa/Cairo", DAY),
        ("1970/01/02", DAY),
        ("1970/1/2 0:00", DAY),
        ("Jan 2, 1970", DAY),
        ("January 2nd, 1970 12:00 AM", DAY),
        ("2 January 1970", DAY),
        ("Fri, 02 Jan 1970 01:00:00 +0100", DAY),
        ("Fri Jan 02 1970 01:00:00 GMT+0100 (CET)", DAY),
        ("1970-01-02T00:00:00.1234567Z", DAY + 123_456),
        ("2025-02-30", BAD_DATE),
        ("2025-02-30 10:00:00 +0800", BAD_DATE),
        ("February 30, 2025", BAD_DATE),
        ("2025-01-31 13:00 PM", BAD_DATE),
        ("2025-01-31 10:00:00 Atlantis/Capital", BAD_DATE),
        ("2025-01-31 10:00:00 America", BAD_DATE),
        ("03/04/2023", year_first("2023-03-04", "2023-04-03")),
        ("13.4.2023", year_first("2023-04-13")),
        ("04-04-2023 10:00", year_first("2023-04-04")),
        ("2025-01-31T25:00:00Z", BAD_DATE),
        ("0000-01-01", BAD_DATE),
        ("tomorrow", BAD_DATE),
        (Plain("20250131"), BAD_DATE),
        (5, BAD_DATE),
        ([], BAD_DATE),
    ],
)
def test_a_date_is_microseconds_since_1970(value: Value, expected: Any) -> None:
    """Quoted or not, with any offset; without a zone it is UTC; it must exist."""
    assert judged(convert.to_timestamp, value) == expected


def test_mappings_and_lists_are_taken_as_they_are() -> None:
    """One is not the other, and a single value is neither."""
    no_mapping = (
        "wrong_type",
        "a mapping",
        "Write its keys on indented lines of their own.",
        None,
    )
    no_list = ("wrong_type", "a list", "Write each item on a line of its own, after `- `.", None)
    values: list[Value] = [{"a": 1}, {}, [1], [], "a", Plain("a"), 1]
    assert [judged(convert.to_mapping, value) for value in values] == [
        {"a": 1},
        {},
        *[no_mapping] * 5,
    ]
    assert [judged(convert.to_list, value) for value in values] == [
        *[no_list] * 2,
        [1],
        [],
        *[no_list] * 3,
    ]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (None, None),
        ("", ""),
        ("  a \t b\n c  ", "a b c"),
        ("Tom &amp; Jerry &#8211; x&nbsp;y", "Tom & Jerry \u2013 x y"),
        ("zero\u200bwidth\ufeff so\u00adft", "zerowidth soft"),
        ("\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
        ("Cafe\u0301", "Caf\u00e9"),
    ],
)
def test_cleaning_keeps_what_is_seen(typed: str | None, expected: str | None) -> None:
    """Entities are resolved, white space folded, invisible characters dropped but for joiners."""
    assert convert.clean(typed) == expected
