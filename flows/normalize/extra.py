"""Keys without a column, kept as JSON in `extra`; of payloads only the length is kept."""

import json
import math
import re
from collections.abc import Mapping, Set
from typing import Any

from flows.frontmatter import Plain, Value, is_secret
from flows.normalize.convert import NULLS

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?")


def unknown_keys(fields: Mapping[str, Value], known: Set[str]) -> dict[str, Any]:
    """Return what JSON can say of the keys that are not known, payloads left out."""
    if fields.keys() <= known:
        return {}
    return {
        key: _jsonable(fields[key]) for key in fields if key not in known and not is_secret(key)
    }


def _jsonable(value: Value) -> Any:
    """Return what JSON can say of a value; what it would write in another way stays text."""
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items() if not is_secret(key)}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    if isinstance(value, Plain):
        return _as_typed(value)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
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


def as_json(extra: dict[str, Any]) -> str | None:
    """Write keys without a column as JSON text; None when there are none."""
    return json.dumps(extra, ensure_ascii=False) if extra else None


def secured_chars(fields: Mapping[str, Value], known: Set[str]) -> int | None:
    """Count the characters of payloads, however deep; None without one. No `known` key is one."""
    # Taking the known keys out first costs far less than folding the spelling of each.
    payloads = [fields[key] for key in fields.keys() - known if is_secret(key)]
    return _chars(payloads) if payloads else None


def _chars(value: Value) -> int:
    if isinstance(value, dict):
        return sum(map(_chars, value.values()))
    if isinstance(value, list):
        return sum(map(_chars, value))
    return 0 if value is None else len(str(value))
