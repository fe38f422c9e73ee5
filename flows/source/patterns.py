"""Which paths below a source are read: glob patterns as in a shell, and what is always ignored."""

import re
from collections.abc import Callable, Sequence

from flows import MatterhouseError

# Endings of what site generators read; a file without front matter is left out.
DEFAULT_PATTERNS = (
    *("*.md", "*.markdown", "*.mdx", "*.qmd", "*.html", "*.njk", "*.adoc", "*.txt"),
    *("*.yaml", "*.yml"),
)

_SIGN = re.compile(r"\\.|\*+|\?|\[[!^]?\]?[^]/]*\]|.", re.DOTALL)
_BRACES = re.compile(r"(.*?)(?<!\\)\{([^{}]*,[^{}]*)\}(.*)", re.DOTALL)


class PathFilter:
    """Accepts the paths that match a pattern, unless they are excluded, hidden or leftovers.

    A pattern with a / is held against the whole path, any other against the name; * stays within
    one folder, and **/ stands for any number of folders, none included. Case is ignored.
    An excluded folder is excluded with all that is in it. A hidden file is read if a pattern names
    it, dot included.
    """

    def __init__(
        self, patterns: Sequence[str] = DEFAULT_PATTERNS, exclude: Sequence[str] = ()
    ) -> None:
        # Plain names and endings are found in a third of the time that an expression takes.
        is_ending = re.compile(r"\*\.\w+", re.ASCII).fullmatch
        is_name = re.compile(r"[\w.-]+", re.ASCII).fullmatch
        self._endings = tuple(pattern[1:].lower() for pattern in patterns if is_ending(pattern))
        self._excluded = frozenset(pattern.lower() for pattern in exclude if is_name(pattern))
        others = [pattern for pattern in patterns if not is_ending(pattern)]
        self._matches = _compile(others, end=r"\Z", below=r"/.+")
        hidden = [pattern for pattern in others if pattern.rpartition("/")[2].startswith(".")]
        self._names_hidden = _compile(hidden, end=r"\Z", below=r"/.+")
        others = [pattern for pattern in exclude if not is_name(pattern)]
        self._is_excluded = _compile(others, end=r"(?:/|\Z)", below="/")

    def accepts(self, path: str) -> bool:
        """Return whether the file at this path is read."""
        folder, slash, name = path.rpartition("/")
        return self.accepts_in_folder(path, name) and (not slash or self.enters(f"{folder}/"))

    def accepts_in_folder(self, path: str, name: str) -> bool:
        """Return whether the file with this path and name is read if its folder is entered."""
        in_lower = name.lower()
        return (
            bool(in_lower.endswith(self._endings) or self._matches(path))
            and in_lower not in self._excluded
            and not (_is_leftover(name) and not self._names_hidden(path))
            and not self._is_excluded(path)
        )

    def enters(self, folder: str) -> bool:
        """Return whether the folder at this path, which ends with /, can hold files to read."""
        # Hidden folders hold tools' own files (.git alone can hold thousands).
        is_hidden = folder[0] == "." or "/." in folder
        is_named = not self._excluded.isdisjoint(folder.lower().split("/"))
        return not is_hidden and not is_named and not self._is_excluded(folder)


def _is_leftover(name: str) -> bool:
    """Return whether a file is hidden, or what an editor leaves beside the one it edits."""
    first, last = name[:1], name[-1:]
    if first not in ".~#" and last != "~":
        return False
    return first == "." or name.startswith("~$") or last == "~" or first == last == "#"


def _compile(patterns: Sequence[str], *, end: str, below: str) -> Callable[[str], object]:
    """Return what finds a path that one of the patterns matches.

    `end` has to follow a pattern, `below` one that ends with / or /**.
    """
    expressions = [
        _to_expression(plain, end, below)
        for pattern in patterns
        for plain in _expand_braces(pattern)
    ]
    if not expressions:
        return lambda path: None
    return re.compile("|".join(expressions), re.IGNORECASE | re.DOTALL).match


def _expand_braces(pattern: str) -> list[str]:
    """Write `*.{md,html}` as `*.md` and `*.html`."""
    if not (braces := _BRACES.fullmatch(pattern)):
        return [pattern]
    before, choices, after = braces.groups()
    return [
        plain
        for choice in choices.split(",")
        for plain in _expand_braces(f"{before}{choice}{after}")
    ]


def _to_expression(pattern: str, end: str, below: str) -> str:
    glob = pattern.removeprefix("./")
    if not glob.strip("/") or glob.startswith("!"):
        hint = "name what to leave out with --exclude" if glob else "write one such as *.md"
        raise MatterhouseError(f'the pattern "{pattern}" matches no file: {hint}')
    anchor = "" if "/" in glob.rstrip("/") else "(?:.*/)?"
    *folders, last = glob.strip("/").split("/")
    if is_folder := glob.endswith("/") or (last == "**" and bool(folders)):
        *folders, last = folders if last == "**" else (*folders, last)
    steps = ["(?:[^/]+/)*" if folder == "**" else f"{_to_segment(folder)}/" for folder in folders]
    expression = "".join((anchor, *steps, _to_segment(last), below if is_folder else end))
    try:
        re.compile(expression)
    except re.error as error:
        raise MatterhouseError(f'the pattern "{pattern}" is not a glob: {error.msg}') from error
    return expression


def _to_segment(glob: str) -> str:
    """Return the expression for one name of a path; no name is empty."""
    return "(?=[^/])" + "".join(map(_translate, _SIGN.findall(glob)))


def _translate(sign: str) -> str:
    if sign[0] == "*":
        return "[^/]*"
    if sign == "?":
        return "[^/]"
    if len(sign) > 2 and sign[0] == "[":
        negation = "^" if sign[1] in "!^" else ""
        letters = re.sub(r"([\\\[\]&~|^])", r"\\\1", sign[1 + len(negation) : -1])
        return f"(?!/)[{negation}{letters}]"
    return re.escape(sign[-1])
