"""What no pipeline can do without: listing the files, reading and hashing them, parsing them."""

import hashlib
import json
import os
import time
from collections.abc import Iterator


def walk(source: str) -> Iterator[tuple[str, os.stat_result]]:
    """Give path and status of every file: one scandir and one stat each."""
    waiting = [source]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    waiting.append(entry.path)
                else:
                    yield entry.path, entry.stat()


def listed(source: str) -> None:
    """List every file."""
    for _ in walk(source):
        pass


def hashed(source: str) -> None:
    """Read and hash every byte."""
    for _ in _contents(source):
        pass


def parsed(source: str) -> None:
    """Read, hash and parse every file with the fastest parser there is, into Python's types."""
    import ryml

    for data in _contents(source):
        block = data.split(b"\n---")[0]
        # It crashes on documents that are not well formed, so the corpus's broken titles are out.
        if block.startswith(b"---\n") and b": Update: " not in block:
            tree = ryml.parse_in_arena(block[4:])
            json.loads(ryml.emit_json(tree))


def _contents(source: str) -> Iterator[bytes]:
    for path, status in walk(source):
        descriptor = os.open(path, os.O_RDONLY)
        data = os.read(descriptor, status.st_size + 1)
        os.close(descriptor)
        hashlib.blake2b(data, digest_size=16).hexdigest()
        yield data


FLOORS = {"walk": listed, "bytes": hashed, "parse": parsed}


def measure(name: str, source: str) -> dict[str, float]:
    """Return wall and CPU seconds of one floor, without the start of Python."""
    wall, cpu = time.perf_counter(), time.process_time()
    FLOORS[name](source)
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
