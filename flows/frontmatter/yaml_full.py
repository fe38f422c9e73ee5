"""YAML of any kind → fields, grown from PyYAML's events without its recursive composer."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from flows.frontmatter.block import Block
from flows.frontmatter.messages import make_note, show_key
from flows.frontmatter.types import (
    MAX_DEPTH,
    MAX_EXPANDED,
    MAX_NODES,
    KeyPath,
    Note,
    Plain,
    Reading,
    Value,
)
from flows.frontmatter.yaml_errors import INVISIBLE, begins_line, diagnose
from flows.frontmatter.yaml_types import CONSTRUCTORS, TAG, UNFIT, construct

_COMMENT = re.compile(r"[ \t]*#")
_LIST, _MAPPING = TAG + "seq", TAG + "map"


def _find_index(event: yaml.Event) -> int:
    return event.start_mark.index if event.start_mark else 0


def _is_same(one: Value, other: Value) -> bool:
    """Return whether two values are written alike: 1 and "1" are not, in lists either."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    return one == other


@dataclass(frozen=True, slots=True)
class _Repeated:
    """A key that appears twice: its first value, and where it does so."""

    key: str
    value: Value
    event: yaml.Event


@dataclass(slots=True, eq=False)
class _Open:
    """A list or mapping whose end has not come yet; `earlier` is what its next value repeats."""

    value: list[Value] | dict[str, Value]
    anchor: str | None
    size_before: int
    secured: bool
    key: str | None = None
    earlier: _Repeated | None = None
    merging: bool = False
    merged: tuple[Value, yaml.NodeEvent] | None = None


@dataclass(slots=True)
class _Anchored:
    """A value that aliases may repeat, with its size written out."""

    value: Value
    size: int
    secured: bool


