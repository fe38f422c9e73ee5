"""TOML and JSON: the standard library parses, our limits come first."""

import json
import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from functools import partial

from flows.frontmatter.block import Block
from flows.frontmatter.messages import BrokenFrontMatter, make_note, show_key
from flows.frontmatter.types import MAX_DEPTH, MAX_NODES, MAX_TYPED_CHARS, Note, Reading, Value

_JSON_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],]', re.DOTALL)
_HALF_SURROGATE = re.compile(
    r"(?<!\\)(?:\\\\)*(\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|[c-fC-F][0-9a-fA-F]{2}))"
)
_TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)\Z")
_TYPOGRAPHIC = tuple("“”„‟‘’‚‛«»")  # noqa: RUF001
_TOML_STATEMENT = re.compile(r"""[\w."'-]+[ \t]*=""")
# tomllib joins the parts of a dotted key one by one, in quadratic time: refuse long ones first.
_TOML_LONG_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]+|"[^"\r\n]*"|'[^'\r\n]*')[ \t]*\.[ \t]*){64}"""
)


def read_json(block: Block, reading: Reading, notes: list[Note]) -> dict[str, Value]:
    """Read the fields of a JSON block, and note repeated keys; raises BrokenFrontMatter."""
    if not block.text.strip():
        return {}
    _check_json_limits(block)
    try:
        root = json.loads(
            block.text,
            object_pairs_hook=partial(_take_pairs, block, reading, notes),
            parse_constant=partial(_to_float, block),
            parse_float=partial(_to_float, block),
            parse_int=partial(_to_integer, block),
        )
    except json.JSONDecodeError as error:
        raise _explain_json(block, error) from None
    _check_unicode(block, root)
    return block.take_fields(root)


def _check_json_limits(block: Block) -> None:
    depth = nodes = 0
    for token in _JSON_TOKEN.finditer(block.text):
        depth += (token[0] in "{[") - (token[0] in "]}")
        nodes += token[0] in ",{["
        if depth > MAX_DEPTH:
            raise block.make_error("too_deep", token.start())
        if nodes > MAX_NODES:
            raise block.make_error("too_many_nodes", token.start())


def _take_pairs(
    block: Block, reading: Reading, notes: list[Note], pairs: list[tuple[str, Value]]
) -> dict[str, Value]:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    key = Counter(key for key, _ in pairs).most_common(1)[0][0]
    spelled = re.escape(json.dumps(key, ensure_ascii=False))
    places = [found.start() for found in re.finditer(rf"{spelled}\s*:", block.text)]
    at = places[1] if len(places) > 1 else 0
    # As JSON sees it, to which 1, 1.0 and true are three values.
    write = partial(json.dumps, sort_keys=True)
    if reading.last_duplicate_counts or all(write(fields[name]) == write(v) for name, v in pairs):
        # Which mapping it is, and whether it is a secret one, the parser does not say.
        notes.append(make_note("repeated_key", (), block.locate(at)[0]))
        return fields
    shown = show_key(key, block.text[:at], reading.secret_keys)
    raise block.make_error("duplicate_key", at, key=shown)


def _to_float(block: Block, text: str) -> float:
    number = float(text)
    if math.isfinite(number):
        return number
    raise block.make_error("bad_number", max(block.text.find(text), 0))


def _to_integer(block: Block, text: str) -> int:
    if len(text) <= MAX_TYPED_CHARS:
        return int(text)
    raise block.make_error("bad_number", max(block.text.find(text), 0))


def _explain_json(block: Block, error: json.JSONDecodeError) -> BrokenFrontMatter:
    if error.msg.startswith("Invalid control character"):
        if block.text[error.pos] in "\r\n":
            return block.make_error("unclosed_quote", block.text.rfind('"', 0, error.pos))
        return block.make_error("control_character", error.pos, point=ord(block.text[error.pos]))
    if error.msg.startswith("Unterminated string"):
        return block.make_error("unclosed_quote", error.pos)
    if error.msg.startswith("Invalid \\"):
        return block.make_error("unknown_escape", error.pos)
    if error.msg.startswith("Illegal trailing comma"):
        # Python 3.13 points at the comma, earlier ones at the bracket after it.
        return block.make_error(
            "invalid_json", len(block.text) - len(block.text[error.pos + 1 :].lstrip())
        )
    return block.make_error("invalid_json", error.pos)


