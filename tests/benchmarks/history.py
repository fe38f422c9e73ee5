"""Measure the replay of a repository's history beside other ways to read it."""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks import corpus
from tests.benchmarks.run import measure

ARTICLES, COMMITS, LATER = 2_000, 10_000, 50
# Of the rewrites of real repositories, three to four in five change nothing that a report uses.
NOISE = 0.8
# A process for each commit takes so long that a part of them has to do.
SHOWN = 500
FIRST = 1_600_000_000


def main() -> None:
    """Make a repository, build it, build again after more commits, and read it in other ways."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.history", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where it is made (default: temporary)")
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parser.parse_args().folder))
    try:
        source = folder / "content"
        write(source)
        built = ("build", "--warehouse", str(folder / "warehouse.duckdb"))
        plain = ("build", "--warehouse", str(folder / "plain.duckdb"), "--no-history")
        figures = {f"build, {COMMITS:,} commits": measure(*built, str(source))}
        figures["the same without history"] = measure(*plain, str(source))
        write(source, LATER, seed=2)
        figures[f"build, {LATER} new commits"] = measure(*built)
        figures["the same without history, again"] = measure(*plain)
        for name, sample in figures.items():
            peak = max(sample.driver, sample.worker)
            print(f"{name:34} {sample.wall:6.1f} s {sample.cpu:6.1f} s CPU {peak:6.0f} MiB")
        for name, read in READERS.items():
            start, used = time.perf_counter(), os.times()
            commits = read(source)
            now = os.times()
            cpu = now.user - used.user + now.children_user - used.children_user
            seconds = time.perf_counter() - start
            print(f"{name:34} {seconds:6.1f} s {cpu:6.1f} s CPU for {commits:,} commits")
    finally:
        shutil.rmtree(folder)


def write(folder: Path, commits: int = COMMITS, seed: int = 1) -> None:
    """Make a repository whose first commit brings all articles, or add commits to it."""
    is_new = not folder.exists()
    folder.mkdir(exist_ok=True)
    git = ("git", "-C", str(folder))
    if is_new:
        subprocess.run([*git, "init", "--quiet", "--initial-branch=main"], check=True)
    stream = b"".join(_stream(is_new, commits, random.Random(seed)))
    subprocess.run([*git, "fast-import", "--quiet"], input=stream, check=True)
    # Repositories are packed when they are cloned, each file's states beside each other.
    subprocess.run([*git, "repack", "-adfq"], check=True)
    subprocess.run([*git, "reset", "--quiet", "--hard", "main"], check=True)


def _stream(is_new: bool, commits: int, chance: random.Random) -> Iterator[bytes]:
    articles = dict(corpus.article(number) for number in range(ARTICLES))
    seconds = FIRST if is_new else int(time.time()) - commits
    if is_new:
        yield from _commit(seconds, articles, parent=b"")
    for number in range(1, commits + 1):
        paths = chance.sample(list(articles), chance.choice((1, 2, 2, 2, 3)))
        articles |= {path: _rewritten(articles[path], chance) for path in paths}
        parent = b"" if is_new or number > 1 else b"from refs/heads/main^0\n"
        step = 3600 if is_new else 1
        yield from _commit(seconds + step * number, {p: articles[p] for p in paths}, parent)


def _commit(seconds: int, files: dict[str, str], parent: bytes) -> Iterator[bytes]:
    yield b"commit refs/heads/main\ncommitter bench <bench> %d +0000\ndata 0\n" % seconds + parent
    for path, text in files.items():
        data = text.encode()
        yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data)


def _rewritten(text: str, chance: random.Random) -> str:
    """Rewrite a signature, as most commits do, or the score."""
    if chance.random() < NOISE:
        return re.sub(r"(?m)^secured: .*$", f'secured: "{chance.randbytes(64).hex()}"', text)
    return re.sub(r"(?m)^quality: .*$", f"quality: {chance.randrange(100)}", text)


def with_pygit2(source: Path) -> int:
    """List what each commit changed and read every distinct blob, with pygit2."""
    import pygit2

    repository = pygit2.Repository(str(source))
    tip, blobs, commits = repository.head.peel(pygit2.Commit), set(), 0
    while True:
        parent = tip.parents[0] if tip.parents else None
        if parent:
            changed = repository.diff(parent, tip).deltas
        else:
            changed = tip.tree.diff_to_tree(swap=True).deltas
        blobs |= {delta.new_file.id for delta in changed}
        commits += 1
        if parent is None:
            break
        tip = parent
    for blob in blobs:
        found = repository.get(blob)
        if found is not None:
            found.read_raw()
    return commits


def with_git_show(source: Path) -> int:
    """Ask git once for each commit, as a shell script would."""
    git = ("git", "-C", str(source))
    listed = subprocess.run(
        [*git, "rev-list", f"--max-count={SHOWN}", "HEAD"], capture_output=True, check=True
    )
    commits = listed.stdout.split()
    for commit in commits:
        subprocess.run([*git, "show", "--format=", commit], stdout=subprocess.DEVNULL, check=True)
    return len(commits)


READERS: dict[str, Callable[[Path], int]] = {
    "pygit2, list and read only": with_pygit2,
    "git show in a loop": with_git_show,
}

if __name__ == "__main__":
    sys.exit(main())
