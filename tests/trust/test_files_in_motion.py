"""Files that cannot be read, or change meanwhile, are rows, and the rest is loaded."""

import os
import subprocess
import sys

import pytest

from tests.conftest import Content, article, counts

pytestmark = pytest.mark.usefixtures("without_reports")

# Saves files as editors do, through a file beside them, until it is ended.
SAVE_FOR_EVER = """
import itertools, os, sys
for n in itertools.cycle(range(40)):
    path, partial = f"{sys.argv[1]}/{n}.md", f"{sys.argv[1]}/{n}.md.partial"
    with open(path, "rb") as file:
        text = file.read()
    with open(partial, "wb") as file:
        file.write(text)
    os.rename(partial, path)
"""


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


@pytest.mark.parametrize("is_known", [True, False], ids=["a known file", "a new file"])
@pytest.mark.parametrize("change", ["grow", "vanish", "become a folder"])
def test_a_file_that_changes_while_it_is_read_is_never_half_loaded(
    three: Content, monkeypatch: pytest.MonkeyPatch, change: str, is_known: bool
) -> None:
    """A known one stays as it was, a new one waits; the next build has the file as it is then."""
    path = "_news/2025-03-04-c.md" if is_known else "_news/2025-03-04-d.md"
    file = three.write(path, article(title="d", quality=1))
    real = os.fstat if change == "grow" else os.open

    def meddle(first: object, *options: object, **more: object) -> object:
        if change == "grow":
            found = real(first)  # type: ignore[arg-type]
            if found.st_ino == file.stat().st_ino:
                with file.open("ab", buffering=0) as growing:
                    growing.write(b"more")
            return found
        if str(first).endswith(file.name) and file.is_file():
            file.unlink()
            if change == "become a folder":
                file.mkdir()
        return real(first, *options, **more)  # type: ignore[arg-type, operator]

    three.write("e.md", article(title="e"))
    with monkeypatch.context() as patched:
        patched.setattr(os, real.__name__, meddle)
        three.build()
    row = {row[0]: row[1:] for row in three.ledger()}.get(path)
    kept = ("loaded", None) if is_known else None
    assert (
        row
        == {
            "grow": kept or ("quarantined", "changing"),
            "vanish": kept,
            "become a folder": ("excluded", "not_a_file"),
        }[change]
    )
    quality = f"select quality from raw.articles where article_id = '{path}'"
    assert three.query(quality) == ([(80,)] if kept and change != "become a folder" else [])
    three.build()
    after = {row[0]: row[1] for row in three.ledger()}.get(path)
    assert after == ("loaded" if change == "grow" else "gone" if row else None)
    assert three.query(quality) == ([(1,)] if change == "grow" else [])


def test_saving_files_while_builds_run_loses_none(content: Content) -> None:
    """Whatever a walk sees of a file that is being renamed, no article leaves the warehouse."""
    for n in range(400):
        content.write(f"{n}.md", article(title=str(n)))
    content.build()
    with subprocess.Popen([sys.executable, "-c", SAVE_FOR_EVER, content.source]) as editor:
        try:
            receipts = [content.build() for _ in range(30)]
        finally:
            editor.kill()
    seen = {"seen": 400, "loaded": 400, "unchanged": 400}
    assert [counts(r) | {"ignored": 0} for r in receipts] == [seen | {"ignored": 0}] * 30
