"""Bytes of a file in, fields of its front matter out; no file, frame or database is touched.

YAML between `---` fences (or a whole YAML file), TOML between `+++`, JSON between `;;;` or bare.
A fence counts only on the very first line, as the site generators that own these files have it:
a file that begins with a blank line has no front matter.
"""

import json
import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NoReturn, TypeAlias

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.resolver import Resolver

from flows.subset import Plain as Plain
from flows.subset import Value as Value
from flows.subset import read_lines

PARSER_VERSION = 1

MAX_BLOCK_BYTES = 1 << 20  # real blocks are kilobytes; more is a file that lost its closing fence
MAX_DEPTH = 64  # real files nest five deep; the C parser's own recursion dies at 30,000
MAX_NODES = 200_000  # keys and values: 50,000 topics fit, and more takes seconds to read
MAX_EXPANDED = 4 << 20  # characters once aliases are written out: an alias bomb grows without end
MAX_TYPED_CHARS = 4_300  # Python refuses longer decimal integers, and no column holds one


Kind: TypeAlias = Literal["yaml", "toml", "json"]
Parser: TypeAlias = Literal["fast", "pyyaml"]


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The fields of one file, and how many characters follow them."""

    fields: dict[str, Value]
    body_chars: int


class BrokenFrontMatter(ValueError):
    """Front matter that cannot be read: what is wrong, where in the file, and what to change."""

    def __init__(self, code: str, message: str, hint: str, line: int, column: int) -> None:
        # All of it goes to the parent, so that a worker process can hand it over.
        super().__init__(code, message, hint, line, column)
        self.code = code
        self.message = message
        self.hint = hint
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message} {self.hint}"


# Reason code → what is wrong, what to change. No sentence quotes the file: it could hold a secret.
SAYINGS: dict[str, tuple[str, str]] = {
    "accidental_alias": (
        "A value that begins with * means a reference in YAML, and this one is not well formed.",
        "Put the value in double quotes.",
    ),
    "accidental_anchor": (
        "A value that begins with & means an anchor in YAML, and this one is not well formed.",
        "Put the value in double quotes.",
    ),
    "bad_directive": (
        "A line that begins with % is a YAML directive, and this one is not understood.",
        "Put the text in double quotes, or delete the line.",
    ),
    "bad_indentation": (
        "This line is indented differently from the fields it belongs to.",
        "Give it exactly the indentation of its neighbours, in spaces.",
    ),
    "bad_list": (
        "A list item, or a line beside one, stands where no list can continue.",
        "Write every item on its own line as '- item', all at one indentation, below 'key:'.",
    ),
    "bad_merge": (
        "The merge key << wants a mapping, or a list of mappings.",
        "Refer to an anchored mapping, or put << in quotes.",
    ),
    "bad_number": (
        "This is not a number that JSON and the warehouse can hold.",
        "Write a finite number, null, or a text in double quotes.",
    ),
    "bad_tagged_value": (
        "The value does not fit the tag in front of it.",
        "Remove the tag, or correct the value.",
    ),
    "block_too_large": (
        "The front matter is larger than 1 MiB.",
        "Check that the closing fence is where it should be, and move long text into the body.",
    ),
    "complex_key": (
        "A list or a mapping is used as a key.",
        "Use a plain word as the key; a value that begins with {{ or [ needs double quotes.",
    ),
    "control_character": (
        "There is an invisible control character (U+{point:04X}) here.",
        "Delete it; if the whole file looks odd, save it again as UTF-8 text.",
    ),
    "duplicate_anchor": (
        "An anchor of the same name exists already.",
        "Rename one of the two anchors; if & is part of the text, put the value in quotes.",
    ),
    "duplicate_key": (
        "The key {key} appears twice in the same mapping.",
        "Keep one of the two: only one value can count.",
    ),
    "flow_syntax": (
        "The list or mapping in brackets is not well formed here.",
        "Separate items with single commas; put text that contains brackets in double quotes.",
    ),
    "invalid_json": (
        "This is not valid JSON.",
        "Check for a missing comma, colon or double quote, or a comma too many, just before here.",
    ),
    "invalid_toml": (
        "This is not valid TOML.",
        "Write 'key = value' with texts in double quotes, one field per line.",
    ),
    "invalid_unicode": (
        "An escape here stands for no character: half of a surrogate pair, or out of range.",
        "Write the character itself instead of its escape.",
    ),
    "invalid_yaml": (
        "This is not valid YAML.",
        "Write 'key: value' lines; put texts with special characters in double quotes.",
    ),
    "merge_conflict": (
        "A merge conflict has been left in the file.",
        "Choose one side and delete the lines that begin with <<<<<<<, ======= and >>>>>>>.",
    ),
    "missing_colon": (
        "This line is neither a 'key: value' field nor a list item.",
        "Add the colon, or indent the line if it continues the value above.",
    ),
    "missing_key": (
        "A line begins with a colon: there is no key before it.",
        "Write a key before the colon, or put the text in double quotes.",
    ),
    "missing_space": (
        "A space is missing after the colon.",
        "Write 'key: value' with a space after the colon.",
    ),
    "not_a_mapping": (
        "The front matter is not a set of 'key: value' fields.",
        "Begin each line with a key, a colon and a space.",
    ),
    "recursive_alias": (
        "A value refers to itself through an alias.",
        "Write the value out instead of the alias.",
    ),
    "reserved_character": (
        "A value cannot begin with this character without quotes.",
        "Put the whole value in double quotes.",
    ),
    "several_documents": (
        "A second YAML document begins here.",
        "Keep one document per file.",
    ),
    "tab_indentation": (
        "A tab is used where YAML wants spaces.",
        "Replace the tab with spaces.",
    ),
    "text_after_bracket": (
        "There is text after the closing bracket of a value.",
        "Put the whole value, brackets included, in double quotes.",
    ),
    "text_after_quote": (
        "There is text after the closing quote of a value.",
        "Put the whole value in one pair of quotes; inside them write '' for an apostrophe "
        'in single quotes and \\" for a quote in double quotes.',
    ),
    "too_deep": (
        "The fields are nested more than 64 levels deep.",
        "Flatten them, or put a text of brackets in double quotes.",
    ),
    "too_many_aliases": (
        "Written out, the aliases make this front matter larger than 4 MiB.",
        "Write out the values that are meant, without aliases of aliases.",
    ),
    "too_many_nodes": (
        "The front matter holds more than 200,000 keys and values.",
        "Move the data out of the front matter.",
    ),
    "unclosed_bracket": (
        "The bracket opened here is not closed, or a comma is missing after an item.",
        "Close it; if it is part of a text, put the value in double quotes.",
    ),
    "unclosed_fence": (
        "The opening fence has no closing one.",
        "Add a line with only {fence} after the last field.",
    ),
    "unclosed_quote": (
        "The quote opened here is not closed on its line.",
        "Add the closing quote at the end of the value.",
    ),
    "undefined_alias": (
        "A value that begins with * refers to an anchor, and there is none of that name.",
        "If * is part of the text, put the value in double quotes.",
    ),
    "unknown_escape": (
        "The text in double quotes has a backslash that begins no known escape.",
        "Double the backslash, or use single quotes (as for a Windows path).",
    ),
    "unquoted_colon": (
        "The value contains a colon followed by a space.",
        "Put the whole value in straight double quotes.",
    ),
    "unsupported_tag": (
        "A value that begins with ! is a tag in YAML, and this tag means nothing here.",
        "If ! is part of the text, put the value in double quotes; else remove the tag.",
    ),
    "wrong_encoding": (
        "The file is not UTF-8{guess}.",
        "Save the file as UTF-8.",
    ),
}


@dataclass(frozen=True, slots=True)
class _Block:
    """The front matter's own text, and where it stands in its file."""

    kind: Kind
    text: str
    first_line: int
    body: bytes

    def position(self, index: int) -> tuple[int, int]:
        """Turn an index into the text into line and column of the file, both from 1."""
        head = self.text[:index]
        breaks = head.count("\n") + head.count("\r") - head.count("\r\n")
        return self.first_line + breaks, index - max(head.rfind("\n"), head.rfind("\r"))

    def broken(self, code: str, index: int, **words: object) -> BrokenFrontMatter:
        """Make the error for the fault at this index."""
        line, column = self.position(index)
        return _broken(code, line, column, **words)


