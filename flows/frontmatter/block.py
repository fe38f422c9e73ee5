"""Bytes of a file → the block of text between its fences, and where it stands."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from flows.frontmatter.messages import BrokenFrontMatter, make_error
from flows.frontmatter.types import MAX_BLOCK_BYTES, Value

Kind: TypeAlias = Literal["yaml", "toml", "json"]

_OPENING = re.compile(rb"(---|\+\+\+|;;;)[ \t]*(?:\r\n|\r|\n|\Z)")
# gray-matter's way to name the language of what follows: ---toml
_NAMED_OPENING = re.compile(rb"---([ \t]*)([A-Za-z][A-Za-z0-9+#-]*)[ \t]*(?:\r\n|\r|\n|\Z)")
_LANGUAGES: dict[bytes, Kind] = {b"yaml": "yaml", b"yml": "yaml", b"toml": "toml", b"json": "json"}
_PROGRAMS = {
    **dict.fromkeys((b"js", b"javascript", b"mjs", b"cjs", b"node"), "JavaScript"),
    **dict.fromkeys((b"ts", b"typescript"), "TypeScript"),
    **dict.fromkeys((b"coffee", b"coffeescript", b"cson"), "CoffeeScript"),
}
# Searched from the line break of the opening fence on, so that an empty block is closed, too.
_CLOSING = {
    b"---": re.compile(rb"[\r\n](?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n|\Z)"),
    b"+++": re.compile(rb"[\r\n]\+\+\+[ \t]*(?:\r\n|\r|\n|\Z)"),
    b";;;": re.compile(rb"[\r\n];;;[ \t]*(?:\r\n|\r|\n|\Z)"),
}
_KINDS: dict[bytes, Kind] = {b"---": "yaml", b"+++": "toml", b";;;": "json"}
# What Hugo and Zola skip before the fence, and other generators do not.
_ABOVE = re.compile(
    rb"(?>[ \t]*(?:\r\n|\r|\n)|\xef\xbb\xbf|[ \t]*<!--.*?-->)+(?=---|\+\+\+|;;;)", re.DOTALL
)
# Below other text a line of dashes can be a rule: only a field makes it a fence.
# Possessive: nothing is tried in another way, so long lines cost no more than their length.
_FIELD = re.compile(rb"""\s*+(?:\#[^\r\n]*+\s*+)*+(?:[\[{]|["']?\w[\w .-]*+["']?\s*+[:=])""")
# Hexo reads fields above a fence that ends them; elsewhere a line of dashes below a text makes it
# a heading, so one key must be known.
_LINE_END = rb"(?:\r\n|\r|\n)"
_BARE_FIELD = rb"[A-Za-z_][\w -]{0,40}+:(?:[ \t][^\r\n]*+)?"
_HALF_FENCED = re.compile(
    rb"(?:%b%b(?:(?:[ \t]|-[ \t])[^\r\n]*+%b)*+){2,200}+---[ \t]*(?:%b|\Z)"
    % (_BARE_FIELD, _LINE_END, _LINE_END, _LINE_END)
)
_KNOWN_FIELD = re.compile(
    rb"^(?:title|date|layout|tags|categor(?:y|ies)|authors?|permalink|slug)[ \t]*:", re.I | re.M
)
# How systems whose heads are not read begin their files.
_FOREIGN_HEADS = (
    (re.compile(rb"(?:%b%b){2}" % (_BARE_FIELD, _LINE_END)), "Pelican or MultiMarkdown"),
    (re.compile(rb"(?:<!--\s*)?\.\. [a-z_]+:[ \t]"), "Nikola"),
    (re.compile(rb"=[ \t][^\r\n]++%b(?:[^\r\n]++%b)*?:\w" % (_LINE_END, _LINE_END)), "AsciiDoc"),
    (re.compile(rb"(?:[^\r\n]*+%b){0,8}?:[a-z][\w-]*+:[ \t]" % _LINE_END), "reStructuredText"),
)
_BARE_JSON = re.compile(rb'\{\s*["}]')
_REST_OF_LINE = re.compile(rb"[ \t]*(?:\r\n|\r|\n)?")
_BOM = b"\xef\xbb\xbf"
_UTF_16_OR_32 = re.compile(rb"\xff\xfe|\xfe\xff|\0\0\xfe\xff|\0{0,3}-\0{1,3}-\0{1,3}-")
CONFLICT = re.compile(r"^<<<<<<<(?=[ \t\r\n]|\Z)", re.MULTILINE)
_CONFLICT_OVER_FENCE = re.compile(rb"<<<<<<<[^\r\n]*[\r\n]+---[ \t]*[\r\n]")
_JSON_BYTES_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """The text of the front matter, and where it is in its file."""

    kind: Kind
    text: str
    first_line: int
    body: bytes

    def locate(self, index: int) -> tuple[int, int]:
        """Turn an index into the text into line and column of the file, both from 1."""
        head = self.text[:index]
        return self.first_line + count_lines(head), index - max(head.rfind("\n"), head.rfind("\r"))

    def make_error(self, code: str, index: int, **words: object) -> BrokenFrontMatter:
        """Make the error for the fault at this index."""
        line, column = self.locate(index)
        return make_error(code, line, column, **words)

    def take_fields(self, root: Value) -> dict[str, Value]:
        """Take what the block holds for fields, or refuse it."""
        if type(root) is dict:
            return root
        raise self.make_error("not_a_mapping", len(self.text) - len(self.text.lstrip()))


def count_lines(text: str) -> int:
    """Count the line breaks of a text, of any system."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def split(data: bytes, whole_file: bool) -> Block | None:
    """Cut the front matter out of a file and decode it."""
    if not data.startswith(b"---"):
        if _UTF_16_OR_32.match(data):
            raise make_error("wrong_encoding", 1, 1, guess=": it looks like UTF-16 or UTF-32")
        while data.startswith(_BOM):  # editors that add one to a file that has one leave two
            data = data[len(_BOM) :]
        if not whole_file and _CONFLICT_OVER_FENCE.match(data):
            raise make_error("merge_conflict", 1, 1)
        if not whole_file and _BARE_JSON.match(data):
            return _read_bare_json(data)
        if not whole_file and (above := _ABOVE.match(data)):
            data, lines = data[above.end() :], count_lines(above[0].decode("utf-8", "replace"))
            opening = _OPENING.match(data) or _NAMED_OPENING.match(data)
            if opening is None or not _FIELD.match(data, opening.end()):
                return None
            return _read_fenced(data, whole_file, lines)
        if not whole_file and (half := _HALF_FENCED.match(data)) and _KNOWN_FIELD.search(half[0]):
            raise make_error("unopened_fence", 1, 1)
    fenced = _read_fenced(data, whole_file)
    return fenced or (_decode("yaml", data, 1, b"") if whole_file and data else None)


def explain_missing(data: bytes) -> tuple[str, str, str]:
    """Say why a file has no front matter: code, message and hint."""
    for head, system in _FOREIGN_HEADS:
        if head.match(data):
            return make_error("foreign_head", 1, 1, system=system).args[:3]
    return make_error("no_front_matter", 1, 1).args[:3]


def _read_fenced(data: bytes, whole_file: bool, lines_above: int = 0) -> Block | None:
    if (opening := _OPENING.match(data)) is None:
        return None if whole_file else _read_named(data, lines_above)
    fence, start = opening[1], opening.end()
    if whole_file and fence != b"---":
        return None
    closing = _find_closing(data, fence, start - 1)
    if closing is None:
        if whole_file:
            return None
        raise _explain_unclosed(data, fence.decode(), lines_above)
    end, body = closing
    return _decode(_KINDS[fence], data[start:end], 2 + lines_above, data[body:])


def _read_named(data: bytes, lines_above: int) -> Block | None:
    """Read a block whose opening fence names its language."""
    if (opening := _NAMED_OPENING.match(data)) is None:
        return None
    language, start = opening[2].lower(), opening.end()
    program = _PROGRAMS.get(language, "another language")
    closing = _find_closing(data, b"---", start - 1)
    # A word after a rule, or dashes before one, begin no block.
    if language not in _LANGUAGES.keys() | _PROGRAMS.keys() and (opening[1] or closing is None):
        return None
    if (kind := _LANGUAGES.get(language)) is None:
        raise make_error("foreign_language", 1 + lines_above, 4, language=program)
    if closing is None:
        raise _explain_unclosed(data, "---", lines_above)
    return _decode(kind, data[start : closing[0]], 2 + lines_above, data[closing[1] :])


def _find_closing(data: bytes, fence: bytes, start: int) -> tuple[int, int] | None:
    """Find where the block ends and where the body begins, from the opening's line break on."""
    # Nearly every file has this one form, and finding it costs a fifth of the pattern.
    at = data.find(b"\n---", start) if fence == b"---" else -1
    if (
        at >= 0
        and data.startswith(b"\n", at + 4)
        and data.find(b"\r", start, at) < 0
        and data.find(b"\n...", start, at) < 0
    ):
        return at + 1, at + 5
    found = _CLOSING[fence].search(data, start)
    return (found.start() + 1, found.end()) if found else None


def _explain_unclosed(data: bytes, fence: str, lines_above: int) -> BrokenFrontMatter:
    head = data[:MAX_BLOCK_BYTES].decode("utf-8", "replace")
    block = Block("yaml", head, 1 + lines_above, b"")
    if conflict := CONFLICT.search(head):
        return block.make_error("merge_conflict", conflict.start())
    return block.make_error("unclosed_fence", 0, fence=fence)


def _read_bare_json(data: bytes) -> Block:
    end = _find_end_of_object(data)
    rest = _REST_OF_LINE.match(data, end)
    return _decode("json", data[:end], 1, data[rest.end() if rest else end :])


def _find_end_of_object(data: bytes) -> int:
    """Find the end of the JSON object at the start of a file."""
    depth = 0
    for token in _JSON_BYTES_TOKEN.finditer(data, 0, MAX_BLOCK_BYTES):
        depth += (token[0] in b"{[") - (token[0] in b"]}")
        if depth == 0:
            return token.end()
    raise make_error(
        "unclosed_bracket" if len(data) <= MAX_BLOCK_BYTES else "block_too_large", 1, 1
    )


def _decode(kind: Kind, raw: bytes, first_line: int, body: bytes) -> Block:
    if len(raw) > MAX_BLOCK_BYTES:
        raise make_error("block_too_large", 1, 1)
    try:
        return Block(kind, raw.decode(), first_line, body)
    except UnicodeDecodeError as error:
        bad = error.start
        read_so_far = Block(kind, raw[:bad].decode(), first_line, b"")
        around = raw[max(bad - 1, 0) : bad] + raw[bad + 1 : bad + 2]
        # A single high byte among ASCII is how old Western code pages write an accented letter.
        guess = ": it looks like Windows-1252 (Latin-1)" if around.isascii() else ""
        raise read_so_far.make_error("wrong_encoding", len(read_so_far.text), guess=guess) from None


def count_characters(body: bytes) -> int:
    """Count the characters of a body, however it is encoded."""
    return len(body) if body.isascii() else len(body.decode("utf-8", "replace"))
