"""How git is asked: one process a question, in a repository that may be anybody's.

Only plumbing is run, which runs nothing that the repository's configuration names, and nothing is
fetched.
"""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, cast

from flows import MatterhouseError

_OPTIONS = (
    "--no-pager",
    "--no-replace-objects",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
)
_VARIABLES = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
# A configuration can include a pipe, from which nothing ever comes.
_PATIENCE_SECONDS = 60.0
# What a user may have set for every repository (`safe.directory` above all); other variables of
# git's name a repository of their own, as in a hook.
_KEPT_VARIABLES = ("GIT_CONFIG", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES")


class NoHistory(MatterhouseError):
    """The history of the source cannot be read, or not all of it."""


def read(folder: Path, *arguments: str) -> str:
    """Return what git says, as text."""
    with run(folder, arguments, seconds=_PATIENCE_SECONDS) as output:
        return os.fsdecode(output.read())


def succeeds(folder: Path, *arguments: str) -> bool:
    """Return whether git says yes."""
    try:
        read(folder, *arguments)
    except NoHistory:
        return False
    return True


@contextlib.contextmanager
def run(
    folder: Path,
    arguments: Sequence[str],
    questions: str = "",
    seconds: float = threading.TIMEOUT_MAX,
) -> Iterator[IO[bytes]]:
    """Run git and give its output; questions and complaints go through files, so none blocks."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as complaints:
        stdin.write(questions.encode())
        stdin.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 - fixed commands; names are arguments
                ["git", "-C", folder, *_OPTIONS, *arguments],  # noqa: S607 - the user's own git
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=_make_environment(),
            )
        except FileNotFoundError as error:
            raise NoHistory(
                "the history of the source is read by git, which is not installed: install it, or"
                " build with --no-history"
            ) from error
        timer = threading.Timer(seconds, process.kill)
        timer.daemon = True
        timer.start()
        with process:
            try:
                yield cast("IO[bytes]", process.stdout)
            except BaseException:
                process.kill()
                raise
            finally:
                timer.cancel()
        if process.returncode == -signal.SIGKILL:
            raise explain_failure(folder, f"fatal: no answer in {seconds:.0f} s")
        if process.returncode:
            complaints.seek(0)
            raise explain_failure(folder, os.fsdecode(complaints.read()))


def _make_environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT_VARIABLES)
    }
    return kept | _VARIABLES


def explain_failure(folder: Path, complaints: str) -> NoHistory:
    """Return the error for what git complains of."""
    if "promisor" in complaints:
        return explain_partial_clone(folder)
    said = next((line for line in complaints.splitlines() if line.startswith("fatal: ")), "")
    remedy = re.search(r"git config --global --add safe\.directory .*", complaints)
    return NoHistory(
        f"git cannot read the history of {folder} ({said.removeprefix('fatal: ') or 'no reason'}):"
        f" {f'say `{remedy[0]}`' if remedy else 'see `git fsck`'}, or build with --no-history"
    )


def explain_partial_clone(folder: Path) -> NoHistory:
    """Return the error for a clone in which blobs are missing."""
    return NoHistory(
        f"{folder} lacks files of its past, as a partial clone does: clone it without --filter, or"
        " build with --no-history"
    )
