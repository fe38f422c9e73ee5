"""What a document says, so that one that says the same is known: most commits change nothing."""

from collections.abc import Hashable

from flows.frontmatter import Reading, Value, is_secret


def to_state(value: Value, reading: Reading) -> Hashable:
    """Return a value that is equal for equal fields, whatever is below their secret keys.

    Text with and without quotes differ, as 1, 1.0 and true do: a column may read each otherwise.
    """
    # Nearly all values are text, which is not worth a call for each.
    if isinstance(value, dict):
        return dict, tuple(
            [
                (key, type(item), item if isinstance(item, str) else to_state(item, reading))
                for key, item in value.items()
                if not is_secret(key, reading.secret_keys)
            ]
        )
    if isinstance(value, list):
        return list, tuple(
            [
                (type(item), item if isinstance(item, str) else to_state(item, reading))
                for item in value
            ]
        )
    return type(value), value if isinstance(value, str) else repr(value)
