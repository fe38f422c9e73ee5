"""Repositories that tests make with the git program."""

import os
import subprocess
from pathlib import Path

# The first commit of a test's repository, in seconds since 1970; each further one is a day later.
FIRST = 1_700_000_000
DAY = 86_400


class Repository:
    """A work tree whose commits a test makes one by one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds = FIRST
        folder.mkdir(exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        """Run git in the work tree, apart from the configuration of whoever runs the tests."""
        names = ("AUTHOR", "COMMITTER")
        people = {f"GIT_{name}_{key}": "tests" for name in names for key in ("NAME", "EMAIL")}
        dates = {f"GIT_{name}_DATE": f"@{self.seconds} +0000" for name in names}
        nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.folder,
            env=os.environ | people | dates | nobody,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        """Write a file of the work tree."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit(self, *options: str, at: int | None = None) -> str:
        """Commit everything that differs; return the commit's id."""
        later = self.seconds + DAY
        self.seconds = self.seconds if at is None else at
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=tests", *options)
        self.seconds = later
        return self.git("rev-parse", "HEAD")

    def tree(self, commit: str) -> dict[str, str]:
        """Return the blob of every file of a commit, as `git ls-tree` lists them."""
        entries = self.git("ls-tree", "-r", "-z", commit).split("\0")
        facts = [entry.partition("\t") for entry in entries if entry.startswith("100")]
        return {path: fact.split()[2] for fact, _, path in facts}