def _broken(code: str, line: int, column: int, **words: object) -> BrokenFrontMatter:
    message, hint = (part.format(**words) if words else part for part in SAYINGS[code])
    return BrokenFrontMatter(code, message, hint, line, column)


def read(data: bytes, *, whole_file: bool = False, parser: Parser = "fast") -> FrontMatter | None:
    """Read the front matter of a file; None when it has none.

    `whole_file` reads all of a `.yaml` file that has no pair of fences. The fast parser leaves to
    PyYAML what is not simple, so both give the same. Raises BrokenFrontMatter.
    """
    block = _split(data, whole_file)
    if block is None:
        return None
    fields = read_lines(block.text) if parser == "fast" and block.kind == "yaml" else None
    if fields is not None:
        return FrontMatter(fields, _characters(block.body))
    try:
        fields = _PARSERS[block.kind](block)
    except BrokenFrontMatter:
        # Whatever a conflict marker breaks, the marker is the cause.
        if conflict := _CONFLICT.search(block.text):
            raise block.broken("merge_conflict", conflict.start()) from None
        raise
    return FrontMatter(fields, _characters(block.body))


def locate(
    data: bytes, key_path: tuple[str | int, ...], *, whole_file: bool = False
) -> tuple[int, int] | None:
    """Find line and column of a value in a file that `read` accepts; None when it is not there.

    TOML and JSON give the place of the key, as well as a search for its name can tell.
    """
    if read(data, whole_file=whole_file) is None or not (block := _split(data, whole_file)):
        return None
    index = (_locate_in_yaml if block.kind == "yaml" else _locate_by_name)(block, key_path)
    return None if index is None else block.position(index)


