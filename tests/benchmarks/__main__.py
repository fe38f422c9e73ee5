"""Measure runs beside the floor and beside what people would write instead."""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import corpus, peers, report
from tests.benchmarks.run import Sample, measure

# A file written this recently is read again by the next run, whatever its signature says.
SETTLE_SECONDS = 2.5


def main() -> None:
    """Run the rounds, print the tables, and write them where asked."""
    asked = _arguments()
    if asked.peers:
        for peer in peers.NEEDS:
            peers.require(peer)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=asked.folder))
    try:
        sizes = {files: _rounds(folder, files, asked) for files in asked.files}
    finally:
        shutil.rmtree(folder)
    text = report.text(sizes, asked.rounds)
    print(text)
    if asked.write:
        report.write(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--files", type=int, nargs="+", default=[5_000, 20_000, 100_000], metavar="N"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="interleaved runs")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="leave others out")
    parser.add_argument("--folder", type=Path, help="where corpora are made (default: temporary)")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md, too")
    parser.epilog = f"Python {platform.python_version()}, {len(os.sched_getaffinity(0))} processors"
    return parser.parse_args()


def _rounds(folder: Path, files: int, asked: argparse.Namespace) -> dict[str, list[Sample]]:
    source = folder / f"corpus-{files}"
    corpus.write(source, files)
    time.sleep(SETTLE_SECONDS)
    samples: dict[str, list[Sample]] = {}
    for number in range(asked.rounds + 1):
        for name, sample in _round(folder, source, number, asked).items():
            # The first round fills the page cache and counts for nobody.
            if number:
                samples.setdefault(name, []).append(sample)
        print(f"{files} files: round {number} of {asked.rounds} done", file=sys.stderr)
    shutil.rmtree(source)
    return samples


def _round(folder: Path, source: Path, number: int, asked: argparse.Namespace) -> dict[str, Sample]:
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    build = ("build", "--warehouse", str(work / "warehouse.duckdb"), str(source))
    found = {"start": measure("start"), "walk": measure("walk", str(source))}
    found["bytes"] = measure("bytes", str(source))
    if asked.peers:
        found["parse"] = measure("parse", str(source))
    found["full"] = measure(*build)
    found["no change"] = measure(*build)
    _edit(source, b'\nexcerpt: "', b'\nexcerpt: "Edited. ')
    found["1 % reworded"] = measure(*build)
    _edit(source, b"\nquality: ", b"\nquality: 1")
    found["1 % re-scored"] = measure(*build)
    _add(source, number)
    found["1 % new"] = measure(*build)
    _touch(source, number)
    found["all touched"] = measure(*build)
    if asked.peers:
        for peer in peers.PEERS:
            found[peer] = measure(peer, str(source), str(work / f"{peer}.duckdb"))
        found["reports"] = measure("reports", str(work / "frontmatter.duckdb"))
    return found


def _edit(source: Path, before: bytes, after: bytes) -> None:
    """Replace something in every hundredth article."""
    for path in sorted(source.glob("_news/**/*.md"))[50::100]:
        path.write_bytes(path.read_bytes().replace(before, after, 1))
    time.sleep(SETTLE_SECONDS)


def _add(source: Path, number: int) -> None:
    """Write a hundredth as many new articles, all of the newest month."""
    articles = len(list(source.glob("_news/**/*.md")))
    for each in range(articles, articles + articles // 100):
        path, text = corpus.article(each, seed=number + 2)
        month = path.split("/")[1:3]
        added = source / path.replace("/".join(month), "2024/12").replace(
            "-".join(month), "2024-12"
        )
        added.parent.mkdir(parents=True, exist_ok=True)
        added.write_text(text.replace(f"Time: {'-'.join(month)}", "Time: 2024-12"))
    time.sleep(SETTLE_SECONDS)


def _touch(source: Path, number: int) -> None:
    """Give every file another modification time, and leave its bytes."""
    for path in source.glob("**/*.*"):
        if path.is_file():
            os.utime(path, (1_500_000_000 + number, 1_500_000_000 + number))
    time.sleep(SETTLE_SECONDS)


if __name__ == "__main__":
    main()
