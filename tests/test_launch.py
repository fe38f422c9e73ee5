"""How a command starts and ends."""

import subprocess
import sys

END = """
import atexit
from flows.cli import main

atexit.register(print, "ended")
main()
"""


def test_a_command_ends_at_once_and_all_the_same_in_order() -> None:
    """What was to be done at the end is done, and the exit code is that of the command."""
    for arguments, code in ((["--version"], 0), (["nonsense"], 2)):
        done = subprocess.run(
            [sys.executable, "-c", END, *arguments], capture_output=True, text=True, check=False
        )
        assert (done.stdout.splitlines()[-1], done.returncode) == ("ended", code)
