"""Builds at once, as real processes."""

import subprocess
import sys

from tests.conftest import Content, edit
from tests.trust.invariants import contents, faults, strays

# A build that stops where it holds the lock, until somebody writes a line.
STOPPING = """
import sys
from flows import cli
from flows.source import folder

walk = folder.walk

def stop_and_walk(*args, **options):
    print("holds the lock", flush=True)
    sys.stdin.readline()
    return walk(*args, **options)

folder.walk = stop_and_walk
sys.exit(cli.main(sys.argv[1:]))
"""


def test_a_build_is_refused_while_another_is_at_work(three: Content) -> None:
    """Exit code 75 names the other process, which goes on and loads the change, once."""
    edit(three)
    command = ["--warehouse", str(three.warehouse), "build", str(three.source), "--quiet"]
    with subprocess.Popen(
        [sys.executable, "-c", STOPPING, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdin
        assert first.stdout
        assert first.stdout.readline() == "holds the lock\n"
        second = subprocess.run(
            [sys.executable, "-m", "flows", *command], check=False, capture_output=True, text=True
        )
        assert (second.returncode, second.stdout) == (75, "")
        assert f"is being built by process {first.pid} since" in second.stderr
        first.communicate("\n")
    assert first.returncode == 0
    assert faults(three.warehouse) == []
    assert strays(three.warehouse) == []
    assert len(contents(three.warehouse)["raw.article_versions"]) == 4


def test_builds_that_start_together_leave_one_whole_warehouse(three: Content) -> None:
    """Each works or is refused, in whatever order the system lets them go."""
    edit(three)
    command = [sys.executable, "-m", "flows", "--warehouse", str(three.warehouse)]
    builds = [
        subprocess.Popen(
            [*command, "build", str(three.source), "--quiet"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = {build.communicate()[1][:20] if build.wait() else "" for build in builds}
    codes = {build.returncode for build in builds}
    assert 0 in codes
    assert codes <= {0, 75}, said
    assert faults(three.warehouse) == []
    assert strays(three.warehouse) == []
    assert len(contents(three.warehouse)["raw.article_versions"]) == 4
