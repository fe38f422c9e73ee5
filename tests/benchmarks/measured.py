"""One measured run in a process of its own: does the work, then prints what it used as JSON."""

import contextlib
import io
import json
import resource
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks import floor, peers, reports

MIB = 1024  # the kernel counts peaks in KiB


def main(kind: str, *arguments: str) -> None:
    """Do one piece of work and print its peaks (MiB), and seconds per stage where it has stages."""
    said: dict[str, Any] = {}
    if kind == "build":
        said["seconds"] = _build(arguments)
    elif kind in floor.FLOORS:
        said |= floor.measure(kind, arguments[0])
    elif kind in peers.PEERS:
        peers.PEERS[kind](*map(Path, arguments))
    elif kind == "reports":
        reports.add(Path(arguments[0]))
    elif kind == "start":
        import duckdb  # noqa: F401 - what every command of ours has to import
    said["driver"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    said["worker"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / MIB
    print(json.dumps(said))


def _build(arguments: tuple[str, ...]) -> dict[str, float]:
    from flows import cli

    with contextlib.redirect_stdout(io.StringIO()) as receipt:
        code = cli.main(["build", "--json", *arguments])
    if code:
        raise SystemExit(code)
    seconds: dict[str, float] = json.loads(receipt.getvalue())["seconds"]
    return seconds


if __name__ == "__main__":
    main(*sys.argv[1:])