class _Tree:
    """The value of one YAML document, grown event by event."""

    def __init__(self, block: Block, reading: Reading, notes: list[Note]) -> None:
        self.block = block
        self.reading = reading
        self.notes = notes
        # `! x` leaves no trace in its event, so the text itself is checked, if it has a `!` at all.
        self.may_hold_tags = "!" in block.text
        self.root: Value = Plain("")
        self.open: list[_Open] = []
        self.anchors: dict[str, _Anchored] = {}
        self.size = 0
        self.documents = 0

    def refuse(self, code: str, event: yaml.Event, **words: object) -> NoReturn:
        raise self.block.make_error(code, _find_index(event), **words)

    def start_document(self, event: yaml.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            self.refuse("several_documents", event)

    def take_scalar(self, event: yaml.ScalarEvent) -> None:
        text = event.value
        self.size += len(text) + 1
        if event.tag is not None or self.may_hold_tags:
            value = self.take_tagged(event)
        else:
            value = Plain(text) if event.implicit[0] else text
        if event.anchor is not None:
            self.remember(event.anchor, value, len(text) + 1, self.is_secured(), event)
        parent = self.open[-1] if self.open else None
        is_key = parent is not None and parent.key is None and type(parent.value) is dict
        if event.implicit[0]:
            self.check_plain(text, is_key, event)
        if parent is not None and is_key:
            self.take_key(parent, text, event.implicit[0] and text == "<<", event)
        else:
            self.place(value, event)

    def check_plain(self, text: str, is_key: bool, event: yaml.ScalarEvent) -> None:
        """Refuse what only looks indented, and note what YAML takes for something unexpected."""
        at = _find_index(event)
        if INVISIBLE.match(text) and (is_key or begins_line(self.block.text, at)):
            self.refuse("invisible_space", event, point=ord(text[0]))
        if is_key or self.is_secured():
            return
        if text == "=" or text.startswith("= "):
            self.remark("equals_sign", at)
        elif not text and _COMMENT.match(self.block.text, at):
            self.remark("comment_for_value", at)

    def remark(self, code: str, at: int) -> None:
        parent = self.open[-1] if self.open else None
        own = () if parent is None else (len(parent.value) if parent.key is None else parent.key,)
        key_path = (*self.find_key_path(), *own)
        self.notes.append(make_note(code, key_path, self.block.locate(at)[0]))

    def find_key_path(self) -> KeyPath:
        """Return what leads to the innermost list or mapping that is open."""
        return tuple(
            next(reversed(each.value)) if isinstance(each.value, dict) else len(each.value) - 1
            for each in self.open[:-1]
        )

    def take_tagged(self, event: yaml.ScalarEvent) -> Value:
        if event.tag in (None, "!"):
            if not self.block.text.startswith("!", _find_index(event)):
                return Plain(event.value) if event.implicit[0] else event.value
            # Ruby wrote `! 'text'` for years, which only says once more that a text is one.
            if not event.style:
                self.refuse("unsupported_tag", event)
            return str(event.value)
        if event.tag not in CONSTRUCTORS:
            self.refuse("unsupported_tag", event)
        try:
            return construct(event.tag, event.value)
        except UNFIT:
            self.refuse("bad_tagged_value", event)

    def take_key(self, parent: _Open, key: str, merging: bool, event: yaml.NodeEvent) -> None:
        if merging and parent.merged is not None:
            self.refuse_duplicate(key, event)
        if isinstance(parent.value, dict) and key in parent.value:
            parent.earlier = _Repeated(key, parent.value.pop(key), event)
        parent.key = key
        parent.merging = merging

    def refuse_duplicate(self, key: str, event: yaml.Event) -> NoReturn:
        before = self.block.text[: _find_index(event)]
        shown = show_key(key, before, self.reading.secret_keys)
        self.refuse("duplicate_key", event, key=shown)

    def compare(self, parent: _Open, value: Value) -> None:
        """Refuse the second value of a key, unless it is the first again or is to count."""
        if (earlier := parent.earlier) is None:
            return
        key, parent.earlier = earlier.key, None
        if not (_is_same(value, earlier.value) or self.reading.last_duplicate_counts):
            self.refuse_duplicate(key, earlier.event)
        if not self.is_secured() and not self.reading.is_secret(key):
            line = self.block.locate(_find_index(earlier.event))[0]
            self.notes.append(make_note("repeated_key", (*self.find_key_path(), key), line))

    def start(self, event: yaml.CollectionStartEvent) -> None:
        is_list = isinstance(event, yaml.SequenceStartEvent)
        value: list[Value] | dict[str, Value] = [] if is_list else {}
        if len(self.open) >= MAX_DEPTH:
            self.refuse("too_deep", event)
        if event.tag is not None and event.tag != (_LIST if is_list else _MAPPING):
            is_core = event.tag in CONSTRUCTORS or event.tag in (_LIST, _MAPPING)
            self.refuse("bad_tagged_value" if is_core else "unsupported_tag", event)
        if self.may_hold_tags and self.block.text.startswith("! ", _find_index(event)):
            self.refuse("unsupported_tag", event)
        secured = self.is_secured()
        self.place(value, event)
        self.size += 1
        if event.anchor is not None:
            self.remember(event.anchor, value, 0, secured, event)
        self.open.append(_Open(value, event.anchor, self.size, secured))

    def end(self, event: yaml.Event) -> None:
        done = self.open.pop()
        if done.merged is not None and isinstance(done.value, dict):
            self.merge(done.value, *done.merged)
        if done.anchor is not None:
            self.anchors[done.anchor].size = self.size - done.size_before + 1
        if self.open:
            self.compare(self.open[-1], done.value)

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

    def take_alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self.anchors:
            self.refuse("undefined_alias", event)
        anchored = self.anchors[event.anchor]
        if any(parent.value is anchored.value for parent in self.open):
            self.refuse("recursive_alias", event)
        if anchored.secured and not self.is_secured():
            self.refuse("secured_alias", event)
        self.size += anchored.size
        if self.size > MAX_EXPANDED:
            self.refuse("too_many_aliases", event)
        self.place(anchored.value, event)

    def remember(
        self, anchor: str, value: Value, size: int, secured: bool, event: yaml.Event
    ) -> None:
        if anchor in self.anchors:
            self.refuse("duplicate_anchor", event)
        self.anchors[anchor] = _Anchored(value, size, secured)

    def is_secured(self) -> bool:
        """Return whether the next value is below a secret key, at any depth."""
        parent = self.open[-1] if self.open else None
        return parent is not None and (
            parent.secured or (parent.key is not None and self.reading.is_secret(parent.key))
        )

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
            if not isinstance(event, yaml.CollectionStartEvent):
                self.compare(parent, value)  # A list or mapping is compared when it ends.


_HANDLERS: dict[type[yaml.Event], Callable[[_Tree, Any], None]] = {
    yaml.ScalarEvent: _Tree.take_scalar,
    yaml.AliasEvent: _Tree.take_alias,
    yaml.SequenceStartEvent: _Tree.start,
    yaml.SequenceEndEvent: _Tree.end,
    yaml.MappingStartEvent: _Tree.start,
    yaml.MappingEndEvent: _Tree.end,
    yaml.DocumentStartEvent: _Tree.start_document,
}


def read_yaml(block: Block, reading: Reading, notes: list[Note]) -> dict[str, Value]:
    """Read the fields of any YAML block, and note what is odd; raises BrokenFrontMatter."""
    if block.text.startswith("\ufeff"):  # libyaml would take a second mark for its own and skip it
        raise block.make_error("control_character", 0, point=0xFEFF)
    tree = _Tree(block, reading, notes)
    try:
        for count, event in enumerate(yaml.parse(block.text, Loader=yaml.CSafeLoader)):
            if handle := _HANDLERS.get(type(event)):
                handle(tree, event)
            if count > MAX_NODES:
                tree.refuse("too_many_nodes", event)
    except yaml.YAMLError as error:
        raise diagnose(block, error) from None
    if isinstance(tree.root, Plain) and "\uff1a" in tree.root.partition("\n")[0]:
        raise block.make_error("wide_colon", block.text.index("\uff1a"))
    return block.take_fields({} if tree.root == "" and type(tree.root) is Plain else tree.root)
