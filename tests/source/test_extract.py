"""A batch of paths: what becomes of each file, and what is remembered of it."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from flows import frontmatter
from flows.frontmatter import FrontMatter, Plain
from flows.frontmatter import read as read_front_matter
from flows.source import read as opened
from flows.source import sources
from flows.source.extract import (
    Batch,
    Document,
    Extracted,
    Reject,
    Unchanged,
    extract,
    unread,
)
from flows.source.folder import PathError, walk
from flows.source.patterns import PathFilter
from flows.source.read import MAX_FILE_BYTES, Read, Signature, read

OLD = 1_600_000_000_000_000_000
FAULT = PathError("bad_file_name", "What is wrong.", "What to do.")


def write(folder: Path, name: str, data: bytes) -> Path:
    """Write a file that nobody has touched for years, as far as its times tell."""
    file = folder / name
    file.write_bytes(data)
    os.utime(file, ns=(OLD, OLD))
    return file


def hash_of(data: bytes) -> str:
    """Return the hash that the ledger knows the bytes by."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def signature(file: Path) -> Signature:
    """Return what a file that was just written is remembered by: it may yet change unseen."""
    return Signature(file.stat().st_size, None)


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file that a test writes be just written, however long the test takes."""
    now = time.time_ns()
    monkeypatch.setattr(opened.time, "time_ns", lambda: now)


def one(folder: Path, name: str) -> Document | Reject | Unchanged:
    """Extract one file and return its only outcome."""
    found = extract(Batch(folder, (name,), {}, {}))
    (outcome,) = [*found.documents, *found.rejects, *found.same]
    return outcome


def test_long_bodies_are_not_kept(tmp_path: Path) -> None:
    """A batch of them would fill the memory; they are counted all the same."""
    write(tmp_path, "a.md", b"---\ntitle: a\n---\n" + b"word " * 9_000)
    (document,) = extract(Batch(tmp_path, ("a.md",), {}, {})).documents
    assert (document.data, document.front_matter.body_chars) == (b"---\ntitle: a\n---\n", 45_000)


def test_large_files_are_not_read_ahead_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small ones are, before the first of them is parsed; a batch of large ones fills no memory."""
    done: list[str] = []
    small, large = b"---\ntitle: a\n---\n", b"---\ntitle: a\n---\n" + b"word " * 30_000
    sizes = {"a.md": small, "b.md": small, "c.md": large, "d.md": large}
    for name, data in sizes.items():
        write(tmp_path, name, data)

    def parse(data: bytes, **options: object) -> FrontMatter | None:
        done.append("parse")
        return read_front_matter(data)

    def open_file(location: str) -> Read:
        done.append(f"read {Path(location).name}")
        return read(location)

    monkeypatch.setattr(frontmatter, "read", parse)
    monkeypatch.setattr(sources, "read", open_file)
    assert len(extract(Batch(tmp_path, tuple(sizes), {}, {})).documents) == 4
    reads = [f"read {name}" for name in sizes]
    assert done == [*reads[:3], *["parse"] * 3, reads[3], "parse"]


def test_each_file_has_one_outcome(tmp_path: Path) -> None:
    """A document, a file that is not ours, a broken one, an unchanged one, a known fault."""
    data = {
        "a.md": b"---\ntitle: a\n---\nbody",
        "b.md": b"just words",
        "c.md": b"---\ntitle: a: b\n---\n",
        "d.md": b"---\ntitle: d\n---\n",
    }
    files = {name: write(tmp_path, name, text) for name, text in data.items()}
    known = {"d.md": hash_of(data["d.md"]), "a.md": "another"}
    found = extract(Batch(tmp_path, (*data, "e.md"), known, {"e.md": FAULT}))
    assert found == Extracted(
        documents=[
            Document(
                "a.md",
                hash_of(data["a.md"]),
                signature(files["a.md"]),
                "article",
                FrontMatter({"title": Plain("a")}, 4),
                data["a.md"],
                file="a.md",
            )
        ],
        rejects=[
            Reject(
                "b.md",
                hash_of(data["b.md"]),
                signature(files["b.md"]),
                "excluded",
                "no_front_matter",
                "The file does not begin with front matter.",
                "Nothing to do, unless it should be an article: begin it with a line of ---.",
            ),
            Reject(
                "c.md",
                hash_of(data["c.md"]),
                signature(files["c.md"]),
                "quarantined",
                "unquoted_colon",
                found.rejects[1].message,
                found.rejects[1].hint,
                2,
                9,
            ),
            Reject("e.md", None, None, "quarantined", FAULT.code, FAULT.message, FAULT.hint),
        ],
        same=[Unchanged("d.md", hash_of(data["d.md"]), signature(files["d.md"]))],
    )


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.md", b"---\ntitle: a\n---\n", "article"),
        ("a.yaml", b"---\ntitle: a\n---\n", "excluded not_taxonomy"),
        ("a.yaml", b"---\n- taxonomy: topic\n", "excluded not_taxonomy"),
        ("a.yaml", b"---\nplugin: !!python/name:a.b\n", "excluded not_taxonomy"),
        ("a.md", b"---\ntaxonomy: person\n---\n", "article"),
        ("a.md", b"---\ntaxonomy:\n  tag: [a]\n---\n", "article"),
        ("a.md", b"---\ntaxonomy:\n---\n", "article"),
        ("a.md", b"---\ntaxonomy: [topic]\n---\n", "article"),
        ("a.md", b"---\ntaxonomy: topic\n---\n", "topic"),
        ("a.yaml", b"taxonomy: topic\n", "topic"),
        ("A.YML", b"name: a\ntaxonomy : organization\n", "organization"),
        ("a.yml", b"taxonomy: person\n", "excluded unknown_taxonomy"),
        ("a.yml", b"taxonomy: [topic]\n", "excluded unknown_taxonomy"),
        ("a.yml", b"name: a\n", "excluded not_taxonomy"),
        ("a.yml", b"# taxonomy: topic\n", "excluded not_taxonomy"),
        ("a.md", b"taxonomy: topic\n", "excluded no_front_matter"),
        ("a.md", b"", "excluded no_front_matter"),
    ],
)
def test_the_kind_of_a_document(tmp_path: Path, name: str, data: bytes, expected: str) -> None:
    """`taxonomy` says what a file is; without it front matter is an article, and YAML nothing."""
    write(tmp_path, name, data)
    found = one(tmp_path, name)
    kind = found.kind if isinstance(found, Document) else f"{found.status} {found.code}"  # type: ignore[union-attr]
    assert kind == expected