def typed(text: Plain) -> Value:
    """Give the type that YAML 1.1 sees in a plain scalar; what it cannot hold stays text."""
    if len(text) <= MAX_TYPED_CHARS:
        for tag, pattern in Resolver.yaml_implicit_resolvers.get(text[:1], ()):
            if pattern.match(text):
                return _constructed(tag, text)
    return str(text)


def _constructed(tag: str, text: str) -> Value:
    try:
        return _CONSTRUCTORS[tag](_CONSTRUCTOR, ScalarNode(tag, str(text)))  # type: ignore[no-any-return]
    except _UNFIT:
        return str(text)


# ---- from bytes to a block of text ----

_OPENING = re.compile(rb"(---|\+\+\+|;;;)[ \t]*(?:\r\n|\r|\n|\Z)")
# Searched from the line break of the opening fence on, so that an empty block is closed, too.
_CLOSING = {
    b"---": re.compile(rb"[\r\n](?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n|\Z)"),
    b"+++": re.compile(rb"[\r\n]\+\+\+[ \t]*(?:\r\n|\r|\n|\Z)"),
    b";;;": re.compile(rb"[\r\n];;;[ \t]*(?:\r\n|\r|\n|\Z)"),
}
_KINDS: dict[bytes, Kind] = {b"---": "yaml", b"+++": "toml", b";;;": "json"}
_BARE_JSON = re.compile(rb'\{\s*["}]')
_REST_OF_LINE = re.compile(rb"[ \t]*(?:\r\n|\r|\n)?")
_BOM = b"\xef\xbb\xbf"
_UTF_16_OR_32 = re.compile(rb"\xff\xfe|\xfe\xff|\0\0\xfe\xff|\0{0,3}-\0{1,3}-\0{1,3}-")
_CONFLICT = re.compile(r"^<<<<<<<(?=[ \t\r\n]|\Z)", re.MULTILINE)
_CONFLICT_OVER_FENCE = re.compile(rb"<<<<<<<[^\r\n]*[\r\n]+---[ \t]*[\r\n]")


def _split(data: bytes, whole_file: bool) -> _Block | None:
    """Cut the front matter out of a file and decode it."""
    if not data.startswith(b"---"):
        if _UTF_16_OR_32.match(data):
            raise _broken("wrong_encoding", 1, 1, guess=": it looks like UTF-16 or UTF-32")
        while data.startswith(_BOM):  # editors that add one to a file that has one leave two
            data = data[len(_BOM) :]
        if not whole_file and _CONFLICT_OVER_FENCE.match(data):
            raise _broken("merge_conflict", 1, 1)
        if not whole_file and _BARE_JSON.match(data):
            return _bare_json(data)
    fenced = _fenced(data, whole_file)
    return fenced or (_block("yaml", data, 1, b"") if whole_file and data else None)


def _fenced(data: bytes, whole_file: bool) -> _Block | None:
    opening = _OPENING.match(data)
    if opening is None or (whole_file and opening[1] != b"---"):
        return None
    fence, start = opening[1], opening.end()
    closing = _closing(data, fence, start - 1)
    if closing is None:
        if whole_file:
            return None
        raise _unclosed(data, fence.decode())
    end, body = closing
    return _block(_KINDS[fence], data[start:end], 2, data[body:])


