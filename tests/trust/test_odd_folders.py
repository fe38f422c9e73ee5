"""Folders as they come: every entry is accounted for exactly once, and nothing stops the run."""

import os
import socket
import unicodedata
from pathlib import Path

import pytest

from flows import frontmatter
from tests.conftest import Content, article, counts


def build_and_balance(content: Content) -> dict[str, tuple[str, str | None]]:
    """Build, check that the ledger balances, and return status and reason code by path."""
    receipt = content.build()
    assert receipt.seen == receipt.loaded + receipt.quarantined + receipt.excluded
    ledger = content.ledger()
    assert len(ledger) == len({path for path, _, _ in ledger}) == receipt.seen
    return {path: (status, code) for path, status, code in ledger}


@pytest.fixture(autouse=True)
def no_reports(without_reports: None) -> None:
    """Leave the reports out where nothing is said of them."""


STRANGE = [
    "with a\nline break.md",
    "tab\tand bell\x07.md",
    "'; drop table raw.articles; --.md",
    "<img src=x onerror=alert(1)>.md",
    "=cmd|' -C calc'!A0.md",
    "-rf.md",
    "日本語 🌊.md",
    "a" * 247 + ".md",
    " leading and trailing .md",
    "100%.md",
    "back\\slash.md",
]


def test_a_strange_name_is_a_name(content: Content, with_reports: None) -> None:
    """Whatever a file is called, it is loaded under that name."""
    paths = sorted(f"_news/{name}" for name in STRANGE)
    for path in paths:
        content.write(path, article())
    assert build_and_balance(content) == dict.fromkeys(paths, ("loaded", None))
    assert content.query("select article_id, collection from raw.articles order by all") == [
        (path, "news") for path in paths
    ]
    assert content.query("select article_id from marts.articles order by all") == [
        (path,) for path in paths
    ]


def test_a_name_that_is_not_utf8_is_quarantined(content: Content) -> None:
    """A name that no table can hold is shown escaped, and stays one row from run to run."""
    content.write("good.md", article())
    Path(os.fsdecode(os.fsencode(content.source) + b"/caf\xe9.md")).write_text(article())
    expected = {
        "caf\\xe9.md": ("quarantined", "bad_file_name"),
        "good.md": ("loaded", None),
    }
    assert build_and_balance(content) == expected
    assert counts(content.build()) == {"seen": 2, "loaded": 1, "quarantined": 1, "unchanged": 2}


def test_names_that_look_alike_are_different_files(content: Content) -> None:
    """Composed and decomposed letters, and upper and lower case, are told apart."""
    names = [unicodedata.normalize(form, "é.md") for form in ("NFC", "NFD")] + ["A.md", "a.md"]
    for name in names:
        content.write(name, article())
    assert build_and_balance(content) == dict.fromkeys(names, ("loaded", None))


def test_links_are_rows_and_never_followed(content: Content, tmp_path: Path) -> None:
    """Links to files, folders, out of the source, to themselves and to nothing read nothing."""
    content.write("a.md", article())
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text(article(title="outside"))
    (content.source / "to-file.md").symlink_to("a.md")
    (content.source / "out.md").symlink_to(outside / "secret.md")
    (content.source / "loop.md").symlink_to("loop.md")
    (content.source / "nowhere.md").symlink_to("gone.md")
    (content.source / "folder").symlink_to(outside)
    (content.source / "up").symlink_to("..")
    assert build_and_balance(content) == {
        "a.md": ("loaded", None),
        "loop.md": ("excluded", "symbolic_link"),
        "nowhere.md": ("excluded", "symbolic_link"),
        "out.md": ("excluded", "symbolic_link"),
        "to-file.md": ("excluded", "symbolic_link"),
    }
    assert content.query("select title from raw.articles") == [("A day in the sun",)]


