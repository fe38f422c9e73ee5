"""One transaction in the database of an address that may hold a password, which nobody sees."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict

from flows import MatterhouseError, UsageError
from flows.reports.postgres import NO_ADDRESS
from flows.warehouse.lock import Locked

_LOCK = 0x6D617474  # One publish at a time in a database; any number that others do not take.
_CONNECT_SECONDS = 15
# The largest table is deleted, or a buffer of its rows taken, in far less.
SILENCE_SECONDS = 300.0
# Somebody who makes an index on a large table is waited for.
LOCK_TIMEOUT = "set local lock_timeout = '2min'"
_SETTINGS = f"""
    {LOCK_TIMEOUT};
    set local statement_timeout = 0;
    set local idle_in_transaction_session_timeout = 0;
    -- Names that PostgreSQL gives us then carry their schema.
    set local search_path = pg_catalog;
    set local client_min_messages = error;
    -- Rows that a policy hides from us would stay: an error is better.
    set local row_security = off;
"""


class DatabaseRefuses(MatterhouseError):
    """PostgreSQL cannot be reached, or refuses a statement; what was published stays."""


class _Session(psycopg.Connection[tuple[object, ...]]):
    """A session that ends when its server says nothing for minutes."""

    is_silent = False

    def wait(self, gen: PQGen[RV], *given: Any, **options: Any) -> RV:
        """Wait for an answer, which no limit of the server's own can promise."""
        timer = threading.Timer(SILENCE_SECONDS, self._hang_up)
        timer.daemon = True
        timer.start()
        try:
            return super().wait(gen, *given, **options)
        finally:
            timer.cancel()

    def _hang_up(self) -> None:
        self.is_silent = True
        with socket.socket(fileno=os.dup(self.fileno())) as connection:
            connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def open_transaction(url: str) -> Iterator[psycopg.Connection]:
    """Open a transaction, one of us at a time; it is committed when the block ends well."""
    asked = _parse(url)
    session = None
    try:
        with _Session.connect(
            url,
            connect_timeout=asked.get("connect_timeout", _CONNECT_SECONDS),
            # What we send is UTF-8, whatever environment, role and database prefer.
            client_encoding="UTF8",
            # Poolers hand statements of one session to several.
            prepare_threshold=None,
        ) as session:
            session.execute(_SETTINGS)
            locked = session.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK])
            if locked.fetchone() != (True,):
                raise Locked(f"another publish is at work on {show_address(url)}")
            yield session
    except psycopg.Error as error:
        words = explain(error)
        if session and session.is_silent:
            words = f"the server has said nothing for {SILENCE_SECONDS / 60:.0f} minutes"
        password = asked.get("password", "")
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


def explain(error: psycopg.Error) -> str:
    """Return the cause in one line; other details could quote rows."""
    if isinstance(
        error, psycopg.errors.DependentObjectsStillExist | psycopg.errors.FeatureNotSupported
    ):
        depends = "; ".join((error.diag.message_detail or "").splitlines())
        return f"{error.diag.message_primary} ({depends}): drop that, publish, and make it again"
    lines = str(error.diag.message_primary or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
