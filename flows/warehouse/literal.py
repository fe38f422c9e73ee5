"""Text as a literal of SQL, where no parameter can stand: attach, copy, set, comment."""


def sql_literal(text: object) -> str:
    """Return the text, or the path, between quotes."""
    return "'" + str(text).replace("'", "''") + "'"
