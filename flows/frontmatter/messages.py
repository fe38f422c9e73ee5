"""What can be wrong with front matter, in words for its author.

No sentence quotes the file: it could hold a secret.
"""

import re

from flows.frontmatter.types import SECRET_KEYS, KeyPath, Note

_SHOWABLE_KEY = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}\Z")


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


# Reason code → what is wrong, what to change.
MESSAGES: dict[str, tuple[str, str]] = {
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
    "comment_for_value": (
        "There is only a comment after the colon, so the field is empty.",
        "Put the value in double quotes if # is part of it.",
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
        "The key {key} appears twice in the same mapping, with two values.",
        "Keep one of the two: only one value can count.",
    ),
    "equals_sign": (
        "The value begins with =, which is part of the text in YAML.",
        "Write 'key: value' without =, or put the value in double quotes if = is meant.",
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
    "invisible_space": (
        "The line begins with an invisible character (U+{point:04X}) that is no space to YAML.",
        "Replace it with plain spaces; text copied from web pages often brings it.",
    ),
    "late_fence": (
        "The front matter does not begin on the first line of the file.",
        "Move what is above it into the body: several site generators do not see it here.",
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
    "repeated_key": (
        "The key appears twice in the same mapping.",
        "Remove one of the two: some site generators refuse the file.",
    ),
    "reserved_character": (
        "A value cannot begin with this character without quotes.",
        "Put the whole value in double quotes.",
    ),
    "secured_alias": (
        "An alias repeats, outside of a secret key, what stands below it.",
        "Write the value out here if it may be seen; else remove the alias.",
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
    "toml_text_after_quote": (
        "There is text after the closing quote of a value.",
        'Put the whole text in one pair of straight double quotes; a quote inside is \\".',
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
    "typographic_quotes": (
        "A value begins or ends with a typographic quote.",
        "Write straight double quotes around the text.",
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
    "wide_colon": (
        "The colon on this line is the full-width one (U+FF1A), which is no colon to YAML.",
        "Write a plain colon and a space after it.",
    ),
    "wrong_encoding": (
        "The file is not UTF-8{guess}.",
        "Save the file as UTF-8.",
    ),
}


def broken(code: str, line: int, column: int, **words: object) -> BrokenFrontMatter:
    """Make the error of this code for a place in the file."""
    message, hint = (part.format(**words) if words else part for part in MESSAGES[code])
    return BrokenFrontMatter(code, message, hint, line, column)


def note(code: str, key_path: KeyPath, line: int) -> Note:
    """Make the note of this code for a line of the file."""
    return Note(key_path, code, *MESSAGES[code], line)


def safe_key(key: str, text_before: str, secret_keys: frozenset[str] = SECRET_KEYS) -> str:
    """Name a key in a message, unless it may be a secret."""
    # Below or after a secret key, which escapes can spell, a piece of its value may pass for a key.
    before = text_before.casefold()
    hidden = "\\" in before or any(secret in before for secret in secret_keys)
    return f"'{key}'" if _SHOWABLE_KEY.match(key) and not hidden else "here"
