"""One transaction in the database of an address that may hold a password, which nobody sees."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict

from flows import MatterhouseError, UsageError
from flows.reports.postgres import NO_ADDRESS
from flows.warehouse.lock import Locked

_LOCK = 0x6D617474  # One publish at a time in a database; any number that others do not take.
_SETTINGS = """
    set local lock_timeout = 0;
    set local statement_timeout = 0;
    set local idle_in_transaction_session_timeout = 0;
    -- Names in the statements that PostgreSQL gives us then carry their schema.
    set local search_path = pg_catalog;
    set local client_min_messages = error;
"""


class DatabaseRefuses(MatterhouseError):
    """PostgreSQL cannot be reached, or refuses a statement; what was published stays."""


@contextmanager
def open_transaction(url: str) -> Iterator[psycopg.Connection]:
    """Open a transaction, one of us at a time; it is committed when the block ends well."""
    password = _parse(url).get("password", "")
    try:
        with psycopg.connect(url) as session:
            session.execute(_SETTINGS)
            asked = session.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK])
            if asked.fetchone() != (True,):
                raise Locked(f"another publish is at work on {show_address(url)}")
            yield session
    except psycopg.Error as error:
        words = _explain(error)
        words = words.replace(password, "***") if password else words
        raise DatabaseRefuses(f"{show_address(url)}: {words}") from None


def show_address(url: str) -> str:
    """Return the address as it may be shown: without the user and the password."""
    parts = _parse(url)
    port = f":{parts['port']}" if parts.get("port") else ""
    database = parts.get("dbname") or parts.get("user") or ""
    return f"postgresql://{parts.get('host', '')}{port}/{database}"


def _parse(url: str) -> dict[str, str]:
    try:
        return {name: str(part) for name, part in conninfo_to_dict(url).items()}
    except psycopg.Error:
        # What is wrong is not said: the words could quote the password.
        raise UsageError(NO_ADDRESS) from None


def _explain(error: psycopg.Error) -> str:
    """Return the cause in one line; other details could quote rows."""
    if isinstance(error, psycopg.errors.DependentObjectsStillExist):
        depends = "; ".join(str(error.diag.message_detail).splitlines())
        return f"{error.diag.message_primary} ({depends}): drop that, publish, and make it again"
    lines = str(error.diag.message_primary or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
