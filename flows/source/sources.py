"""Where content lies: a folder, a commit, a bucket or an archive, each listed and read alike.

A location is a Path, or the text of an address; only these travel to workers, never a client.
"""

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from flows import UsageError
from flows.source import archives, commit_tree, folder, objects
from flows.source.folder import Listing
from flows.source.patterns import PathFilter
from flows.source.read import Reader, read

Location: TypeAlias = Path | str
# What git clones, and the pages of repositories at hosts of many.
_REPOSITORY = re.compile(
    r"(?:git|ssh)://.+|(?!.*://)[\w.-]+@[\w.-]+:.+|https?://[^@?#]+\.git/?"
    r"|https?://(?:github\.com|gitlab\.com|codeberg\.org|bitbucket\.org)/[\w.-]+/[\w.-]+/?"
)


def parse(text: str) -> Location:
    """Return a typed or remembered source: what has a scheme is an address, all else a path."""
    # It is not quoted, since it may hold a password.
    if _REPOSITORY.fullmatch(text) and not Path(text).exists():
        raise UsageError(
            "this is the address of a repository: say `git clone ADDRESS FOLDER`, then"
            " `matterhouse build FOLDER`"
        )
    if "://" not in text:
        return Path(text)
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise UsageError(
            "the address of a source has brackets in its host: leave them out"
        ) from error
    if parts.scheme not in objects.SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in objects.SCHEMES)
        raise UsageError(f"{parts.scheme}:// is no source: say a folder, an archive, or {known}…")
    if parts.query or parts.fragment or "@" in parts.netloc:
        # It would be kept in receipts; and what is wrong with it is not quoted either.
        raise UsageError(
            "the address of a source can hold no password and no signature: keep credentials in"
            " the environment (AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS,"
            " AZURE_STORAGE_ACCOUNT_KEY, …)"
        )
    if not parts.netloc:
        raise UsageError(f"{text} names no bucket: say {parts.scheme}://BUCKET/FOLDER")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def absolute(source: Location) -> Location:
    """Return the source as it is named from anywhere."""
    if isinstance(source, str):
        return source
    return Path(os.path.abspath(source))  # noqa: PTH100 - Path.resolve would follow links


def is_folder(source: Location) -> bool:
    """Return whether a source is read file by file, as folders are."""
    return (
        isinstance(source, Path)
        and not archives.is_archive(source)
        and commit_tree.split_revision(source) is None
    )


def require(source: Location) -> None:
    """Stop at a path that leads nowhere; an address shows when it is listed."""
    if not isinstance(source, Path) or commit_tree.split_revision(source):
        return
    if not (archives.is_archive(source) and source.is_file()):
        folder.require_folder(source)


def walk(source: Location, chosen: PathFilter) -> Listing:
    """List everything in a source that is chosen, or fail: half a listing is none."""
    if archives.is_archive(source):
        return archives.walk(source, chosen)
    if isinstance(source, str):
        return objects.walk(source, chosen)
    if commit_tree.split_revision(source):
        return commit_tree.walk(source, chosen)
    return folder.walk(source, chosen)


def look_again(
    source: Location, chosen: PathFilter, first: Listing, missing: Sequence[str]
) -> Listing:
    """List once more, because files that were expected are missing."""
    if isinstance(source, Path) and is_folder(source):
        return folder.look_again(source, chosen, first, missing)
    return walk(source, chosen)


def open_reader(
    source: Location, paths: Sequence[str], marks: Mapping[str, str]
) -> AbstractContextManager[Reader]:
    """Open what reads these paths, each once and in order; `marks` are those of the listing."""
    if archives.is_archive(source):
        return nullcontext(archives.open_reader(source))
    if isinstance(source, str):
        return objects.open_reader(source, paths, marks)
    if commit_tree.split_revision(source):
        return nullcontext(commit_tree.make_reader(source, paths, marks))
    root = f"{source}/"
    return nullcontext(lambda path: read(root + path))
