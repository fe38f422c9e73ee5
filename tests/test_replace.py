"""A file takes the place of another whole, and nobody is followed elsewhere."""

import os
import secrets
from pathlib import Path

import pytest

from flows.replace import replace_file


def test_the_bytes_are_on_disk_before_the_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power failure there is the old file or the new one, never an empty one."""
    done: list[str] = []
    for name in ("fsync", "replace"):
        call = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *given, n=name, c=call: (done.append(n), c(*given)))
    with replace_file(tmp_path / "page.html") as file:
        file.write_text("new")
    assert done == ["fsync", "replace", "fsync"]


def test_a_link_of_somebody_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the name is taken, however that was guessed, nothing is written through it."""
    (tmp_path / "precious").write_text("mine")
    monkeypatch.setattr(secrets, "token_hex", lambda size: "guessed")
    (tmp_path / ".rows.csv.partial-guessed").symlink_to(tmp_path / "precious")
    with pytest.raises(FileExistsError), replace_file(tmp_path / "rows.csv"):
        pass
    assert (tmp_path / "precious").read_text() == "mine"


def test_an_error_leaves_the_old_file_alone(tmp_path: Path) -> None:
    """Nothing half written stays beside it, whatever the length of its name."""
    target = tmp_path / ("n" * 255)
    target.write_text("old")
    target.chmod(0o640)
    with pytest.raises(ValueError, match="no"), replace_file(target) as file:
        file.write_text("half")
        raise ValueError("no")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
    with replace_file(target) as file:
        file.write_text("new")
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("new", 0o640)
