"""Receipt → a command of the user's, when a refresh failed or left something to mend."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import duckdb

from flows import MatterhouseError
from flows.reports.news import news

# The command travels by environment: parameters of a flow are stored in clear, and whoever may set
# them could otherwise run commands here.
VARIABLE = "MATTERHOUSE_ON_FAILURE"
# A mail or a web hook needs seconds; a command that hangs must not hold up the schedule.
_TIMEOUT_SECONDS = 120
_STANDARD_ERROR = 2  # standard output may be carrying the receipt


class NoSuchCommand(MatterhouseError):
    """What is to run on a failure is not a command."""

    exit_code = 2


def command(line: str | None) -> tuple[str, ...]:
    """Split a command line into words as a shell does; no shell runs it."""
    try:
        words = tuple(shlex.split(line or ""))
    except ValueError as error:
        raise NoSuchCommand(f"--on-failure {line}: {str(error).lower()}") from error
    if words and shutil.which(words[0]) is None:
        raise NoSuchCommand(f"--on-failure {line}: there is no program {words[0]} to run")
    return words


def from_environment() -> tuple[str, ...]:
    """Return the command that the environment names, () when it names none."""
    return command(os.environ.get(VARIABLE))


def tell(words: Sequence[str], receipt: Mapping[str, Any], complain: Callable[[str], None]) -> None:
    """Run the command with the receipt as JSON on standard input if there is bad news.

    What fails here is reported through `complain`, and never fatal.
    """
    if not words:
        return
    try:
        found = news(receipt)
        if found.reasons:
            _run(words, {**receipt, **asdict(found), "reasons": found.reasons})
    except BrokenPipeError:
        return  # It did not want to read the receipt.
    except (OSError, subprocess.SubprocessError, MatterhouseError, duckdb.Error) as error:
        complain(f"--on-failure: {_why(error)}; the refresh itself is not affected")


def _run(words: Sequence[str], told: Mapping[str, Any]) -> None:
    subprocess.run(  # noqa: S603 - the user's own command, without a shell
        words,
        input=json.dumps(told) + "\n",
        text=True,
        stdout=_STANDARD_ERROR,
        timeout=_TIMEOUT_SECONDS,
        check=True,
    )


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return f"{error.cmd[0]} ended with exit code {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"{error.cmd[0]} was still running after {_TIMEOUT_SECONDS} s and was ended"
    return str(error)
