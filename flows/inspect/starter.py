"""A profile → a first matterhouse.yaml: what is mapped, and what is left, as comments to edit."""

import contextlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from flows import UsageError, frontmatter
from flows.config import FILE_NAME, Config, find_file
from flows.config.reader import Source
from flows.inspect.profile import KeyProfile
from flows.pipeline.scope import Scope
from flows.source import sources
from flows.source.folder import Listing
from flows.words import escape_control, spell

# Below this share of the articles a column is as good as empty, and a key no remedy.
_FEW = 0.5
_SHOWN_KEYS = 20
_DATE_IN_TEXT = r"(\d{4}[-/]\d\d?[-/]\d\d?)"
_AUTHOR = re.compile(r"author(?:_?name|\.name)?$", re.IGNORECASE)
_AUTHORS_FILE = re.compile(r"(?:.*/)?authors\.ya?ml")
# Jekyll, Hugo, Hexo, Pelican, Nikola.
_SITE_FILES = (
    *("_config.yml", "hugo.toml", "hugo.yaml", "hugo.yml", "config.toml", "config.yaml"),
    *("config/_default/hugo.toml", "config/_default/config.toml", "pelicanconf.py", "conf.py"),
)
_TIME_ZONE = re.compile(r"""^\s*timezone\s*[:=]\s*["']?([A-Za-z_]+(?:/[\w+-]+)*)""", re.I | re.M)
_PLAIN_KEY = re.compile(r"[A-Za-z_][\w.-]*")
_HEAD = """\
# What the keys of this folder mean to matterhouse, written from {files}. Edit it as you
# like: a change makes the next build read every file again. All settings: docs/front-matter.md
"""
_TAIL = """
# patterns: ["*.md"]          # files to read
# exclude: [old/]             # files and folders to leave out
# articles: [team/]           # articles where others keep none, as in layouts, people, tags
# timezone: Europe/Berlin     # where days begin, and dates without a zone are; else UTC
# split: {author: ","}        # keys whose text holds several values
# secret: [token]             # beside `secured` and `password`: never leaves the file
# collections: {_posts: blog} # what a folder is, instead of its name
# dates: {earliest: 1850-01-01} # plausible dates; else from 1900 to a year ahead
# duplicate_keys: last        # else a key that appears with two values is quarantined
"""


def write(scope: Scope, named: Path | None, keys: Sequence[KeyProfile], files: int) -> Path:
    """Write a first configuration beside the content, or to the file named; return its path."""
    if named is None and not sources.is_folder(scope.source):
        raise UsageError(
            f"{scope.source} is no folder that a {FILE_NAME} could lie in: name a file with"
            " --config, here and when you build"
        )
    path = named or find_file(scope.source) or Path(scope.source) / FILE_NAME
    author_files = find_author_files(scope, sources.walk(scope.source, scope.chosen))
    text = compose(scope.mapping, keys, files, author_files, find_time_zone(Path(scope.source)))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already: edit it, or name another --config") from None
    return path


def find_author_files(scope: Scope, listing: Listing) -> list[str]:
    """Return the data files that give the ids of authors their names."""
    found = [path for path in sorted(listing.paths) if _AUTHORS_FILE.fullmatch(path)]
    return [path for path in found if _is_of_authors(Path(scope.source) / path)]


def find_time_zone(source: Path) -> str:
    """Return the time zone that the site's own configuration names, here or above, else ""."""
    for file in (folder / name for folder in (source, source.parent) for name in _SITE_FILES):
        with contextlib.suppress(OSError, UnicodeError, LookupError, ValueError):
            if named := _TIME_ZONE.search(file.read_text(encoding="utf-8")):
                return ZoneInfo(named[1]).key
    return ""


def _is_of_authors(file: Path) -> bool:
    try:
        read = frontmatter.read(file.read_bytes(), whole_file=True)
    except (OSError, frontmatter.BrokenFrontMatter):
        return False
    entries = [*read.fields.values()] if read else []
    return bool(entries) and all(isinstance(each, dict) and "name" in each for each in entries)


