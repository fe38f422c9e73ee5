"""Folders that no editor would make: each entry is accounted for once, and nothing hangs."""

import os
import resource
import socket
import unicodedata
from pathlib import Path

import pytest

from flows import cli
from tests.conftest import Content, article

GOOD = article()


def make_everything_odd(content: Content, outside: Path) -> dict[str, tuple[str, str | None]]:
    """Fill the source, and return path → status and reason code as the ledger must have them."""
    source = content.source
    expected: dict[str, tuple[str, str | None]] = {}

    def good(name: str) -> None:
        content.write(name, GOOD)
        expected[name] = ("loaded", None)

    for name in (
        "new\nline.md",
        "tab\t.md",
        "quote'\"`.md",
        "; drop table x; --.md",
        "{brace}.md",
        "%s %d $1 ?.md",
        "-rf.md",
        " space .md",
        "Case.md",
        "case.md",
        unicodedata.normalize("NFC", "é.md"),
        unicodedata.normalize("NFD", "é.md"),
        "\u202egnp.md",
        "😀.md",
        f"{'n' * 247}.md",
        f"{'deep/' * 60}deep.md",
        "folder.md/inside.md",
        "UPPER.MD",
        "\x1b[31m.md",
    ):
        good(name)
    Path(os.fsdecode(os.fsencode(source) + b"/latin-\xe9.md")).write_text(GOOD)
    expected["latin-\\xe9.md"] = ("quarantined", "bad_file_name")
    (outside / "secret.md").write_text(GOOD)
    (source / "link-out.md").symlink_to(outside / "secret.md")
    (source / "link-in.md").symlink_to(source / "case.md")
    (source / "link-broken.md").symlink_to("nowhere")
    (source / "link-self.md").symlink_to("link-self.md")
    (source / "loop").symlink_to(source)
    for name in ("link-out.md", "link-in.md", "link-broken.md", "link-self.md"):
        expected[name] = ("excluded", "symbolic_link")
    os.mkfifo(source / "pipe.md")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(source)  # The address of a socket must be short.
        listener.bind("socket.md")
        os.chdir(here)
    expected["pipe.md"] = expected["socket.md"] = ("excluded", "not_a_file")
    content.write("empty.md", "")
    content.write("zeros.md", b"\0" * 1000)
    expected["empty.md"] = expected["zeros.md"] = ("excluded", "no_front_matter")
    with (source / "huge.md").open("wb") as huge:
        huge.write(b"---\ntitle: a\n")
        huge.truncate(200 * 1024 * 1024)
    expected["huge.md"] = ("quarantined", "file_too_large")
    topics = "".join(f"  - Topic {number}\n" for number in range(50_000))
    content.write("topics.md", f"---\ntitle: a\ntopics:\n{topics}---\n")
    expected["topics.md"] = ("loaded", None)
    wrong = "".join("  - []\n" for number in range(60_000))
    content.write("wrong.md", f"---\ntitle: a\ntopics:\n{wrong}---\n")
    expected["wrong.md"] = ("loaded", None)
    return expected


def test_every_entry_of_an_odd_folder_is_accounted_for_once(
    content: Content, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One ledger row each, as expected; the same again in the next build, which finds no change."""
    (tmp_path / "outside").mkdir()
    expected = make_everything_odd(content, tmp_path / "outside")
    command = ["--warehouse", str(content.warehouse), "build", str(content.source)]
    assert cli.main(command) == 0
    found = content.ledger()
    assert {path: (status, code) for path, status, code in found} == expected
    assert len(found) == len(expected)
    assert content.query(
        "select count(*) from raw.article_topics where article_id = 'topics.md'"
    ) == [(50_000,)]
    said = capfd.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "Traceback" not in said.out + said.err
    assert not content.build().published
    # Kibibytes: most of a gibibyte is what pandas and DuckDB take for a start.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1_500_000


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
