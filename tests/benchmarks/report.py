"""Samples → the tables that are printed, and kept in docs/benchmarks.md."""

import importlib.metadata
import os
import platform
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.benchmarks.run import Sample

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- results -->", "<!-- end of results -->"
_PACKAGES = ("duckdb", "pandas", "pyyaml", "python-frontmatter", "dlt", "rapidyaml")
_WORDS = {
    "start": "start: Python and DuckDB",
    "walk": "floor: scandir and stat",
    "bytes": "floor: and read, hash",
    "parse": "floor: and parse (rapidyaml)",
    "full": "full build",
    "no change": "build, nothing changed",
    "1 % changed": "build, 1 % changed",
    "all touched": "build, all touched",
    "frontmatter": "python-frontmatter, pandas, DuckDB",
    "dlt": "dlt, tuned",
}
Samples = dict[str, list[Sample]]


def text(sizes: dict[int, Samples], rounds: int) -> str:
    """Say everything that was measured, as Markdown."""
    lines = [f"{_machine()} Medians of {rounds} interleaved rounds after one that does not count."]
    for files, samples in sizes.items():
        lines += ["", f"### {files:,} files", "", *_runs(files, samples)]
        lines += ["", *_ratios(samples), "", _stages(samples)]
    return "\n".join(lines) + "\n"


def _machine() -> str:
    versions = []
    for package in _PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{package} not installed")
    return (
        f"{platform.system()} {platform.machine()}, {len(os.sched_getaffinity(0))} processors,"
        f" Python {platform.python_version()}, {', '.join(versions)}."
    )


def _runs(files: int, samples: Samples) -> list[str]:
    rows = [
        "| run | seconds | CPU seconds | files/s | µs CPU a file | peak MiB | worker MiB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, words in _WORDS.items():
        if taken := samples.get(name):
            wall, cpu = _of(taken, "wall"), _of(taken, "cpu")
            driver, worker = _of(taken, "driver"), _of(taken, "worker")
            rows.append(
                f"| {words} | {wall:.2f} | {cpu:.2f} | {files / wall:,.0f} |"
                f" {cpu / files * 1e6:.0f} | {driver:.0f} | {worker:.0f} |"
            )
    return rows


def _ratios(samples: Samples) -> list[str]:
    rows = ["| ratio, round by round | median | target |", "|---|---:|---:|"]
    for words, of, by, target in (
        ("python-frontmatter / full build, seconds", "frontmatter", "full", "≥ 4, 5 at 100,000"),
        ("dlt / full build, seconds", "dlt", "full", "≥ 9, 10 at 100,000"),
        ("full build / floor of parsing, CPU", "full", "parse", "≤ 5 at 100,000"),
        ("no change / (start + 2 walks), seconds", "no change", "walk", "≤ 1 at 100,000"),
        ("1 % changed / full build, seconds", "1 % changed", "full", "≤ 0.15"),
        ("all touched / full build, seconds", "all touched", "full", ""),
    ):
        if samples.get(of) and samples.get(by):
            cells = zip(samples[of], samples[by], samples["start"], strict=True)
            found = median(_RATIOS.get(words, _by_wall)(*cell) for cell in cells)
            rows.append(f"| {words} | {found:.2f} | {target} |")
    return rows


def _by_wall(a: Sample, b: Sample, start: Sample) -> float:
    return a.wall / b.wall


_RATIOS: dict[str, Callable[[Sample, Sample, Sample], float]] = {
    "full build / floor of parsing, CPU": lambda a, b, start: a.cpu / b.cpu,
    "no change / (start + 2 walks), seconds": lambda a, b, start: (
        a.wall / (start.wall + 2 * b.wall)
    ),
}


def _stages(samples: Samples) -> str:
    full = [sample.stages for sample in samples["full"]]
    spent = {stage: median(stages[stage] for stages in full) for stage in full[0]}
    words = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in spent.items())
    return f"Seconds of a full build by stage (extract is waiting for workers): {words}."


def _of(samples: list[Sample], figure: str) -> float:
    return median(getattr(sample, figure) for sample in samples)


def write(results: str) -> None:
    """Put the results into the document, between its two marks."""
    document = DOCUMENT.read_text(encoding="utf-8")
    head, _, rest = document.partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    DOCUMENT.write_text(f"{head}{_BEGIN}\n\n{results}\n{_END}{tail}", encoding="utf-8")