def _check_unicode(block: Block, root: Value) -> None:
    try:
        json.dumps(root, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        half = _HALF_SURROGATE.search(block.text)
        raise block.make_error("invalid_unicode", half.start(1) if half else 0) from None


def read_toml(block: Block, reading: Reading, notes: list[Note]) -> dict[str, Value]:
    """Read the fields of a TOML block, and note repeated lines; raises BrokenFrontMatter."""
    if deep := _TOML_LONG_KEY.search(block.text):
        raise block.make_error("too_deep", deep.start())
    try:
        fields, repeated = _parse_toml(block.text.split("\n"))
    except RecursionError:
        raise block.make_error("too_deep", 0) from None
    except ValueError as error:
        raise _explain_toml(block, error) from None
    _check_toml_limits(block, fields)
    notes.extend(make_note("repeated_key", (), block.first_line + at) for at in repeated)
    return fields


def _parse_toml(lines: list[str]) -> tuple[dict[str, Value], list[int]]:
    """Return the fields, and the lines that say once more what one above says of the same table."""
    first_error: ValueError | None = None
    repeated: list[int] = []
    while True:
        try:
            return tomllib.loads("\n".join(lines)), repeated
        except ValueError as error:
            first_error = first_error or error
            at = _find_repeated_line(lines, error)
            if at is None:
                raise first_error from None
            lines[at] = ""
            repeated.append(at)


def _find_repeated_line(lines: list[str], error: ValueError) -> int | None:
    if not str(error).startswith("Cannot overwrite"):
        return None
    place = _TOML_PLACE.search(str(error))
    at = int(place[1]) - 1 if place else len(lines) - 1
    statement = lines[at].strip()
    if not _TOML_STATEMENT.match(statement):
        return None
    for above in range(at - 1, -1, -1):
        line = lines[above].strip()
        if line == statement and _is_toml([*lines[:above], "", *lines[above + 1 : at + 1]]):
            return at
        if line.startswith("["):
            break
    return None


def _is_toml(lines: list[str]) -> bool:
    """Tell a statement, without which its repetition is none, from a line of a long text."""
    try:
        tomllib.loads("\n".join(lines))
    except ValueError:
        return False
    return True


def _explain_toml(block: Block, error: ValueError) -> BrokenFrontMatter:
    place = _TOML_PLACE.search(str(error))
    lines = block.text.split("\n")
    line, column = (int(place[1]), int(place[2])) if place else (len(lines), 1)
    start = sum(len(above) + 1 for above in lines[: line - 1])
    at = start + column - 1
    if str(error).startswith("Cannot"):
        return block.make_error("duplicate_key", start, key="here")
    if not place:
        return block.make_error("invalid_toml", at)
    if block.text[at : at + 1] in ("\r", "\n") and "Illegal" in str(error):
        last = block.text[:at].rstrip()
        if last.endswith(_TYPOGRAPHIC):
            return block.make_error("typographic_quotes", len(last) - 1)
        return block.make_error(
            "unclosed_quote", max(block.text.rfind(mark, 0, at) for mark in "\"'")
        )
    if block.text.startswith(_TYPOGRAPHIC, at):
        return block.make_error("typographic_quotes", at)
    if "after a statement" in str(error) and block.text[:at].rstrip(" \t").endswith(("'", '"')):
        return block.make_error("toml_text_after_quote", at)
    return block.make_error("invalid_toml", at)


def _check_toml_limits(block: Block, fields: dict[str, Value]) -> None:
    level: list[Value] = [fields]
    nodes = depth = 0
    while level:
        depth += 1
        nodes += len(level)
        if depth > MAX_DEPTH + 1:
            raise block.make_error("too_deep", 0)
        if nodes > MAX_NODES:
            raise block.make_error("too_many_nodes", 0)
        level = [child for parent in level for child in _list_children(parent)]


def _list_children(value: Value) -> Iterable[Value]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
