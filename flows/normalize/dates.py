"""Dates as people and site generators write them → a moment, or what is wrong with the date."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

# Year 1 is what .NET and Go write for a date that was never set, 0203 a typing error. One such
# article would stretch its topic's series over centuries of empty periods.
EARLIEST = date(1900, 1, 1)
# Scheduled articles lie weeks ahead; beyond a year a date is a typing error or a placeholder.
AHEAD = timedelta(days=366)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MICROS_A_DAY = timedelta(days=1) // _MICROSECOND

# Nearly every date, and `fromisoformat` reads it for a tenth of what the forms below cost.
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?)?"
)
_OFFSET = re.compile(r"(?:GMT|UTC)?([+-])(\d\d?)(?::?(\d\d))?", re.ASCII)
_MONTH = (
    "(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY = r"(?P<day>\d\d?)(?:st|nd|rd|th)?"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,?\ +)?"
_TIME = r"""
    (?:
        (?:,?\ +(?:at\ +)?|[Tt])
        (?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d*))?)?
        (?:\ *(?P<half>[ap])\.?m\.?)?
        (?:\ *(?P<zone>[a-z][a-z_]*(?:/[a-z0-9_+-]+)+|[a-z]{1,5}|(?:GMT|UTC)?[+-]\d\d?(?::?\d\d)?))?
        (?:\ +\([^()]*\))?
    )?
"""
_FORMS = tuple(
    re.compile(day + _TIME, re.ASCII | re.IGNORECASE | re.VERBOSE)
    for day in (
        r"(?P<year>\d{4})(?P<sign>[-/.])(?P<month>\d\d?)(?P=sign)(?P<day>\d\d?)",
        rf"{_WEEKDAY}{_MONTH}\.?\ +{_DAY},?\ +(?P<year>\d{{4}})",
        rf"{_WEEKDAY}{_DAY}\ +{_MONTH}\.?,?\ +(?P<year>\d{{4}})",
    )
)
_DAY_OR_MONTH_FIRST = re.compile(r"(\d\d?)([-/.])(\d\d?)\2(\d{4})(?!\d).*", re.ASCII | re.DOTALL)


class NotADate(ValueError):
    """The text is no date that exists; `hint` says what to write where it is known."""

    def __init__(self, hint: str = "") -> None:
        super().__init__(hint)
        self.hint = hint


def read(text: str, zone: tzinfo = UTC) -> datetime:
    """Read a date or date-time in a form that can be read in one way only.

    One that names no zone is in `zone`.
    """
    try:
        if _ISO.fullmatch(text):
            moment = datetime.fromisoformat(text.upper())
            return moment if moment.tzinfo else moment.replace(tzinfo=zone)
        text = " ".join(text.split())
        for form in _FORMS:
            if found := form.fullmatch(text):
                return _to_moment(found, zone)
    except (LookupError, OSError, ValueError):
        raise NotADate from None  # 30 February, hour 25, a zone that does not exist
    if ambiguous := _DAY_OR_MONTH_FIRST.fullmatch(text):
        first, _, second, year = ambiguous.groups()
        readings = [f"{year}-{month:0>2}-{day:0>2}" for month, day in _list_readings(first, second)]
        raise NotADate(f"Write the year first: {' or '.join(readings)}.")
    raise NotADate


def _list_readings(first: str, second: str) -> list[tuple[str, str]]:
    """Give month and day both ways, where they exist."""
    both = dict.fromkeys(((first, second), (second, first)))
    return [(month, day) for month, day in both if 1 <= int(month) <= 12] or [(second, first)]


def _to_moment(found: re.Match[str], zone: tzinfo) -> datetime:
    part = found.groupdict()
    month = part["month"]
    hour = int(part["hour"] or 0)
    if half := part["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half in "pP" else 0)
    return datetime(
        int(part["year"]),
        int(month) if month.isdecimal() else _MONTHS.index(month[:3].lower()) + 1,
        int(part["day"]),
        hour,
        int(part["minute"] or 0),
        int(part["second"] or 0),
        int((part["fraction"] or "").ljust(6, "0")[:6]),
        _to_zone(part["zone"]) if part["zone"] else zone,
    )


def _to_zone(name: str) -> tzinfo:
    if name.upper() in ("Z", "UTC", "UT", "GMT"):
        return UTC
    if offset := _OFFSET.fullmatch(name.upper()):
        sign, hours, minutes = offset.groups(default="0")
        distance = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-distance if sign == "-" else distance)
    return ZoneInfo(name)


@dataclass(frozen=True, slots=True)
class DateRange:
    """The plausible dates, both ends included, as µs since 1970 UTC.

    Dates that name no zone are in `zone`, and `unset` is the beginning of 1970 there.
    """

    earliest: int
    latest: int
    beyond: str = ""
    zone: tzinfo = UTC
    unset: int = 0

    def doubt(self, micros: int) -> str | None:
        """Return what speaks against a date: a typing error, a default value, a clock at zero."""
        if micros in (0, self.unset):
            return "1970-01-01 is what a clock says that was never set: write the real one."
        if not self.earliest <= micros <= self.latest:
            return f"Check the year: it is {self.beyond}."
        return None


def to_micros(moment: datetime | date, zone: tzinfo = UTC) -> int:
    """Return a moment as µs since 1970 UTC; one that names no zone is in `zone`."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=zone)) - _EPOCH) // _MICROSECOND


def to_day(micros: int, zone: tzinfo = UTC) -> date:
    """Return the day of µs since 1970 UTC."""
    return (_EPOCH + micros * _MICROSECOND).astimezone(zone).date()


def range_at(
    now: datetime, earliest: date | None = None, latest: date | None = None, zone: tzinfo = UTC
) -> DateRange:
    """Return the plausible dates of a file that is read now, from the first to the last day."""
    end = to_micros(now + AHEAD) if latest is None else to_micros(latest) + _MICROS_A_DAY - 1
    if earliest or latest:
        first, last = earliest or EARLIEST, latest or "a year ahead"
        beyond = f"before {first} or after {last}, as `dates` in matterhouse.yaml has it"
    else:
        beyond = "before 1900 or more than a year ahead; `dates` in matterhouse.yaml may allow it"
    unset = to_micros(_EPOCH.date(), zone)
    return DateRange(to_micros(earliest or EARLIEST), end, beyond, zone, unset)
