"""Kill builds at every stage boundary and at random moments.

By hand until a hundred have died at random moments: `python -m tests.trust.kill 100`.
"""

import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flows.load import ledger, merge, plan
from flows.models import build, checks
from flows.pipeline import receipt
from flows.pipeline import run as pipeline
from flows.pipeline.context import Request
from flows.pipeline.run import run
from flows.source import folder
from flows.warehouse import generations, working_copy
from flows.workers import frames
from flows.workers.runner import Runner
from tests.conftest import Content, article
from tests.servers import eventually
from tests.trust.invariants import contents, faults, strays

# The last functions of the stages, and each step of publishing.
BOUNDARIES: list[tuple[Any, str]] = [
    (working_copy, "_verify"),
    (build, "create_tables"),
    (working_copy, "copy_whole"),
    (folder, "walk"),
    (plan, "compare"),
    (merge, "begin"),
    (frames, "extract"),
    (merge, "load"),
    (merge, "finish"),
    (merge, "commit"),
    (build, "build"),
    (checks, "run"),
    (ledger, "record"),
    (receipt, "complete"),
    (generations, "keep_plain_file"),
    (generations, "sync"),
    (generations, "switch_to"),
    (generations, "prune"),
    (working_copy, "remove_leftovers"),
    (pipeline, "append_run"),
]


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_before(module: Any, name: str) -> Callable[[], None]:
    """Return what makes a build die when it calls the function."""
    getattr(module, name)  # A boundary that was renamed must not go untested.
    return lambda: setattr(module, name, _die)


def die_after(module: Any, name: str) -> Callable[[], None]:
    """Return what makes a build die when the function has done its work."""

    def arm() -> None:
        call = getattr(module, name)
        setattr(module, name, lambda *args, **options: (call(*args, **options), _die()))

    return arm


def die_in(seconds: float) -> Callable[[], None]:
    """Return what makes a build die after some time, wherever it is."""

    def arm() -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    return arm


def build_and_die(content: Content, arm: Callable[[], None], workers: bool = False) -> bool:
    """Build in a process of its own that is to die; return whether it did."""
    child = os.fork()
    if not child:
        code = 1
        try:
            os.setsid()  # Marks the processes that it starts.
            arm()
            runner = Runner(jobs=2, pool_from=0 if workers else 1_000_000)
            run(Request(content.source, content.warehouse, accept_loss=True), runner)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    eventually(lambda: not descendants(child), f"the end of what process {child} started")
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise AssertionError("the build failed by itself")
    return os.WIFSIGNALED(status)


def descendants(session: int) -> list[int]:
    """Return the processes that a dead build started and that still live."""
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdecimal() and os.getsid(int(process.name)) == session:
                found.append(int(process.name))
    return found


class Kills:
    """One growing warehouse whose builds are killed, with edits between them."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.content = Content(folder)
        self.serial = self.deaths = 0
        for _ in range(5):
            self.change()

    def change(self) -> None:
        """Add a file, and edit, rename, break, mend or delete some."""
        self.serial += 1
        name = f"_news/2025-03-{self.serial % 28 + 1:02}-{self.serial}.md"
        self.content.write(name, article(title=f"t{self.serial}", quality=self.serial))
        files = sorted(self.content.source.rglob("*.md"))
        edited, renamed, broken, deleted = (self.random.choice(files) for _ in range(4))
        edited.write_text(article(title=edited.stem, quality=self.random.randrange(100)))
        if self.serial % 3 == 0:
            broken.write_text("---\ntitle: [never closed\n---\n")
        if self.serial % 2 == 0:
            renamed.rename(renamed.with_name(f"renamed-{self.serial}.md"))
        if self.serial % 4 == 0:
            deleted.unlink(missing_ok=True)

    def seconds(self) -> float:
        """Return how long a build takes that nobody kills."""
        self.change()
        started = time.monotonic()
        assert not build_and_die(self.content, lambda: None)
        seconds = time.monotonic() - started
        self.look()
        return seconds

    def kill(self, arm: Callable[[], None], workers: bool = False) -> None:
        """Change, kill, look at what is published, build on, and look again."""
        self.change()
        was_there = self.content.warehouse.exists()
        before = contents(self.content.warehouse) if was_there else None
        self.deaths += build_and_die(self.content, arm, workers)
        if was_there or self.content.warehouse.exists():
            assert faults(self.content.warehouse) == []
            if contents(self.content.warehouse) != before:
                assert not self.content.build(accept_loss=True).published, "half a build was seen"
        self.content.build(accept_loss=True)
        self.look()

    def look(self) -> None:
        """Hold the warehouse against one that was never disturbed."""
        assert faults(self.content.warehouse) == []
        assert strays(self.content.warehouse) == []
        calm = self.folder / "calm" / "warehouse.duckdb"
        calm.parent.mkdir(exist_ok=True)
        run(Request(self.content.source, calm, accept_loss=True))
        expected, found = contents(calm), contents(self.content.warehouse)
        differing = {t: (expected[t], found[t]) for t in expected if expected[t] != found.get(t)}
        assert not differing, differing


def main(kills: int) -> None:
    """Kill at every boundary once, then at random moments, each tenth time with workers."""
    with tempfile.TemporaryDirectory() as folder:
        ground = Kills(Path(folder), seed=time.time_ns())
        for arm in [arm(*b) for b in BOUNDARIES for arm in (die_before, die_after)]:
            ground.kill(arm)
        at_boundaries, longest = ground.deaths, ground.seconds()
        while (at_random := ground.deaths - at_boundaries) < kills:
            workers = at_random % 10 == 9
            # Starting workers takes seconds that the measured build did not need.
            latest = longest + 3 * workers
            ground.kill(die_in(ground.random.uniform(0.001, latest)), workers)
            sys.stderr.write(f"\r{at_boundaries} killed at boundaries, {at_random + 1} at random")
        sys.stderr.write("\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