def test_pipes_and_sockets_do_not_block(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not a file is excluded without being waited for."""
    content.write("a.md", article())
    os.mkfifo(content.source / "pipe.md")
    # The name of a socket must be short: bind it from inside the folder.
    monkeypatch.chdir(content.source)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.md")
        assert build_and_balance(content) == {
            "a.md": ("loaded", None),
            "pipe.md": ("excluded", "not_a_file"),
            "socket.md": ("excluded", "not_a_file"),
        }


def test_a_folder_named_like_a_file_is_a_folder(content: Content) -> None:
    """A folder `x.md` is walked, not read."""
    content.write("x.md/y.md", article())
    assert build_and_balance(content) == {"x.md/y.md": ("loaded", None)}


def test_hidden_folders_are_left_out(content: Content) -> None:
    """Tools keep their own files in hidden folders: .git alone can hold thousands."""
    content.write(".git/description.md", article())
    content.write("a.md", article())
    assert build_and_balance(content) == {"a.md": ("loaded", None)}


def test_a_folder_as_deep_as_paths_can_be_is_read(content: Content) -> None:
    """A deep tree neither overflows a stack nor loses a file."""
    folder = "/".join(["d"] * 900)
    content.write(f"{folder}/a.md", article())
    assert build_and_balance(content) == {f"{folder}/a.md": ("loaded", None)}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up its rights for a while")
def test_unreadable_files_and_folders_are_quarantined(
    content: Content, with_reports: None, tmp_path: Path
) -> None:
    """What the account may not read is named, and the rest is loaded."""
    for name in ("good.md", "better.md", "best.md"):
        content.write(name, article())
    # Before the rights are gone: what Python imports may lie where others cannot read.
    content.build()
    content.write("locked.md", article()).chmod(0)
    content.write("closed/inside.md", article())
    (content.source / "closed").chmod(0)
    # pytest keeps its folders to itself.
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder.name.startswith(("pytest-", "popen-", "test_")):
            folder.chmod(0o777)
    for file in (content.warehouse.parent, *tmp_path.glob("warehouse.*")):
        os.chown(file, 65534, 65534, follow_symlinks=False)
    os.seteuid(65534)
    try:
        content.build()
    finally:
        os.seteuid(0)
    assert content.ledger() == [
        ("best.md", "loaded", None),
        ("better.md", "loaded", None),
        ("closed/", "quarantined", "unreadable_folder"),
        ("good.md", "loaded", None),
        ("locked.md", "quarantined", "unreadable"),
    ]


def test_a_huge_file_without_closing_fence_costs_little(content: Content) -> None:
    """200 MB are hashed in pieces and refused, not held in memory."""
    file = content.write("huge.md", "---\ntitle: a\n")
    with file.open("ab") as growing:
        growing.truncate(200 * 1024 * 1024)
    content.write("a.md", article())
    assert build_and_balance(content) == {
        "a.md": ("loaded", None),
        "huge.md": ("quarantined", "file_too_large"),
    }


def test_a_file_with_fifty_thousand_topics_is_loaded(content: Content, with_reports: None) -> None:
    """A list without measure is a list; the pairs of its topics are not made."""
    topics = "".join(f"  - Topic {n}\n" for n in range(50_000))
    text = article().replace("  - Solar\n  - Energy\n", topics)
    content.write("many.md", text)
    assert len(text) < frontmatter.MAX_BLOCK_BYTES
    assert build_and_balance(content) == {"many.md": ("loaded", None)}
    assert content.query(
        "select (select count(*) from marts.topics), (select count(*) from marts.topic_pairs)"
    ) == [(50_000, 0)]


def test_a_folder_without_front_matter_makes_an_empty_warehouse(
    content: Content, with_reports: None
) -> None:
    """Every report exists and is empty when no file is an article."""
    content.write("README.md", "Just words.\n")
    assert build_and_balance(content) == {"README.md": ("excluded", "no_front_matter")}
    assert content.query("select count(*) from marts.topic_trends") == [(0,)]