def compose(
    mapping: Config,
    keys: Sequence[KeyProfile],
    files: int,
    author_files: Sequence[str] = (),
    time_zone: str = "",
) -> str:
    """Return the text of a configuration that changes only what the files leave empty."""
    articles = [key for key in keys if key.kind == "article"]
    count = max((key.present for key in articles if "." not in key.key), default=0)
    feeding: dict[str, list[str]] = defaultdict(list)
    fed: dict[str, int] = defaultdict(int)
    for key in articles:
        for column, times in key.feeds.items():
            feeding[column].append(f"{key.key} {times:,}")
            fed[column] += times
    mapped = [f"# {column}: {', '.join(keys)}" for column, keys in feeding.items()]
    remedies = _find_remedies(mapping.columns, articles, fed, count)
    rows = [
        line
        for column, sources in remedies.items()
        for line in (f"  {column}:", *(f"    - {_write_source(source)}" for source in sources))
    ]
    left = [
        key
        for key in sorted(articles, key=lambda key: -key.present)
        if not (key.feeds or "mapping" in key.types or key.key.endswith("[]"))
    ]
    return "\n".join(
        (
            _HEAD.format(files=spell(files, "file")),
            "# What feeds each column, in how many files:",
            *map(escape_control, mapped),
            "",
            *(("columns:", *rows) if rows else ("# columns:", "#   title: [title, headline]")),
            "",
            *_write_terms(author_files),
            *((f"timezone: {time_zone}  # as the site has it", "") if time_zone else ()),
            "# Keys that feed no column:",
            *(f"# {json.dumps(key.key)} in {key.shown_share}" for key in left[:_SHOWN_KEYS]),
            _TAIL,
        )
    )


def _write_terms(author_files: Sequence[str]) -> list[str]:
    if not author_files:
        return []
    rows = [f"  - {{files: {json.dumps(path)}, kind: organization}}" for path in author_files]
    return ["# Where the ids of authors get their names:", "terms:", *rows, ""]


def _find_remedies(
    columns: Mapping[str, tuple[Source, ...]],
    keys: Sequence[KeyProfile],
    fed: Mapping[str, int],
    count: int,
) -> dict[str, list[Source]]:
    """Return rows for columns that few files fill, with the keys that most files have for them."""
    wanted: dict[str, Callable[[KeyProfile], bool]] = {
        "title": lambda key: "text" in key.types and key.key.casefold().endswith("title"),
        "published_at": lambda key: "date" in key.types or key.dated >= _FEW * count,
        "provider_name": lambda key: "text" in key.types and bool(_AUTHOR.search(key.key)),
        "topics": lambda key: (
            "list" in key.types and key.key.casefold().endswith(("tags", "topics"))
        ),
    }
    found = {}
    for column, fits in wanted.items():
        if not count or fed.get(column, 0) >= _FEW * count:
            continue
        more = [
            _to_source(column, key)
            for key in keys
            if not key.feeds and "[]" not in key.key and key.present >= _FEW * count and fits(key)
        ]
        if more:
            found[column] = [*columns[column], *more]
    return found


def _to_source(column: str, key: KeyProfile) -> Source:
    """Return a key as a source; of a text that only holds a date, the date."""
    is_inside = column == "published_at" and "date" not in key.types
    match = re.compile(_DATE_IN_TEXT) if is_inside else None
    return Source("key", key.key, tuple(key.key.split(".")), match=match)


def _write_source(source: Source) -> str:
    """Write a source as matterhouse.yaml has it."""
    name = ".".join(source.path)
    options = {
        "match": source.match.pattern if source.match else None,
        "split": source.split,
        "unless": source.unless,
    }
    set_ones = [f"{option}: {json.dumps(value)}" for option, value in options.items() if value]
    if source.form == "constant":
        return json.dumps({"constant": str(source.constant)})
    quoted = name if _PLAIN_KEY.fullmatch(name) else json.dumps(name)
    if source.form == "key" and not set_ones:
        return quoted
    return f"{{{', '.join((f'{source.form}: {quoted}', *set_ones))}}}"
