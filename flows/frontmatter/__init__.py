"""Bytes of a file in, fields of its front matter out; no file, frame or database is touched.

YAML between `---` fences (or a whole YAML file), TOML between `+++`, JSON between `;;;` or bare,
any of them below `---` with its name.
The fence stands on the first line; below blank lines, a byte-order mark or an HTML comment, which
some site generators skip, it counts with a note.

`block` cuts the text out of the file. `yaml_fast` reads the YAML that nearly all files are written
in; what it leaves, PyYAML parses and `yaml_full` turns into values, and `yaml_errors` says what
PyYAML stumbled over. `json_toml` reads the rest, `yaml_types` types plain text as YAML 1.1 does,
`positions` finds a value's line, and messages.toml has every sentence that an author may read.
"""

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from flows.frontmatter.block import CONFLICT, Block, Kind, count_characters, explain_missing, split
from flows.frontmatter.json_toml import read_json, read_toml
from flows.frontmatter.messages import BrokenFrontMatter, make_note
from flows.frontmatter.positions import find_in_yaml, find_key
from flows.frontmatter.types import (
    MAX_BLOCK_BYTES,
    MAX_NODES,
    SECRET_KEYS,
    FrontMatter,
    KeyPath,
    Note,
    Plain,
    Reading,
    Value,
    is_secret,
)
from flows.frontmatter.yaml_fast import read_lines
from flows.frontmatter.yaml_full import read_yaml
from flows.frontmatter.yaml_types import resolve

__all__ = [
    "MAX_BLOCK_BYTES",
    "MAX_NODES",
    "PARSER_VERSION",
    "SECRET_KEYS",
    "BrokenFrontMatter",
    "FrontMatter",
    "KeyPath",
    "Note",
    "Parser",
    "Plain",
    "Reading",
    "Value",
    "cut_body",
    "explain_missing",
    "is_secret",
    "locate",
    "locate_all",
    "read",
    "resolve",
]

PARSER_VERSION = 5

Parser: TypeAlias = Literal["fast", "pyyaml"]

_DEFAULT = Reading()
_PARSERS: dict[Kind, Callable[[Block, Reading, list[Note]], dict[str, Value]]] = {
    "yaml": read_yaml,
    "toml": read_toml,
    "json": read_json,
}


def read(
    data: bytes, *, whole_file: bool = False, parser: Parser = "fast", reading: Reading = _DEFAULT
) -> FrontMatter | None:
    """Read the front matter of a file; None when it has none.

    `whole_file` reads all of a `.yaml` file that has no pair of fences. The fast parser leaves to
    PyYAML what is not simple, so both give the same. Raises BrokenFrontMatter.
    """
    block = split(data, whole_file)
    if block is None:
        return None
    notes = [make_note("late_fence", (), block.first_line - 1)] if block.first_line > 2 else []
    fields = read_lines(block.text) if parser == "fast" and block.kind == "yaml" else None
    if fields is None:
        try:
            fields = _PARSERS[block.kind](block, reading, notes)
        except BrokenFrontMatter:
            # Whatever a conflict marker breaks, the marker is the cause.
            if conflict := CONFLICT.search(block.text):
                raise block.make_error("merge_conflict", conflict.start()) from None
            raise
    return FrontMatter(fields, count_characters(block.body), tuple(notes))


def cut_body(data: bytes, *, whole_file: bool = False) -> bytes:
    """Return a file without its body, in which `locate` finds what it finds in the whole."""
    block = split(data, whole_file)
    return data[: len(data) - len(block.body)] if block else data


def locate(
    data: bytes, key_path: KeyPath, *, whole_file: bool = False, reading: Reading = _DEFAULT
) -> tuple[int, int] | None:
    """Find line and column of a value in a file that `read` accepts; None when it is not there.

    TOML and JSON give the place of the key, as well as a search for its name can tell.
    """
    return locate_all(data, (key_path,), whole_file=whole_file, reading=reading)[0]


def locate_all(
    data: bytes,
    key_paths: Iterable[KeyPath],
    *,
    whole_file: bool = False,
    reading: Reading = _DEFAULT,
) -> list[tuple[int, int] | None]:
    """Find several values of one file as `locate` does, in one pass over it."""
    found = read(data, whole_file=whole_file, reading=reading)
    if found is None or not (block := split(data, whole_file)):
        return [None for _ in key_paths]
    find = find_in_yaml if block.kind == "yaml" else find_key
    return [None if at is None else block.locate(at) for at in find(block, key_paths)]
