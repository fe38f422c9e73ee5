"""Mutants of files that look like real ones, in a process of their own."""

import subprocess
import sys


def test_a_mutated_file_has_one_outcome_and_tells_no_secret() -> None:
    """Four rounds of the fuzzer: no crash, no error, one row for each file, no canary."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.trust.fuzz", "4", "1"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout == "800 files of seed 1\n"
