"""Where in its block the value of a key stands, for the warnings about it."""

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import TypeAlias

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from flows.frontmatter.block import Block
from flows.frontmatter.types import KeyPath

_Keys: TypeAlias = dict[str | int, tuple[Node, Node]]


def find_in_yaml(block: Block, key_paths: Iterable[KeyPath]) -> list[int | None]:
    """Find the index of each value in a block that `read` has accepted."""
    # Since it has, the composer's recursion is bounded.
    root: Node | None = yaml.compose(block.text, Loader=yaml.CSafeLoader)
    keys = cache(_list_keys)
    return [_find(root, key_path, keys) for key_path in key_paths]


def _find(node: Node | None, key_path: KeyPath, keys: Callable[[MappingNode], _Keys]) -> int | None:
    for step in key_path:
        found = _step_down(node, step, keys)
        if found is None:
            return None
        key, node = found
        if isinstance(node, ScalarNode) and node.value == "":
            node = key
    return None if node is None else int(node.start_mark.index)


def _list_keys(node: MappingNode) -> _Keys:
    """Index a mapping of perhaps thousands of keys; of a repeated one the last value counts."""
    return {key.value: (key, value) for key, value in node.value if isinstance(key, ScalarNode)}


def _step_down(
    node: Node | None, step: str | int, keys: Callable[[MappingNode], _Keys]
) -> tuple[Node, Node] | None:
    """Find the key (or item) and value one step down; what << brings is at the <<."""
    if isinstance(node, SequenceNode):
        at = isinstance(step, int) and step < len(node.value)
        return (node.value[step], node.value[step]) if at else None
    if not isinstance(node, MappingNode):
        return None
    if found := keys(node).get(step):
        return found
    merge = keys(node).get("<<")
    return (merge[0], merge[0]) if merge else None


def find_key(block: Block, key_paths: Iterable[KeyPath]) -> list[int | None]:
    """Find the index of each key in a TOML or JSON block, by a search for its name."""
    return [_find_by_name(block, key_path) for key_path in key_paths]


def _find_by_name(block: Block, key_path: KeyPath) -> int | None:
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
