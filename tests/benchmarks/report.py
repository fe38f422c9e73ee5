"""Samples → the tables that are printed, and kept in docs/benchmarks.md."""

import contextlib
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
    "1 % reworded": "build, 1 % with another excerpt",
    "1 % re-scored": "build, 1 % with another score",
    "1 % new": "build, 1 % new articles of the newest month",
    "all touched": "build, all touched",
    "frontmatter": "python-frontmatter, pandas, DuckDB",
    "dlt": "dlt, tuned",
    "reports": "three trend reports by hand, of the tables of either",
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
    rows = ["| ratio of seconds, round by round | median |", "|---|---:|"]
    for words, ratio in _RATIOS.items():
        with contextlib.suppress(KeyError):  # What was not measured.
            found = median(ratio(sample) for sample in _by_round(samples))
            rows.append(f"| {words} | {found:.2f} |")
    return rows


def _by_round(samples: Samples) -> list[dict[str, Sample]]:
    return [dict(zip(samples, taken, strict=True)) for taken in zip(*samples.values(), strict=True)]


def _to_raw_tables(sample: dict[str, Sample]) -> float:
    """Return the seconds of a full build without what no peer does: models and their checks."""
    full = sample["full"]
    return full.wall - full.stages["model"] - full.stages["check"]


def _against(peer: str) -> dict[str, Callable[[dict[str, Sample]], float]]:
    words = _WORDS[peer]
    return {
        f"{words} / files to raw tables, ledger and history": lambda sample: (
            sample[peer].wall / _to_raw_tables(sample)
        ),
        f"{words} / full build": lambda sample: sample[peer].wall / sample["full"].wall,
        f"{words}, and reports by hand / full build": lambda sample: (
            (sample[peer].wall + sample["reports"].wall) / sample["full"].wall
        ),
    }


_RATIOS: dict[str, Callable[[dict[str, Sample]], float]] = {
    **_against("frontmatter"),
    **_against("dlt"),
    "full build / floor of parsing, CPU": lambda s: s["full"].cpu / s["parse"].cpu,
    "no change / (start + 2 walks)": lambda s: (
        s["no change"].wall / (s["start"].wall + 2 * s["walk"].wall)
    ),
    "no change / (start + 2 walks), CPU": lambda s: (
        s["no change"].cpu / (s["start"].cpu + 2 * s["walk"].cpu)
    ),
    **{
        f"{_WORDS[name]} / full build, CPU": lambda s, name=name: s[name].cpu / s["full"].cpu
        for name in ("1 % reworded", "1 % re-scored", "1 % new")
    },
    "all touched / full build": lambda s: s["all touched"].wall / s["full"].wall,
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
