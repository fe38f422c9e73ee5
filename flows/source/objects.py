"""Objects below an address of a bucket → their listing and their bytes.

Credentials come from the environment, where the provider's own tools look for them.
"""

import hashlib
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from flows import MatterhouseError, UsageError
from flows.source import time_limit
from flows.source.folder import Listing, SourceUnreadable
from flows.source.patterns import PathFilter
from flows.source.read import MAX_FILE_BYTES, Read, Reader, Signature, Unreadable, from_bytes

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES = ("s3", "gs", "az", "https", "http")
# Requests wait for the network: as many at once as a bucket likes to serve to one client.
_THREADS = 16
_AHEAD = 2 * _THREADS
_PAGE = 1000
_RETRIES: Any = {"max_retries": 5, "retry_timeout": timedelta(minutes=2)}
_CLIENT: Any = {"connect_timeout": "10s", "timeout": "60s", "allow_http": True}
_CODE = re.compile(r"<Code>(\w+)</Code>")
_BAD_PATH = re.compile(r'Path "((?:[^"\\]|\\.)*)"')
_STATUS = re.compile(r"status code: (\d{3}[\w ]*)")
# What servers say of a request that they do not know, and of credentials that are not enough.
_UNKNOWN, _DENIED = ("405", "501"), ("401", "403")
_NO_ACCOUNT = "Account must be specified"


def walk(address: str, chosen: PathFilter) -> Listing:
    """List the objects below an address that are chosen, or fail as a whole."""
    found: dict[str, str] = {}
    ignored = 0
    try:
        for page in open_store(address).list(chunk_size=_PAGE):
            for meta in page:
                # Names that end in a slash stand for folders.
                if meta["path"] and chosen.accepts(meta["path"]):
                    found[meta["path"]] = mark(meta)
                else:
                    ignored += 1
    except Exception as error:
        fail(address, error)
    return Listing(list(found), list(found.values()), {}, ignored)


def mark(meta: Mapping[str, Any]) -> str:
    """Return what tells whether an object's bytes may have changed: size, ETag and time.

    The time is in whole seconds, because answers to reading give no more.
    """
    return f"{meta['size']} {meta['e_tag'] or ''} {meta['last_modified'].timestamp():.0f}"


@contextmanager
def open_reader(address: str, paths: Sequence[str], marks: Mapping[str, str]) -> Iterator[Reader]:
    """Give what reads the objects in their order, with some threads that read ahead."""
    store = open_store(address)
    waiting = iter(paths)
    ahead: deque[Future[Read]] = deque()
    pool = ThreadPoolExecutor(_THREADS)

    def submit(count: int) -> None:
        for path in islice(waiting, count):
            ahead.append(pool.submit(_read, store, path, marks.get(path)))

    def read(_: str) -> Read:
        future = ahead.popleft()
        submit(1)
        # The file's second does not run while the network is waited for.
        with time_limit.pause():
            try:
                return future.result()
            except Unreadable:
                raise
            except Exception as error:
                fail(address, error)

    try:
        submit(_AHEAD)
        yield read
    finally:
        pool.shutdown(cancel_futures=True)


def _read(store: "ObjectStore", path: str, listed: str | None) -> Read:
    """Return an object's bytes; those of the listing have its mark, later ones have none."""
    from obstore.exceptions import PreconditionError

    e_tag = listed.split(" ")[1] if listed else ""
    try:
        try:
            found = store.get(path, options={"if_match": e_tag} if e_tag else {})
        except PreconditionError:
            found, listed = store.get(path), None
    except FileNotFoundError as error:
        raise Unreadable(
            "missed",
            "vanished",
            "The object vanished while the source was read.",
            "Nothing to do: the next run counts it as gone, or loads it if it is back.",
        ) from error
    size = found.meta["size"]
    if size > MAX_FILE_BYTES:
        # Not worth the transfer: the bucket's metadata stand in for its bytes.
        digest = hashlib.blake2b(mark(found.meta).encode(), digest_size=16).hexdigest()
        return None, digest, Signature(size, listed)
    data, content_hash, _ = from_bytes(bytes(found.bytes()))
    return data, content_hash, Signature(size, listed)


def open_store(address: str) -> "ObjectStore":
    """Return the client of a bucket for what lies below an address."""
    try:
        from obstore.store import from_url
    except ImportError as error:
        raise UsageError("addresses are an extra: pip install 'matterhouse[cloud]'") from error
    try:
        return from_url(address, retry_config=_RETRIES, client_options=_CLIENT)
    except Exception as error:
        fail(address, error)


def fail(address: str, error: Exception) -> NoReturn:
    """Raise what went wrong in our words: those of the bucket can quote keys and signatures."""
    if isinstance(error, MatterhouseError):
        raise error
    from obstore.exceptions import (
        BaseError,
        InvalidPathError,
        NotSupportedError,
        PermissionDeniedError,
        UnauthenticatedError,
    )

    if not isinstance(error, BaseError | OSError):
        raise error
    said = str(error)
    denied = "access is denied: look at the credentials in the environment"
    unknown = "it is no bucket, and cannot be listed or written to: name one, or an archive there"
    code = next((found[1] for found in (_CODE.search(said), _STATUS.search(said)) if found), None)
    match error:
        case PermissionDeniedError() | UnauthenticatedError():
            reason = denied
        case InvalidPathError():
            named = _BAD_PATH.search(said)
            reason = (
                f"{named[1] if named else 'an object'} is a name that is no path, and the bucket"
                " cannot be listed past it: rename that object, or build from a folder without it"
            )
        case NotSupportedError():
            reason = unknown
        case FileNotFoundError():
            reason = "it is not there"
        case _ if _NO_ACCOUNT in said:
            reason = "its account is not known: set AZURE_STORAGE_ACCOUNT_NAME"
        case _ if code:
            known = {**dict.fromkeys(_DENIED, denied), **dict.fromkeys(_UNKNOWN, unknown)}
            reason = known.get(code[:3], "it answers with an error")
        case _:
            reason = "it does not answer"
    raise SourceUnreadable(
        f"{address}: {reason}{f' ({code})' if code else ''}; nothing was changed"
    ) from None
