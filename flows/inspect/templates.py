"""The folders of a source whose front matter waits to be filled in: archetypes, scaffolds."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from flows.source import sources
from flows.source.folder import Listing
from flows.source.read import Unreadable
from flows.source.sources import Location

_FRONT_MATTER = re.compile(rb"\s*(---|\+\+\+)[ \t]*\r?\n(.*?)^\1", re.DOTALL | re.MULTILINE)
# A value that begins with a tag of a template: {{ .Date }}, {% now %}, <% tp.date.now() %>.
_TAG = re.compile(
    rb"""^[ \t-]*["']?[\w.-]+["']?[ \t]*[:=][ \t]*["']?(?:\{\{|\{%|<%)""", re.MULTILINE
)
_GLOB_SIGNS = frozenset("*?[]{}\\")


def find_template_folders(source: Location, listing: Listing) -> list[str]:
    """Return the outermost folders in which most front matter holds tags of a template."""
    with_tags: Counter[PurePosixPath] = Counter()
    without: Counter[PurePosixPath] = Counter()
    for path, front_matter in _read_front_matter(source, listing):
        counts = with_tags if _TAG.search(front_matter) else without
        counts[PurePosixPath(path).parent] += 1
    full = {folder for folder in with_tags if with_tags[folder] > without[folder]}
    full -= {PurePosixPath(".")}
    outermost = [folder for folder in sorted(full) if full.isdisjoint(folder.parents)]
    return [f"{folder}/" for folder in outermost if _GLOB_SIGNS.isdisjoint(str(folder))]


def _read_front_matter(source: Location, listing: Listing) -> Iterator[tuple[str, bytes]]:
    """Yield what stands between the fences of each file, whether it can be read or not."""
    marks = dict(zip(listing.paths, listing.marks, strict=True))
    paths = [path for path in sorted(listing.paths) if path not in listing.faults]
    with sources.open_reader(source, paths, marks) as read:
        for path in paths:
            try:
                data, *_ = read(path)
            except Unreadable:
                continue
            if found := _FRONT_MATTER.match(data or b""):
                yield path, found[2]
