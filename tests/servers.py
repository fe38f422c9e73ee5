"""Servers that tests start for themselves, on free ports of the loopback interface."""

import base64
import contextlib
import hmac
import itertools
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import boto3
import psycopg
import pytest

ROOT = Path(__file__).parent.parent
T = TypeVar("T")
# It only ends what would never end: a machine that does other things is many times slower.
PATIENCE_SECONDS = 600
# What makes an address hard to read, and easy to find where it must not be.
PASSWORD = "s3cr/t @:%"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def eventually(happens: Callable[[], T | None], what: str) -> T:
    """Wait until something is true and return it."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        with contextlib.suppress(OSError):
            if found := happens():
                return found
        time.sleep(0.1)
    pytest.fail(f"waited {PATIENCE_SECONDS} s for {what}")


@contextlib.contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] = os.environ
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command in the background and end it, by its own id, after the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the process listens on the port."""

    def is_open() -> bool:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        with socket.create_connection(("127.0.0.1", port)):
            return True

    eventually(is_open, f"a server on port {port}")


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
            # On a busy machine a publish that gives up in time may be woken a second too late.
            "deadlock_timeout": "20s",
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
            process.wait()


class Proxy:
    """A server in front of another one, which can be slow, end in the middle, and tell of both."""

    def __init__(self, behind: int) -> None:
        self.behind = behind
        self.requests: list[str] = []
        self.delay = 0.0
        # So many requests of `requests` are answered before the server is gone; None is for ever.
        self.lives: int | None = None
        # After so many pieces of an answer the server goes on listening, but says nothing more.
        self.answers: int | None = None
        self.before_request: Callable[[str], None] = lambda path: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            client,
            socket.create_connection(("127.0.0.1", self.behind)) as server,
        ):
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()
            while data := client.recv(1 << 16):
                for path in re.findall(rb"^(?:GET|PUT|HEAD) (\S+) HTTP", data, re.MULTILINE):
                    if self.lives is not None and len(self.requests) >= self.lives:
                        return
                    self.requests.append(path.decode())
                    self.before_request(path.decode())
                server.sendall(data)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for number in itertools.count():
                data = server.recv(1 << 16)
                if not data:
                    return
                time.sleep(self.delay)
                if self.answers is None or number < self.answers:
                    client.sendall(data)


@dataclass
class Bucket:
    """A bucket on a server of its own, written to directly and read through a proxy."""

    name: str
    client: Any
    proxy: Proxy

    @property
    def address(self) -> str:
        """The folder in it that tests write to."""
        return f"s3://{self.name}/content"

    def put(self, path: str, text: str | bytes) -> None:
        """Write an object below the folder."""
        data = text.encode() if isinstance(text, str) else text
        self.client.put_object(Bucket=self.name, Key=f"content/{path}", Body=data)

    def delete(self, path: str) -> None:
        """Remove an object."""
        self.client.delete_object(Bucket=self.name, Key=f"content/{path}")

    def read_objects(self) -> list[str]:
        """Return the objects that were asked for since the last call, without listings."""
        asked = [path for path in self.proxy.requests if "list-type=" not in path]
        self.proxy.requests.clear()
        return [path.partition("/content/")[2] for path in asked]


SECRET_KEY = "wJalrXUtnFEMIsecret"


@contextlib.contextmanager
def s3() -> Iterator[int]:
    """Run an S3 server that lists five objects a page, and give its port."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env={**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": "5"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process)
        yield port
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def bucket(port: int, name: str) -> Iterator[Bucket]:
    """Make a bucket, with a proxy whose address is in the environment while the block runs."""
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="AKIATEST",
        aws_secret_access_key=SECRET_KEY,
    )
    client.create_bucket(Bucket=name)
    proxy = Proxy(port)
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}",
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in environment.items():
            patch.setenv(variable, value)
        yield Bucket(name, client, proxy)
    proxy.close()


_AZURE_ACCOUNT = "devstoreaccount1"
# Everybody's: the emulator knows no other account, and no other key.
_AZURE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


@contextlib.contextmanager
def azure_container(name: str) -> Iterator[str]:
    """Run an emulator of Azure's blobs, and give the address of an empty container of it."""
    if (server := shutil.which("azurite-blob")) is None:
        pytest.skip("Azurite is not installed: npm install --global azurite")
    port = free_port()
    command = [server, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--silent"]
    command += ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        _make_container(f"http://127.0.0.1:{port}", name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AZURE_STORAGE_USE_EMULATOR", "true")
            patch.setenv("AZURITE_BLOB_STORAGE_URL", f"http://127.0.0.1:{port}")
            patch.setenv("AZURE_STORAGE_ACCOUNT_NAME", _AZURE_ACCOUNT)
            yield f"az://{name}"
    finally:
        process.kill()
        process.wait()


def _make_container(server: str, name: str) -> None:
    """Ask for a container with a signature of our own: obstore makes none."""
    sent = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    lines = [f"{key}:{value}" for key, value in sent.items()]
    lines += [f"/{_AZURE_ACCOUNT}/{_AZURE_ACCOUNT}/{name}", "restype:container"]
    signed = ("PUT" + "\n" * 12 + "\n".join(lines)).encode()
    digest = hmac.digest(base64.b64decode(_AZURE_KEY), signed, "sha256")
    signature = base64.b64encode(digest).decode()
    request = urllib.request.Request(
        f"{server}/{_AZURE_ACCOUNT}/{name}?restype=container",
        method="PUT",
        headers={**sent, "Authorization": f"SharedKey {_AZURE_ACCOUNT}:{signature}"},
    )
    urllib.request.urlopen(request).close()


def _is_user(name: str) -> bool:
    with contextlib.suppress(KeyError):
        pwd.getpwnam(name)
        return True
    return False


def _wait_for_sessions(address: str) -> None:
    """Wait until the server has started up: it listens a little earlier."""

    def lets_in() -> bool:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(address):
            return True
        return False

    eventually(lets_in, "PostgreSQL")
