"""Mutants of files that look like real ones, in a process of their own."""

import subprocess
import sys


def test_a_mutated_file_has_one_outcome_and_tells_no_secret() -> None:
    """Three seconds of the fuzzer: no crash, no error, one row for each file, no canary."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.trust.fuzz", "3", "1"],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.endswith(" files of seed 1\n")
