"""Files that cannot be read, or change meanwhile, are rows, and the rest is loaded."""

import os

import pytest

from tests.conftest import Content, article


def test_what_cannot_be_read_is_a_row_and_the_rest_is_loaded(
    three: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without permission (simulated: root may read all) is quarantined, then comes back."""
    real = os.open

    def refuse(path: object, *options: object, **more: object) -> int:
        if str(path).endswith("-a.md"):
            raise PermissionError(13, "Permission denied")
        return real(path, *options, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        three.build(full=True)
    names = [f"_news/2025-03-04-{name}.md" for name in "abc"]
    assert three.ledger() == [
        (names[0], "quarantined", "unreadable"),
        (names[1], "loaded", None),
        (names[2], "loaded", None),
    ]
    three.build()
    assert three.ledger() == [(name, "loaded", None) for name in names]


@pytest.mark.parametrize("change", ["grow", "vanish", "become a folder"])
def test_a_file_that_changes_while_it_is_read_is_never_half_loaded(
    three: Content, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """The row says what happened; the next build has the file as it is then."""
    path = "_news/2025-03-04-d.md"
    file = three.write(path, article(title="d"))
    real = os.fstat if change == "grow" else os.open

    def meddle(first: object, *options: object, **more: object) -> object:
        if change == "grow":
            found = real(first)  # type: ignore[arg-type]
            if found.st_ino == file.stat().st_ino:
                with file.open("ab", buffering=0) as growing:
                    growing.write(b"more")
            return found
        if str(first).endswith("-d.md") and file.is_file():
            file.unlink()
            if change == "become a folder":
                file.mkdir()
        return real(first, *options, **more)  # type: ignore[arg-type, operator]

    with monkeypatch.context() as patched:
        patched.setattr(os, real.__name__, meddle)
        three.build()
    row = {row[0]: row[1:] for row in three.ledger()}[path]
    assert (
        row
        == {
            "grow": ("quarantined", "changing"),
            "vanish": ("quarantined", "vanished"),
            "become a folder": ("excluded", "not_a_file"),
        }[change]
    )
    three.build()
    after = {row[0]: row[1] for row in three.ledger()}[path]
    assert after == ("loaded" if change == "grow" else "gone")
