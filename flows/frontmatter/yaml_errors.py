"""What PyYAML stumbled over, in our own words: its own quote the file."""

import re

import yaml

from flows.frontmatter.block import Block
from flows.frontmatter.messages import BrokenFrontMatter

_CONTROL = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
# Spaces that are none to YAML, and what has no width at all.
INVISIBLE = re.compile("[\u00a0\u1680\u180e\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff]")
_INVISIBLE_INDENT = re.compile(rf"[ \t-]*({INVISIBLE.pattern})")
_BEFORE_VALUE = r"[ ]*(?:-[ ]+)*(?:\"[^\"\r\n]*\"[ ]*|'[^'\r\n]*'[ ]*|[^\s#:\"'][^:\r\n]*):"
_KEY = re.compile(_BEFORE_VALUE + r"(?:[ \t]+(?P<value>[^\s#].*)|[ \t]*(?:#.*)?\Z)", re.DOTALL)
_LINE = re.compile(r"[^\r\n]+")
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


def diagnose(block: Block, error: yaml.YAMLError) -> BrokenFrontMatter:
    """Say in our own words what PyYAML stumbled over."""
    if control := _CONTROL.search(block.text):
        return block.make_error("control_character", control.start(), point=ord(control[0]))
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return block.make_error("invalid_yaml", 0)
    context, problem = error.context or "", error.problem or ""
    at = error.problem_mark.index
    opened = error.context_mark.index if error.context_mark else at
    for index in (opened, at):
        if hidden := _INVISIBLE_INDENT.match(block.text, _find_line_start(block.text, index)):
            return block.make_error("invisible_space", hidden.start(1), point=ord(hidden[1]))
    for causes, index in ((_AT_OPENING, opened), (_CAUSES, at)):
        for in_context, in_problem, code in causes:
            if in_context in context and in_problem in problem:
                return block.make_error(code, index)
    if "simple key" in context:
        at = opened
    code, at = _diagnose_line(block.text, at, context, problem)
    if code == "missing_colon":
        line = _LINE.match(block.text, _find_line_start(block.text, at))
        if line and (wide := line[0].find("\uff1a")) >= 0:
            return block.make_error("wide_colon", line.start() + wide)
    return block.make_error(code, at)


def begins_line(text: str, at: int) -> bool:
    """Return whether nothing but spaces stands before this place on its line."""
    return not text[_find_line_start(text, at) : at].strip(" ")


def _find_line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def _diagnose_line(text: str, at: int, context: str, problem: str) -> tuple[str, int]:
    """Tell apart the faults that libyaml reports as one: a line that does not fit."""
    start = _find_line_start(text, at)
    line = re.split(r"[\r\n]", text[start:], maxsplit=1)[0]
    indent = start + len(line) - len(line.lstrip())
    if quote := _find_quote_before(text, at):
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
        bare = _find_missing_colon(text, start)
        return ("missing_colon", bare) if bare is not None else ("bad_indentation", indent)
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


def _find_missing_colon(text: str, end: int) -> int | None:
    """Find the line before `end` that lacks its colon, unless it continues a value above."""
    found = None
    for line in reversed(list(_LINE.finditer(text, 0, end))):
        if not line[0].strip() or line[0].lstrip().startswith("#"):
            continue
        if key := _KEY.match(line[0]):
            return found if not key["value"] else None
        found = line.end() - len(line[0].lstrip())
    return found


def _find_quote_before(text: str, at: int) -> tuple[str, int] | None:
    """Find the quoted value that ends on the faulty line, just before the fault."""
    for quote in _QUOTE.finditer(text, 0, at):
        if "\n" not in text[quote.end() : at] and "\r" not in text[quote.end() : at]:
            several_lines = "\n" in quote[1] or "\r" in quote[1]
            if several_lines:
                return "unclosed_quote", quote.start(1)
            return "text_after_quote", quote.end()
    return None