def _closing(data: bytes, fence: bytes, start: int) -> tuple[int, int] | None:
    """Find where the block ends and where the body begins, from the opening's line break on."""
    # Nearly every file has this one form, and finding it costs a fifth of the pattern.
    at = data.find(b"\n---\n", start) if fence == b"---" else -1
    others = (b"\n---", b"\n...", b"\r")
    if at >= 0 and all(data.find(other, start, at) < 0 for other in others):
        return at + 1, at + 5
    found = _CLOSING[fence].search(data, start)
    return (found.start() + 1, found.end()) if found else None


def _unclosed(data: bytes, fence: str) -> BrokenFrontMatter:
    head = data[:MAX_BLOCK_BYTES].decode("utf-8", "replace")
    block = _Block("yaml", head, 1, b"")
    if conflict := _CONFLICT.search(head):
        return block.broken("merge_conflict", conflict.start())
    return block.broken("unclosed_fence", 0, fence=fence)


def _bare_json(data: bytes) -> _Block:
    end = _end_of_object(data)
    rest = _REST_OF_LINE.match(data, end)
    return _block("json", data[:end], 1, data[rest.end() if rest else end :])


def _block(kind: Kind, raw: bytes, first_line: int, body: bytes) -> _Block:
    if len(raw) > MAX_BLOCK_BYTES:
        raise _broken("block_too_large", 1, 1)
    try:
        return _Block(kind, raw.decode(), first_line, body)
    except UnicodeDecodeError as error:
        bad = error.start
        read_so_far = _Block(kind, raw[:bad].decode(), first_line, b"")
        around = raw[max(bad - 1, 0) : bad] + raw[bad + 1 : bad + 2]
        # A single high byte among ASCII is how old Western code pages write an accented letter.
        guess = ": it looks like Windows-1252 (Latin-1)" if around.isascii() else ""
        raise read_so_far.broken("wrong_encoding", len(read_so_far.text), guess=guess) from None


def _characters(body: bytes) -> int:
    return len(body) if body.isascii() else len(body.decode("utf-8", "replace"))


# ---- YAML: values grown from parser events, without PyYAML's recursive composer ----

_TAG = "tag:yaml.org,2002:"
_CONSTRUCTOR = SafeConstructor()
_CONSTRUCTORS: dict[str, Any] = {
    _TAG + kind: SafeConstructor.yaml_constructors[_TAG + kind]
    for kind in ("bool", "float", "int", "null", "str", "timestamp")
}
# All that SafeConstructor is known to raise for a text that does not fit.
_UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_SHOWABLE_KEY = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}\Z")
_CONTROL = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _index(event: yaml.Event) -> int:
    return event.start_mark.index if event.start_mark else 0


class _Open:
    """A list or mapping whose end has not come yet."""

    __slots__ = ("anchor", "key", "merged", "merging", "size_before", "value")

    def __init__(
        self, value: list[Value] | dict[str, Value], anchor: str | None, size: int
    ) -> None:
        self.value = value
        self.anchor = anchor
        self.size_before = size
        self.key: str | None = None
        self.merging = False
        self.merged: tuple[Value, yaml.NodeEvent] | None = None


