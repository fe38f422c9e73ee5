"""Receipt → the user's command, if a run failed or left something to fix."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from flows import MatterhouseError, UsageError
from flows.reports.messages import send
from flows.reports.messages.problems import find_news

# The command travels by environment: parameters of a flow are stored in clear, and whoever may set
# them could otherwise run commands here.
COMMAND_VARIABLE = "MATTERHOUSE_ON_FAILURE"
# A mail or a web hook needs seconds; a command that hangs must not hold up the schedule.
_TIMEOUT_SECONDS = 120
_PROGRAM = re.compile(r"[\w./+~-]{1,100}")
_STANDARD_ERROR = 2  # standard output may be carrying the receipt


def read_recipients() -> tuple[list[str], list[str]]:
    """Return the words of the command that the environment names, and the addresses."""
    line = os.environ.get(COMMAND_VARIABLE, "")
    try:
        words = shlex.split(line)  # As a shell does; no shell runs it.
    except ValueError as error:
        raise UsageError(f"--on-failure: {str(error).lower()}") from error
    if words and shutil.which(words[0]) is None:
        # An address, a setting or a whole line in quotes can hold a token.
        named = words[0] if _PROGRAM.fullmatch(words[0]) else "that its first word names"
        raise UsageError(f"--on-failure: there is no program {named} to run")
    return words, os.environ.get(send.ADDRESSES_VARIABLE, "").split()


def tell(
    receipt: Mapping[str, Any], complain: Callable[[str], None], page: Path | None = None
) -> None:
    """Run the user's command if there is bad news, and send what somebody is woken for.

    Recipients are in the environment. What fails here goes to `complain` and is never fatal.
    """
    try:
        words, urls = read_recipients()
        if not (words or urls):
            return
        found = find_news(receipt)
        if words and found.reasons:
            _run(words, {**receipt, **asdict(found), "reasons": found.reasons}, complain)
        if urls:
            always = bool(os.environ.get(send.ALWAYS_VARIABLE))
            send.send(urls, receipt, found, complain, page=page, always=always)
    except (MatterhouseError, duckdb.Error, OSError) as error:
        complain(f"not everybody was told of the run: {error}")


def require_recipients() -> None:
    """Stop at a command or an address that can never work."""
    _, addresses = read_recipients()
    if addresses:
        send.find_services(addresses)


def _run(words: Sequence[str], told: Mapping[str, Any], complain: Callable[[str], None]) -> None:
    try:
        subprocess.run(  # noqa: S603 - the user's own command, without a shell
            words,
            input=json.dumps(told) + "\n",
            text=True,
            stdout=_STANDARD_ERROR,
            timeout=_TIMEOUT_SECONDS,
            check=True,
        )
    except BrokenPipeError:
        return  # The command did not read the receipt.
    except (OSError, subprocess.SubprocessError) as error:
        complain(f"--on-failure: {_explain(error)}; the run itself is not affected")


def _explain(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return f"{error.cmd[0]} ended with exit code {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"{error.cmd[0]} was still running after {_TIMEOUT_SECONDS} s and was ended"
    return str(error)
