"""The YAML that nearly all front matter is written in, read line by line.

Block mappings and lists of one-line scalars, and nothing else: whatever is not certain to mean
the same to PyYAML is left to PyYAML, which takes several times as long.
"""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from flows.frontmatter.types import Plain, Value

MAX_LINES = 10_200  # up to five keys and values a line: PyYAML's path has a limit on those
MAX_OPEN = 30  # likewise on depth; a line opens at most two levels
MAX_CACHED_LINES = 20_000  # a few megabytes
MAX_CACHED_CHARS = 36  # longer ones are dates and addresses, which hardly ever return


# The indentation, the column of what follows a dash (or -1), the key (or "").
_Place: TypeAlias = tuple[int, int, str]
# The same, and the value; without one, how to make it (or None, if the next line tells).
_Entry: TypeAlias = tuple[int, int, str, str | None, Callable[[], Value] | None]

# What libyaml refuses, or breaks lines at; among ASCII that is all but the printable and \n.
_ODD = re.compile(
    "[^\n -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_ASCII_CONTROLS = bytes({*range(32), 127} - {ord("\n")})
_PLACE = re.compile(r"( *)(- +)?([A-Za-z_][A-Za-z0-9_-]{0,99})\Z")
_ITEM = re.compile(r"( *)(- +)(?=[^ ])")
# The equals sign means nothing to YAML; the other reader notes it.
_INDICATORS = "?:,[]{}#&*!|>'\"%@`="
# Half of a surrogate pair is no character: PyYAML's path says so.
_ESCAPE = re.compile(r"\\(?:([\"\\/nrt])|u(?![dD][89a-fA-F])([0-9a-fA-F]{4}))")
_ESCAPED = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "r": "\r", "t": "\t"}
_DOUBLE_QUOTED = re.compile(rf'"([^"\\]*(?:{_ESCAPE.pattern}[^"\\]*)*)"\Z')
_SINGLE_QUOTED = re.compile(r"'([^']*(?:''[^']*)*)'\Z")
_NOTHING = Plain("")
_EMPTY: dict[str, Callable[[], Value]] = {"[]": list, "{}": dict}

_places: dict[str, _Place | None] = {}
_entries: dict[str, _Entry] = {}


def read_lines(text: str) -> dict[str, Value] | None:
    """Read YAML of the common kind; None for any other."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if _has_odd_character(text):
        return None
    lines = text.split("\n")
    return _read_fields(lines) if len(lines) <= MAX_LINES else None


def _has_odd_character(text: str) -> bool:
    if text.isascii():  # Deleting from bytes takes a fifth of the pattern's time.
        return len(text.encode().translate(None, _ASCII_CONTROLS)) < len(text)
    return _ODD.search(text) is not None


def _read_fields(lines: list[str]) -> dict[str, Value] | None:
    # One long loop: it runs for every line of every file, where a call costs as much as its work.
    root: dict[str, Value] = {}
    inside: Any = root  # the innermost open list or mapping; proving which to mypy costs time
    indent = 0
    around: list[tuple[int, Any]] = []
    waiting = ""  # the key whose value begins on a later line, if at all
    for line in lines:
        entry = _entries.get(line)
        if entry is None:
            if not line.strip(" "):
                continue
            entry = _read_entry(line)
            if entry is None:
                return None
        column, after_dash, key, value, make = entry
        if waiting:
            if column > indent or (column == indent and after_dash >= 0):
                child: Any = {} if after_dash < 0 else []
                inside[waiting] = child
                around.append((indent, inside))
                if len(around) > MAX_OPEN:
                    return None
                inside, indent = child, column
            else:
                inside[waiting] = _NOTHING
            waiting = ""
        while column < indent or (column == indent and after_dash < 0 and type(inside) is list):
            indent, inside = around.pop()
        if column != indent:
            return None
        if after_dash >= 0:
            if type(inside) is not list:
                return None
            if not key:
                inside.append(value if make is None else make())
                continue
            item: dict[str, Value] = {}
            inside.append(item)
            around.append((indent, inside))
            inside, indent = item, after_dash
        if key in inside:
            return None
        if value is not None:
            inside[key] = value
        elif make is not None:
            inside[key] = make()
        else:
            waiting = key
    if waiting:
        inside[waiting] = _NOTHING
    return root


def _read_entry(line: str) -> _Entry | None:
    """Read one line, and remember it if it is short: most short lines return in other files."""
    head, colon, rest = line.partition(": ")
    if not colon and line.endswith(":"):
        head, colon = line[:-1], ":"
    place = (_places.get(head) or _read_place(head)) if colon else None
    if place is None:
        item = _ITEM.match(line)
        if item is None:
            return None
        place, rest = (len(item[1]), item.end(), ""), line[item.end() :]
    rest = rest.strip(" ")
    value, make = _read_scalar(rest), None
    if value is None:
        make = _EMPTY.get(rest)
        if make is None and (rest or not place[2]):
            return None
    column, after_dash, key = place
    entry = column, after_dash, key, value, make
    if len(line) <= MAX_CACHED_CHARS:
        if len(_entries) >= MAX_CACHED_LINES:
            _entries.clear()
        _entries[line] = entry
    return entry


def _read_place(head: str) -> _Place | None:
    place = _places.get(head)
    if place is None and (found := _PLACE.match(head)):
        indent = len(found[1])
        place = indent, indent + len(found[2]) if found[2] else -1, found[3]
        if len(_places) < MAX_CACHED_LINES:
            _places[head] = place
    return place


def _read_scalar(text: str) -> str | None:
    first = text[:1]
    if first == '"':
        inner = text[1:-1]
        if '"' not in inner and "\\" not in inner and len(text) > 1 and text[-1] == '"':
            return inner
        quoted = _DOUBLE_QUOTED.match(text)
        return _ESCAPE.sub(_unescape, quoted[1]) if quoted else None
    if first == "'":
        quoted = _SINGLE_QUOTED.match(text)
        return quoted[1].replace("''", "'") if quoted else None
    if first in _INDICATORS or (first == "-" and not text[1:2].isalnum()):
        return None
    return None if ": " in text or " #" in text or text[-1] == ":" else Plain(text)


def _unescape(escape: re.Match[str]) -> str:
    return _ESCAPED[escape[1]] if escape[1] else chr(int(escape[2], 16))