class _Tree:
    """The value of one YAML document, grown event by event."""

    def __init__(self, block: _Block) -> None:
        self.block = block
        # `! x` leaves no trace in its event, so the text is asked, when there is reason to.
        self.may_hold_tags = "!" in block.text
        self.root: Value = Plain("")
        self.open: list[_Open] = []
        self.anchors: dict[str, tuple[Value, int]] = {}
        self.size = 0
        self.documents = 0

    def refuse(self, code: str, event: yaml.Event, **words: object) -> NoReturn:
        raise self.block.broken(code, _index(event), **words)

    def document(self, event: yaml.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            self.refuse("several_documents", event)

    def scalar(self, event: yaml.ScalarEvent) -> None:
        text = event.value
        self.size += len(text) + 1
        if event.tag is not None or self.may_hold_tags:
            value = self.tagged(event)
        else:
            value = Plain(text) if event.implicit[0] else text
        if event.anchor is not None:
            self.remember(event.anchor, value, len(text) + 1, event)
        parent = self.open[-1] if self.open else None
        if parent is not None and parent.key is None and type(parent.value) is dict:
            self.take_key(parent, text, event.implicit[0] and text == "<<", event)
        else:
            self.place(value, event)

    def tagged(self, event: yaml.ScalarEvent) -> Value:
        if event.tag is None:
            if self.block.text.startswith("!", _index(event)):
                self.refuse("unsupported_tag", event)
            return Plain(event.value) if event.implicit[0] else event.value
        if event.tag not in _CONSTRUCTORS:
            self.refuse("unsupported_tag", event)
        try:
            return _CONSTRUCTORS[event.tag](_CONSTRUCTOR, ScalarNode(event.tag, event.value))  # type: ignore[no-any-return]
        except _UNFIT:
            self.refuse("bad_tagged_value", event)

    def take_key(self, parent: _Open, key: str, merging: bool, event: yaml.NodeEvent) -> None:
        if key in parent.value or (merging and parent.merged is not None):
            self.refuse(
                "duplicate_key",
                event,
                key=_showable(key, self.block.text[: _index(event)]),
            )
        parent.key = key
        parent.merging = merging

    def start_list(self, event: yaml.SequenceStartEvent) -> None:
        self.start([], _TAG + "seq", event)

    def start_mapping(self, event: yaml.MappingStartEvent) -> None:
        self.start({}, _TAG + "map", event)

    def start(
        self, value: list[Value] | dict[str, Value], tag: str, event: yaml.CollectionStartEvent
    ) -> None:
        if len(self.open) >= MAX_DEPTH:
            self.refuse("too_deep", event)
        if event.tag is not None and event.tag != tag:
            core = event.tag in _CONSTRUCTORS or event.tag in (_TAG + "seq", _TAG + "map")
            self.refuse("bad_tagged_value" if core else "unsupported_tag", event)
        if self.may_hold_tags and self.block.text.startswith("! ", _index(event)):
            self.refuse("unsupported_tag", event)
        self.place(value, event)
        self.size += 1
        if event.anchor is not None:
            self.remember(event.anchor, value, 0, event)
        self.open.append(_Open(value, event.anchor, self.size))

    def end(self, event: yaml.Event) -> None:
        done = self.open.pop()
        if done.merged is not None and isinstance(done.value, dict):
            self.merge(done.value, *done.merged)
        if done.anchor is not None:
            self.anchors[done.anchor] = (done.value, self.size - done.size_before + 1)

    def merge(self, own: dict[str, Value], merged: Value, event: yaml.NodeEvent) -> None:
        """Give a mapping the fields of those it merges, where it has none of its own."""
        sources = merged if isinstance(merged, list) else [merged]
        fields = dict(own)
        own.clear()
        for source in reversed(sources):  # the first source wins
            if not isinstance(source, dict):
                self.refuse("bad_merge", event)
            own.update(source)
        own.update(fields)

    def alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self.anchors:
            self.refuse("undefined_alias", event)
        value, size = self.anchors[event.anchor]
        if any(parent.value is value for parent in self.open):
            self.refuse("recursive_alias", event)
        self.size += size
        if self.size > MAX_EXPANDED:
            self.refuse("too_many_aliases", event)
        self.place(value, event)

    def remember(self, anchor: str, value: Value, size: int, event: yaml.Event) -> None:
        if anchor in self.anchors:
            self.refuse("duplicate_anchor", event)
        self.anchors[anchor] = (value, size)

    def place(self, value: Value, event: yaml.NodeEvent) -> None:
        if not self.open:
            self.root = value
            return
        parent = self.open[-1]
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key is None:
            if not isinstance(value, str):
                self.refuse("complex_key", event)
            self.take_key(parent, str(value), False, event)
        elif parent.merging:
            parent.merged = (value, event)
            parent.key = None
            parent.merging = False
        else:
            parent.value[parent.key] = value
            parent.key = None


_HANDLERS: dict[type[yaml.Event], Callable[[_Tree, Any], None]] = {
    yaml.ScalarEvent: _Tree.scalar,
    yaml.AliasEvent: _Tree.alias,
    yaml.SequenceStartEvent: _Tree.start_list,
    yaml.SequenceEndEvent: _Tree.end,
    yaml.MappingStartEvent: _Tree.start_mapping,
    yaml.MappingEndEvent: _Tree.end,
    yaml.DocumentStartEvent: _Tree.document,
}


def _yaml_fields(block: _Block) -> dict[str, Value]:
    if block.text.startswith("\ufeff"):  # libyaml would take a second mark for its own and skip it
        raise block.broken("control_character", 0, point=0xFEFF)
    tree = _Tree(block)
    try:
        for count, event in enumerate(yaml.parse(block.text, Loader=yaml.CSafeLoader)):
            if handle := _HANDLERS.get(type(event)):
                handle(tree, event)
            if count > MAX_NODES:
                tree.refuse("too_many_nodes", event)
    except yaml.YAMLError as error:
        raise _diagnose(block, error) from None
    return _mapping(block, {} if tree.root == "" and type(tree.root) is Plain else tree.root)


def _showable(key: str, text_before: str) -> str:
    # Below or after `secured` a piece of the payload may pass for a key.
    shown = _SHOWABLE_KEY.match(key) and "secured" not in text_before.lower()
    return f"'{key}'" if shown else "here"


def _mapping(block: _Block, root: Value) -> dict[str, Value]:
    if type(root) is dict:
        return root
    raise block.broken("not_a_mapping", len(block.text) - len(block.text.lstrip()))


def _locate_in_yaml(block: _Block, key_path: tuple[str | int, ...]) -> int | None:
    # `read` has accepted the block, so the composer's recursion is bounded.
    node: Node | None = yaml.compose(block.text, Loader=yaml.CSafeLoader)
    for step in key_path:
        found = _child(node, step)
        if found is None:
            return None
        key, node = found
        if isinstance(node, ScalarNode) and node.value == "":
            node = key
    return None if node is None else int(node.start_mark.index)


def _child(node: Node | None, step: str | int) -> tuple[Node, Node] | None:
    """Find the key (or item) and value one step down; what << brings is at the <<."""
    if isinstance(node, SequenceNode):
        at = isinstance(step, int) and step < len(node.value)
        return (node.value[step], node.value[step]) if at else None
    if not isinstance(node, MappingNode):
        return None
    for name in (step, "<<"):
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value == name:
                return key, value if name == step else key
    return None


# ---- YAML: what went wrong, in words for the author ----

_BEFORE_VALUE = r"[ ]*(?:-[ ]+)*(?:\"[^\"\r\n]*\"[ ]*|'[^'\r\n]*'[ ]*|[^\s#:\"'][^:\r\n]*):"
_SECOND_COLON = re.compile(_BEFORE_VALUE + r"[ \t]+\S")
_VALUE_START = re.compile(_BEFORE_VALUE + r"[ \t]+(\S)|[ ]*(?:-[ ]+)+([^\s-])")
_NO_SPACE = re.compile(r"[ ]*(?:-[ ]+)*[\w.-]+:(?=\S)")
_QUOTE = re.compile(
    r"""(?:(?<=:[ ])|(?<=-[ ])|^)[ ]*("[^"\\]*(?:\\.[^"\\]*)*"|'[^']*(?:''[^']*)*')""",
    re.MULTILINE | re.DOTALL,
)

# (context, problem) as libyaml words them → our code; the first pair found in the error decides.
_CAUSES: tuple[tuple[str, str, str], ...] = (
    ("", "found a tab", "tab_indentation"),
    ("quoted scalar", "found unknown escape", "unknown_escape"),
    ("quoted scalar", "hexdecimal", "unknown_escape"),
    ("quoted scalar", "Unicode character escape", "invalid_unicode"),
    ("", "tag handle", "unsupported_tag"),
    ("", "incompatible YAML", "bad_directive"),
    ("", "block sequence entries", "bad_list"),
    ("", "mapping keys are not allowed", "reserved_character"),
    ("block node", "node content", "reserved_character"),
    ("flow node", "node content", "flow_syntax"),
    ("", "unexpected ':'", "flow_syntax"),
)
# The fault lies where the construct was opened, not where the parser gave up.
_AT_OPENING: tuple[tuple[str, str, str], ...] = (
    ("quoted scalar", "unexpected end", "unclosed_quote"),
    ("quoted scalar", "document indicator", "unclosed_quote"),
    ("flow sequence", "", "unclosed_bracket"),
    ("flow mapping", "", "unclosed_bracket"),
    ("block scalar", "comment or line break", "reserved_character"),
    ("block scalar", "indentation indicator", "reserved_character"),
    ("scanning an alias", "", "accidental_alias"),
    ("scanning an anchor", "", "accidental_anchor"),
    ("tag", "", "unsupported_tag"),
    ("directive", "", "bad_directive"),
)


def _diagnose(block: _Block, error: yaml.YAMLError) -> BrokenFrontMatter:
    """Say in our own words what PyYAML stumbled over."""
    if control := _CONTROL.search(block.text):
        return block.broken("control_character", control.start(), point=ord(control[0]))
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return block.broken("invalid_yaml", 0)
    context, problem = error.context or "", error.problem or ""
    at = error.problem_mark.index
    opened = error.context_mark.index if error.context_mark else at
    for causes, index in ((_AT_OPENING, opened), (_CAUSES, at)):
        for in_context, in_problem, code in causes:
            if in_context in context and in_problem in problem:
                return block.broken(code, index)
    if "simple key" in context:
        at = opened
    return block.broken(*_misread_line(block.text, at, context, problem))


def _misread_line(text: str, at: int, context: str, problem: str) -> tuple[str, int]:
    """Tell apart the faults that libyaml reports as one: a line that does not fit."""
    start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    line = re.split(r"[\r\n]", text[start:], maxsplit=1)[0]
    indent = start + len(line) - len(line.lstrip())
    if quote := _quote_before(text, at):
        return quote
    if "cannot start any token" in problem:
        return ("tab_indentation" if text[at : at + 1] == "\t" else "reserved_character"), at
    value = _VALUE_START.match(line)
    opener = (value[1] or value[2]) if value else ""
    if value and start + value.end() <= at and opener in ("*", "[", "{"):
        return ("accidental_alias" if opener == "*" else "text_after_bracket"), (
            start + value.end() - 1
        )
    if "mapping values" in problem:
        if _SECOND_COLON.match(text[start:at]):
            return "unquoted_colon", at
        before = text[:start].rstrip()
        above = max(before.rfind("\n"), before.rfind("\r")) + 1
        if unspaced := _NO_SPACE.match(before, above):
            return "missing_space", unspaced.end() - 1
        return "bad_indentation", indent
    if "simple key" in context:
        unspaced = _NO_SPACE.match(line)
        return ("missing_space", start + unspaced.end() - 1) if unspaced else ("missing_colon", at)
    if line.lstrip().startswith(":"):
        return "missing_key", indent
    if line.lstrip().startswith("- ") or "block collection" in context:
        return "bad_list", indent
    if "block mapping" in context:
        return "bad_indentation", indent
    if "document start" in problem:
        if "\n..." in "\n" + text[:start]:
            return "several_documents", indent
        if text[:1] == " ":
            return "bad_indentation", len(text) - len(text.lstrip())
    return "invalid_yaml", at


def _quote_before(text: str, at: int) -> tuple[str, int] | None:
    """Find the quoted value that ends on the faulty line, just before the fault."""
    for quote in _QUOTE.finditer(text, 0, at):
        if "\n" not in text[quote.end() : at] and "\r" not in text[quote.end() : at]:
            several_lines = "\n" in quote[1] or "\r" in quote[1]
            if several_lines:
                return "unclosed_quote", quote.start(1)
            return "text_after_quote", quote.end()
    return None


# ---- TOML and JSON: the standard library parses, our limits come first ----

_JSON_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],]', re.DOTALL)
_JSON_BYTES_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]', re.DOTALL)
_HALF_SURROGATE = re.compile(
    r"(?<!\\)(?:\\\\)*(\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|[c-fC-F][0-9a-fA-F]{2}))"
)
_TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)\Z")
# tomllib joins the parts of a dotted key one by one, in quadratic time: refuse long ones first.
_TOML_LONG_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]+|"[^"\r\n]*"|'[^'\r\n]*')[ \t]*\.[ \t]*){64}"""
)


