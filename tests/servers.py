"""Servers that tests start for themselves, on free ports of the loopback interface."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

# What makes an address hard to read, and easy to find where it must not be.
PASSWORD = "s3cr/t @:%"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the process listens on the port."""
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        assert process.poll() is None, f"the server ended with {process.returncode}"
        time.sleep(0.1)
    raise AssertionError(f"nobody listens on port {port} after a minute")


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL server and give the address of its first database, password included."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    server = shutil.which("postgres") or (str(installed[-1]) if installed else None)
    if server is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # It refuses to run as root; and whom it runs as cannot enter pytest's own folders.
    user = next(name for name in ("postgres", "nobody") if _is_user(name))
    as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        if as_user:
            shutil.chown(folder, user)
            shutil.chown(folder / "password", user)
        port = free_port()
        initialise = [
            str(Path(server).with_name("initdb")), "--pgdata", folder / "data", "--username=owner",
            "--auth=scram-sha-256", "--pwfile", folder / "password", "--no-sync", "--encoding=UTF8",
            "--locale=C",
        ]  # fmt: skip
        subprocess.run(initialise, check=True, capture_output=True, cwd=folder, **as_user)
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "logging_collector": "off",
        }
        command = [server, "-D", folder / "data", "-p", str(port)]
        for option, value in options.items():
            command += ["-c", f"{option}={value}"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **as_user)
        try:
            wait_for_port(port, process)
            address = f"postgresql://owner:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres"
            _wait_for_sessions(address)
            yield address
        finally:
            # At once: nobody needs its data any more.
            process.send_signal(signal.SIGQUIT)
            process.wait(60)


def _is_user(name: str) -> bool:
    with contextlib.suppress(KeyError):
        pwd.getpwnam(name)
        return True
    return False


def _wait_for_sessions(address: str) -> None:
    """Wait until the server has started up: it listens a little earlier."""
    for _ in range(600):
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(address):
            return
        time.sleep(0.1)
    raise AssertionError("PostgreSQL lets nobody in")
