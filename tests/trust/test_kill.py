"""A build that is killed leaves the old warehouse or the new one, and the next build goes on."""

import subprocess
import sys
from pathlib import Path

from tests.trust.kill import BOUNDARIES

# All of them, before and after, take minutes: python -m tests.trust.kill
EVERY_OTHER = list(range(0, len(BOUNDARIES), 2))
# A process of its own: pytest's has threads, and a fork would copy their locks.
AT_BOUNDARIES = f"""
for n in {EVERY_OTHER}:
    ground.kill((kill.die_before, kill.die_after)[n % 4 // 2](*kill.BOUNDARIES[n]))
    assert ground.deaths == {EVERY_OTHER}.index(n) + 1, kill.BOUNDARIES[n]
"""
# However long a build takes here: some of the moments lie within it.
AT_ANY_MOMENT = """
longest = ground.seconds()
while ground.deaths < 4:
    ground.kill(kill.die_in(ground.random.uniform(0.001, longest)))
"""
PROGRAM = """
import sys
from pathlib import Path
import flows.normalize.rows  # so that the forks need not
from tests.trust import kill

ground = kill.Kills(Path(sys.argv[1]))
"""
# Reports take most of a build's time, and between two boundaries they are one step.
WITHOUT_REPORTS = """
from flows.models import files
from tests.conftest import copy_sql

shapes = copy_sql(Path(sys.argv[1], "sql"))
files.sql_folder = lambda: shapes
"""


def run(program: str, folder: Path) -> None:
    """Run the kills, which fail by themselves."""
    ran = subprocess.run(
        [sys.executable, "-c", program, str(folder)], check=False, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


def test_a_kill_at_a_stage_boundary_loses_nothing(tmp_path: Path) -> None:
    """Old or new, whole, without leftovers, and then equal to a warehouse never disturbed."""
    run(PROGRAM + WITHOUT_REPORTS + AT_BOUNDARIES, tmp_path)


def test_a_kill_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    """The same at moments that nobody chose."""
    run(PROGRAM + AT_ANY_MOMENT, tmp_path)
