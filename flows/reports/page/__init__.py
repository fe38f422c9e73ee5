"""One page with pictures: the warehouse as an editor reads it, in one file that opens anywhere."""

from pathlib import Path

from flows.reports.output import NotOursToReplace, require_place

# Near its beginning, this tells a page from any other file.
_MADE_BY, _HEAD = b'<meta name="generator" content="matterhouse">', 1000


def require_replaceable(file: Path) -> None:
    """Stop at a place where no page can be written, or where somebody else's file is."""
    require_place(file)
    if file.is_file():
        with file.open("rb") as found:
            head = found.read(_HEAD)
            # A power failure can leave an empty one.
            if head.strip(b"\0") and _MADE_BY not in head:
                raise NotOursToReplace(
                    f"{file} is no page of matterhouse: move it away, or name another file"
                )
