"""A build that is killed leaves the old warehouse or the new one, and the next build goes on."""

import subprocess
import sys
from pathlib import Path

from tests.trust.kill import BOUNDARIES

# All of them, before and after, take minutes: python -m tests.trust.kill
EVERY_OTHER = list(range(0, len(BOUNDARIES), 2))
# A process of its own: pytest's has threads, and a fork would copy their locks.
PROGRAM = """
import sys
from pathlib import Path
import flows.normalize.rows  # so that the forks need not
from tests.trust import kill

ground = kill.Kills(Path(sys.argv[1]))
arms = [(kill.die_before, kill.die_after)[n % 4 // 2](*kill.BOUNDARIES[n]) for n in EVERY_OTHER]
if sys.argv[2] == "random":
    arms = [kill.die_in(ground.random.uniform(0.001, 1.0)) for _ in range(5)]
for arm in arms:
    ground.kill(arm)
print(ground.deaths)
"""


def deaths(folder: Path, which: str) -> int:
    """Run the kills and return how many builds died."""
    ran = subprocess.run(
        [sys.executable, "-c", f"EVERY_OTHER = {EVERY_OTHER}\n{PROGRAM}", str(folder), which],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout)


def test_a_kill_at_a_stage_boundary_loses_nothing(tmp_path: Path) -> None:
    """Old or new, whole, without leftovers, and then equal to a warehouse never disturbed."""
    assert deaths(tmp_path, "boundaries") == len(EVERY_OTHER)


def test_a_kill_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    """The same at moments that nobody chose."""
    assert deaths(tmp_path, "random") > 0
