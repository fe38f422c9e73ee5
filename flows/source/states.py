"""What a document says, to know one that says the same: most commits only rewrite a signature."""

from collections.abc import Hashable

from flows.frontmatter import Reading, Value


def state(fields: Value, reading: Reading) -> Hashable:
    """Return a value that is equal for equal fields, whatever is below their secret keys.

    Text with and without quotes differ, as 1, 1.0 and true do: a column may read each otherwise.
    """
    if isinstance(fields, dict):
        open_keys = (key for key in fields if not reading.is_secret(key))
        return (dict, *((key, state(fields[key], reading)) for key in open_keys))
    if isinstance(fields, list):
        return (list, *(state(item, reading) for item in fields))
    return type(fields), fields if isinstance(fields, str) else repr(fields)
