"""What feeds no column, kept as JSON in `extra`; of payloads only the length is kept."""

import json
import math
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from flows.frontmatter import KeyPath, Plain, Reading, Value
from flows.normalize.convert import NULLS

# `json.dumps` makes an encoder for each call that asks for anything but the defaults.
_to_json = json.JSONEncoder(ensure_ascii=False).encode
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?")


@dataclass(frozen=True, slots=True)
class Kept:
    """What JSON can say of a value, which can be null."""

    value: Any


def prune(value: Value, path: KeyPath, taken: Set[KeyPath], reading: Reading) -> Kept | None:
    """Return what is left of a value; None for a secret, and where columns took all of it."""
    if path in taken or (isinstance(path[-1], str) and reading.is_secret(path[-1])):
        return None
    if not isinstance(value, dict | list):
        return Kept(_to_jsonable(value))
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    found = {
        step: left.value
        for step, item in steps
        if (left := prune(item, (*path, step), taken, reading))
    }
    if value and not found and any(each[: len(path)] == path for each in taken):
        return None
    return Kept(found if isinstance(value, dict) else list(found.values()))


def drop_secrets(fields: dict[str, Value], reading: Reading) -> dict[str, Value]:
    """Take out what is below secret keys."""
    return {
        key: _drop_secrets_below(value, reading)
        for key, value in fields.items()
        if not reading.is_secret(key)
    }


def _drop_secrets_below(value: Value, reading: Reading) -> Value:
    if isinstance(value, dict):
        return drop_secrets(value, reading)
    return (
        [_drop_secrets_below(item, reading) for item in value] if isinstance(value, list) else value
    )


def _to_jsonable(value: Value) -> Any:
    """Return what JSON can say of a value; what it would write in another way stays text."""
    if isinstance(value, Plain):
        return _as_typed(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, str | bool | int | dict | list):
        return value
    return value.isoformat()


def _as_typed(text: Plain) -> Any:
    """Keep what was typed: YAML 1.1 would read 12:30 as 750, NO as false and 1.10 as 1.1."""
    if text in NULLS:
        return None
    if text in ("true", "false") or _NUMBER.fullmatch(text):
        meant = json.loads(text)
        if json.dumps(meant) == text:
            return meant
    return str(text)


def as_json(extra: Mapping[str, Any]) -> str | None:
    """Write a mapping as JSON text; None when it is empty."""
    return _to_json(extra) if extra else None


def count_secured_chars(fields: Mapping[str, Value], secret: Set[str]) -> int | None:
    """Count the characters of payloads, however deep; None without one."""
    payloads = [fields[key] for key in secret if key in fields]
    return _count_chars(payloads) if payloads else None


def _count_chars(value: Value) -> int:
    if isinstance(value, dict):
        return sum(map(_count_chars, value.values()))
    if isinstance(value, list):
        return sum(map(_count_chars, value))
    return 0 if value is None else len(str(value))