def _end_of_object(data: bytes) -> int:
    """Find the end of the JSON object at the start of a file."""
    depth = 0
    for token in _JSON_BYTES_TOKEN.finditer(data, 0, MAX_BLOCK_BYTES):
        depth += (token[0] in b"{[") - (token[0] in b"]}")
        if depth == 0:
            return token.end()
    raise _broken("unclosed_bracket" if len(data) <= MAX_BLOCK_BYTES else "block_too_large", 1, 1)


def _json_fields(block: _Block) -> dict[str, Value]:
    if not block.text.strip():
        return {}
    _check_json_limits(block)
    try:
        root = json.loads(
            block.text,
            object_pairs_hook=partial(_unique, block),
            parse_constant=partial(_finite, block),
            parse_float=partial(_finite, block),
            parse_int=partial(_integer, block),
        )
    except json.JSONDecodeError as error:
        raise _broken_json(block, error) from None
    _check_unicode(block, root)
    return _mapping(block, root)


def _check_json_limits(block: _Block) -> None:
    depth = nodes = 0
    for token in _JSON_TOKEN.finditer(block.text):
        depth += (token[0] in "{[") - (token[0] in "]}")
        nodes += token[0] in ",{["
        if depth > MAX_DEPTH:
            raise block.broken("too_deep", token.start())
        if nodes > MAX_NODES:
            raise block.broken("too_many_nodes", token.start())


