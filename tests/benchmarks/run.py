"""One measured piece of work: a process of its own, its time, its processor, its peaks."""

import contextlib
import ctypes
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field

from tests.benchmarks.measured import MIB

_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run took: seconds, MiB; `cpu` counts its workers, `stages` only a build has."""

    wall: float
    cpu: float
    driver: float
    worker: float
    stages: dict[str, float] = field(default_factory=dict)


class WorkFailed(RuntimeError):
    """A measured process ended with an error."""


def measure(kind: str, *arguments: str) -> Sample:
    """Run one piece of work; a floor is its processor seconds without the start of Python."""
    command = [sys.executable, "-m", "tests.benchmarks.measured", kind, *arguments]
    # The server that a build forks its workers from ends after the build, and falls to us.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    wall = time.perf_counter() - start
    left_behind, after = _peak_of_orphans(), os.times()
    if done.returncode:
        raise WorkFailed(f"{kind} ended with {done.returncode}: its own words are above")
    said = json.loads(done.stdout.splitlines()[-1])
    cpu = after.children_user - before.children_user + after.children_system
    cpu -= before.children_system
    return Sample(
        said.get("wall", wall),
        said.get("cpu", cpu),
        said["driver"],
        max(said["worker"], left_behind),
        said.get("seconds", {}),
    )


def _peak_of_orphans() -> float:
    """Wait for processes that their parent left behind; return the largest one's peak in MiB."""
    peak = 0.0
    with contextlib.suppress(ChildProcessError):
        while True:
            peak = max(peak, os.wait4(-1, 0)[2].ru_maxrss / MIB)
    return peak