def test_a_file_that_is_too_large_is_hashed_and_refused(tmp_path: Path) -> None:
    """Its hash tells whether it changes, although its bytes are never held."""
    file = write(tmp_path, "a.md", b"---\ntitle: a\n---\n")
    os.truncate(file, MAX_FILE_BYTES + 1)
    assert one(tmp_path, "a.md") == Reject(
        "a.md",
        hash_of(file.read_bytes()),
        signature(file),
        "quarantined",
        "file_too_large",
        "The file is larger than 32 MiB.",
        "Move large content out of the file, or leave it out with --exclude.",
    )


def test_a_large_file_that_is_known_is_the_same(tmp_path: Path) -> None:
    """It is not refused again as a change."""
    file = write(tmp_path, "a.md", b"")
    os.truncate(file, MAX_FILE_BYTES + 1)
    known = {"a.md": hash_of(file.read_bytes())}
    assert extract(Batch(tmp_path, ("a.md",), known, {})) == Extracted(
        [], [], [Unchanged("a.md", known["a.md"], signature(file))]
    )


def test_times_are_remembered_once_they_can_be_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that ticks coarsely lets a file change within its tick: such times do not count."""
    file = write(tmp_path, "a.md", b"---\ntitle: a\n---\n")
    status = file.stat()
    seen = []
    for later in (1_900_000_000, 2_100_000_000):
        now = status.st_ctime_ns + later
        with monkeypatch.context() as patched:
            patched.setattr(opened.time, "time_ns", lambda now=now: now)
            seen.append(one(tmp_path, "a.md").signature)
    assert seen == [
        Signature(17, None),
        Signature(17, f"17 {OLD} {status.st_ctime_ns} {status.st_ino}"),
    ]


@pytest.mark.parametrize("year", [1600, 2300])
def test_a_time_that_cannot_be_is_as_good_as_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    """Archives and dead disks leave such times; the file is read once, and then known."""
    file = write(tmp_path, "a.md", b"---\ntitle: a\n---\n")
    seconds = (year - 1970) * 31_556_952
    os.utime(file, (seconds, seconds))
    status = file.stat()
    monkeypatch.setattr(opened.time, "time_ns", lambda: status.st_ctime_ns + 3_000_000_000)
    found = one(tmp_path, "a.md")
    assert isinstance(found, Document)
    assert (found.signature.mark,) == tuple(walk(tmp_path, PathFilter()).marks)


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (lambda file: None, "missed", "vanished"),
        (lambda file: file.symlink_to("other"), "excluded", "symbolic_link"),
        (os.mkfifo, "excluded", "not_a_file"),
        (os.mkdir, "excluded", "not_a_file"),
    ],
    ids=["nothing", "link", "pipe", "folder"],
)
def test_what_is_no_file_is_not_read(tmp_path: Path, make: object, status: str, code: str) -> None:
    """Whatever took the place of a listed file is told, and neither followed nor waited for."""
    make(tmp_path / "a.md")  # type: ignore[operator]
    found = one(tmp_path, "a.md")
    assert isinstance(found, Reject)
    assert (found.status, found.code, found.content_hash) == (status, code, None)


def test_a_file_that_the_reader_cannot_survive_is_still_known_by_its_bytes(tmp_path: Path) -> None:
    """So it is tried again when it changes, and not before; a vanished one has none."""
    file = write(tmp_path, "a.md", b"---\n---\n")
    said = ("reader_crashed", "What happened.", "What to do.")
    assert [unread(Batch(tmp_path, (), {}, {}), name, *said) for name in ("a.md", "b.md")] == [
        Reject("a.md", hash_of(b"---\n---\n"), signature(file), "quarantined", *said),
        Reject("b.md", None, None, "quarantined", *said),
    ]