def _unique(block: _Block, pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    key = Counter(key for key, _ in pairs).most_common(1)[0][0]
    places = [found.start() for found in _json_keys(block.text, key)]
    at = places[1] if len(places) > 1 else 0
    raise block.broken("duplicate_key", at, key=_showable(key, block.text[:at]))


def _finite(block: _Block, text: str) -> float:
    number = float(text)
    if math.isfinite(number):
        return number
    raise block.broken("bad_number", max(block.text.find(text), 0))


def _integer(block: _Block, text: str) -> int:
    if len(text) <= MAX_TYPED_CHARS:
        return int(text)
    raise block.broken("bad_number", max(block.text.find(text), 0))


def _json_keys(text: str, key: str) -> Iterator[re.Match[str]]:
    return re.finditer(re.escape(json.dumps(key, ensure_ascii=False)) + r"\s*:", text)


def _broken_json(block: _Block, error: json.JSONDecodeError) -> BrokenFrontMatter:
    if error.msg.startswith("Invalid control character"):
        if block.text[error.pos] in "\r\n":
            return block.broken("unclosed_quote", block.text.rfind('"', 0, error.pos))
        return block.broken("control_character", error.pos, point=ord(block.text[error.pos]))
    if error.msg.startswith("Unterminated string"):
        return block.broken("unclosed_quote", error.pos)
    if error.msg.startswith("Invalid \\"):
        return block.broken("unknown_escape", error.pos)
    return block.broken("invalid_json", error.pos)


def _check_unicode(block: _Block, root: Value) -> None:
    try:
        json.dumps(root, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        half = _HALF_SURROGATE.search(block.text)
        raise block.broken("invalid_unicode", half.start(1) if half else 0) from None


def _toml_fields(block: _Block) -> dict[str, Value]:
    if deep := _TOML_LONG_KEY.search(block.text):
        raise block.broken("too_deep", deep.start())
    try:
        fields = tomllib.loads(block.text)
    except RecursionError:
        raise block.broken("too_deep", 0) from None
    except ValueError as error:
        raise _broken_toml(block, error) from None
    _check_toml_limits(block, fields)
    return fields


def _broken_toml(block: _Block, error: ValueError) -> BrokenFrontMatter:
    place = _TOML_PLACE.search(str(error))
    lines = block.text.split("\n")
    line, column = (int(place[1]), int(place[2])) if place else (len(lines), 1)
    start = sum(len(above) + 1 for above in lines[: line - 1])
    at = start + column - 1
    if str(error).startswith("Cannot"):
        return block.broken("duplicate_key", start, key="here")
    if place and block.text[at : at + 1] in ("\r", "\n") and "Illegal" in str(error):
        return block.broken("unclosed_quote", max(block.text.rfind(mark, 0, at) for mark in "\"'"))
    return block.broken("invalid_toml", at)


def _check_toml_limits(block: _Block, fields: dict[str, Value]) -> None:
    level: list[Value] = [fields]
    nodes = depth = 0
    while level:
        depth += 1
        nodes += len(level)
        if depth > MAX_DEPTH + 1:
            raise block.broken("too_deep", 0)
        if nodes > MAX_NODES:
            raise block.broken("too_many_nodes", 0)
        level = [child for parent in level for child in _children(parent)]


def _children(value: Value) -> Iterable[Value]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _locate_by_name(block: _Block, key_path: tuple[str | int, ...]) -> int | None:
    at = None
    for key in (step for step in key_path if isinstance(step, str)):
        quoted = re.escape(json.dumps(key, ensure_ascii=False))
        name = (
            quoted if block.kind == "json" else rf"(?:{quoted}|'{re.escape(key)}'|{re.escape(key)})"
        )
        after = r"\s*:" if block.kind == "json" else r"[ \t]*[.=\]]"
        found = re.compile(rf"(?<![\w-]){name}(?={after})").search(block.text, at or 0)
        if found is None:
            return at
        at = found.start()
    return at


_PARSERS: dict[Kind, Callable[[_Block], dict[str, Value]]] = {
    "yaml": _yaml_fields,
    "toml": _toml_fields,
    "json": _json_fields,
}
