"""Keys without a column, kept as JSON in `extra`; of payloads only the length is kept."""

import json
import math
from collections.abc import Mapping, Set
from typing import Any

from flows import frontmatter
from flows.frontmatter import Plain, Value, is_secret


def unknown_keys(fields: Mapping[str, Value], known: Set[str]) -> dict[str, Any]:
    """Return what JSON can say of the keys that are not known, payloads left out."""
    if fields.keys() <= known:
        return {}
    return {
        key: _jsonable(fields[key]) for key in fields if key not in known and not is_secret(key)
    }


def _jsonable(value: Value) -> Any:
    """Return what JSON can say of a value; dates stay the text the author typed."""
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items() if not is_secret(key)}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    meant = frontmatter.typed(value) if isinstance(value, Plain) else value
    if meant is None or isinstance(meant, bool | int):
        return meant
    if isinstance(meant, float) and math.isfinite(meant):
        return meant
    return str(value) if isinstance(value, str | float) else str(meant)


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
