"""An archive is read as a folder is, in memory, and hostile ones do no harm."""

import gzip
import io
import struct
import subprocess
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from backports import zstd

from flows.pipeline.context import Request
from flows.pipeline.receipt import Receipt
from flows.pipeline.run import run
from flows.source import archives, members
from flows.source.folder import SourceUnreadable
from flows.source.patterns import PathFilter
from flows.source.read import Unreadable
from tests.conftest import article, counts
from tests.servers import Bucket


def zipped(files: Mapping[str, str]) -> bytes:
    """Return a zip archive of texts."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return made.getvalue()


def tarred(files: Mapping[str, str], top: str = "./") -> bytes:
    """Return a tar archive of texts, named as `tar` names what is in the current folder."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, text in files.items():
            add(archive, f"{top}{path}", text.encode())
    return made.getvalue()


def add(archive: tarfile.TarFile, path: str, data: bytes = b"", **fields: Any) -> None:
    """Add a member with any fields to a tar archive."""
    info = tarfile.TarInfo(path)
    info.size = len(data)
    for name, value in fields.items():
        setattr(info, name, value)
    archive.addfile(info, io.BytesIO(data))


FORMATS: dict[str, Callable[[Mapping[str, str]], bytes]] = {
    "zip": zipped,
    "tar": tarred,
    "tar.gz": lambda files: gzip.compress(tarred(files)),
    "tgz": lambda files: gzip.compress(tarred(files)),
    "tar.zst": lambda files: zstd.compress(tarred(files)),
}


def build(archive: Path | str, folder: Path) -> Receipt:
    """Bring the warehouse of a folder up to date with an archive."""
    return run(Request(archive, folder / "warehouse.duckdb"))


def ledger(folder: Path) -> list[tuple[Any, ...]]:
    """Return path, status and reason code of every member."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as con:
        return con.execute("select path, status, reason_code from ops.files order by 1").fetchall()


def articles(**qualities: int) -> dict[str, str]:
    """Return the files of articles named by their titles."""
    return {
        f"_news/{title}.md": article(title=title, quality=quality)
        for title, quality in qualities.items()
    }


@pytest.mark.parametrize("ending", FORMATS)
def test_the_life_of_members(tmp_path: Path, ending: str) -> None:
    """New, unchanged, changed, renamed, gone and broken members are told apart."""
    archive = tmp_path / f"content.{ending}"
    make = FORMATS[ending]
    archive.write_bytes(make({**articles(a=1, b=2, c=3, d=4), "picture.png": "x"}))
    assert counts(build(archive, tmp_path)) == {"seen": 4, "loaded": 4, "ignored": 1, "new": 4}
    again = build(archive, tmp_path)
    assert (counts(again)["unchanged"], again.published) == (4, False)
    files = {**articles(a=9, d=4), "_old/b.md": articles(b=2)["_news/b.md"]}
    archive.write_bytes(make({**files, "_news/d.md": "---\ntitle: a: b\n---\n"}))
    assert counts(build(archive, tmp_path)) == {
        "seen": 3, "loaded": 2, "quarantined": 1, "changed": 2, "renamed": 1, "gone": 1,
    }  # fmt: skip
    assert [row[:2] for row in ledger(tmp_path)] == [
        ("_news/a.md", "loaded"),
        ("_news/b.md", "gone"),
        ("_news/c.md", "gone"),
        ("_news/d.md", "quarantined"),
        ("_old/b.md", "loaded"),
    ]


@pytest.mark.parametrize("ending", FORMATS)
def test_an_archive_that_ends_too_early_changes_nothing(tmp_path: Path, ending: str) -> None:
    """Wherever it was cut, also between two members, it says nothing of what is gone."""
    archive = tmp_path / f"content.{ending}"
    whole = FORMATS[ending](articles(a=1, b=2, c=3))
    archive.write_bytes(whole)
    build(archive, tmp_path)
    before = ledger(tmp_path)
    ends = (0, 1, 1024, 2048, 2500) if ending == "tar" else (0, 1, len(whole) // 2, len(whole) - 9)
    for end in ends:
        archive.write_bytes(whole[:end])
        with pytest.raises(SourceUnreadable, match="no whole archive"):
            build(archive, tmp_path)
    assert ledger(tmp_path) == before


def test_a_cut_between_compressed_members_is_seen(tmp_path: Path) -> None:
    """A stream that ends well but lacks the end of the tar in it is not whole either."""
    archive = tmp_path / "content.tar.gz"
    archive.write_bytes(gzip.compress(tarred(articles(a=1, b=2))[:1024]))
    with pytest.raises(SourceUnreadable):
        build(archive, tmp_path)


def test_names_lead_nowhere(tmp_path: Path) -> None:
    """Absolute names, .., symbolic links and devices are left out; nothing is written anywhere."""
    text = article(title="evil").encode()
    with tarfile.open(tmp_path / "content.tar", "w") as archive:
        add(archive, "_news/a.md", article(title="a").encode())
        add(archive, "/etc/evil.md", text)
        add(archive, "../evil.md", text)
        add(archive, "x/../../evil.md", text)
        add(archive, "link.md", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        add(archive, "hard.md", type=tarfile.LNKTYPE, linkname="_news/a.md")
        add(archive, "pipe.md", type=tarfile.FIFOTYPE)
    build(tmp_path / "content.tar", tmp_path)
    assert ledger(tmp_path) == [
        ("/etc/evil.md", "excluded", "leads_out"),
        ("_news/a.md", "loaded", None),
        ("hard.md", "loaded", None),
        ("link.md", "excluded", "symbolic_link"),
        ("pipe.md", "excluded", "not_a_file"),
    ]
    assert not [*tmp_path.rglob("*evil*")]


def test_links_and_encrypted_members_of_a_zip(tmp_path: Path) -> None:
    """A link is left out; what is encrypted is quarantined, and all else is loaded."""
    made = io.BytesIO(zipped({**articles(a=1), "secret.md": article(title="secret")}))
    with zipfile.ZipFile(made, "a") as archive:
        link = zipfile.ZipInfo("link.md")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "_news/a.md")
    data = bytearray(made.getvalue())
    # The flag of encryption, in the local header and in the directory.
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        names = 30 if offset == 6 else 46
        at = data.index(b"secret.md", data.index(signature)) - names
        at = at if data[at : at + 4] == signature else data.rindex(b"secret.md") - names
        data[at + offset] |= 1
    (tmp_path / "content.zip").write_bytes(data)
    build(tmp_path / "content.zip", tmp_path)
    assert ledger(tmp_path) == [
        ("_news/a.md", "loaded", None),
        ("link.md", "excluded", "symbolic_link"),
        ("secret.md", "quarantined", "encrypted"),
    ]


def test_an_archive_of_another_version_or_none_changes_nothing(tmp_path: Path) -> None:
    """Whatever the library that reads it calls that."""
    newer = bytearray(zipped(articles(a=1)))
    newer[newer.index(b"PK\1\2") + 6] = 99
    for name, data in (("newer.zip", bytes(newer)), ("none.tar.zst", b"no archive at all")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceUnreadable, match="no whole archive"):
            build(tmp_path / name, tmp_path)


def test_a_hard_link_is_a_file(tmp_path: Path) -> None:
    """It has the bytes of the member that it names; without one it is left out."""
    with tarfile.open(tmp_path / "content.tar", "w") as archive:
        add(archive, "a.md", article(title="a", quality=1).encode())
        for path, target in (("b.md", "a.md"), ("c.md", "b.md"), ("d.md", "/etc/passwd")):
            add(archive, path, type=tarfile.LNKTYPE, linkname=target)
        add(archive, "a.md", article(title="later", quality=2).encode())
    build(tmp_path / "content.tar", tmp_path)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as con:
        found = con.execute("select article_id, title from raw.articles order by 1").fetchall()
    assert found == [("a.md", "later"), ("b.md", "a"), ("c.md", "a")]
    assert ledger(tmp_path)[-1] == ("d.md", "excluded", "symbolic_link")


def test_a_damaged_tar_changes_nothing(tmp_path: Path) -> None:
    """A damaged header, or one that leads back, would hide the members behind it."""
    whole = tarred(articles(a=1, b=2))
    at = whole.index(b"./_news/b.md")
    with tarfile.open(tmp_path / "negative.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        add(archive, "a.md", pax_headers={"size": "-512"})
        add(archive, "b.md", article().encode())
    (tmp_path / "header.tar").write_bytes(whole[:at] + b"X" + whole[at + 1 :])
    for name, said in (
        ("negative", "a.md has a negative size"),
        ("header", f"byte {at} is damaged"),
    ):
        with pytest.raises(SourceUnreadable, match=said):
            build(tmp_path / f"{name}.tar", tmp_path)


def test_a_sparse_member_is_whole(tmp_path: Path) -> None:
    """Its holes are zeros, as in the unpacked file."""
    subprocess.run(
        "printf -- '---\ntitle: a\n---\n' > a.md && truncate -s 1M a.md && tar -cSf a.tar a.md",
        shell=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    build(tmp_path / "a.tar", tmp_path)
    assert ledger(tmp_path) == [("a.md", "loaded", None)]


def test_a_damaged_member_is_that_member_alone(tmp_path: Path) -> None:
    """A member whose checksum does not fit is quarantined; its neighbours are loaded."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for path, text in articles(a=1, b=2).items():
            archive.writestr(path, text)
    (tmp_path / "content.zip").write_bytes(made.getvalue().replace(b"quality: 2", b"quality: 7"))
    build(tmp_path / "content.zip", tmp_path)
    assert ledger(tmp_path) == [
        ("_news/a.md", "loaded", None),
        ("_news/b.md", "quarantined", "broken_member"),
    ]


def test_the_last_of_two_members_with_one_name_counts(tmp_path: Path) -> None:
    """As every tool unpacks them."""
    with tarfile.open(tmp_path / "content.tar", "w") as archive:
        for quality in (1, 2):
            add(archive, "a.md", article(title="a", quality=quality).encode())
    build(tmp_path / "content.tar", tmp_path)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as con:
        assert con.execute("select quality from raw.articles").fetchall() == [(2,)]


@pytest.mark.parametrize("ending", ["zip", "tar.gz", "tar.zst"])
def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """What unpacks to more than a hundred times its size is refused as a whole."""
    monkeypatch.setattr(members, "_ALWAYS_ALLOWED", 100_000)
    archive = tmp_path / f"content.{ending}"
    archive.write_bytes(FORMATS[ending]({f"{n}.md": "\0" * 1_000_000 for n in range(8)}))
    with pytest.raises(SourceUnreadable, match="more than 100 times its size"):
        build(archive, tmp_path)


def test_members_that_claim_gigabytes_are_never_held(tmp_path: Path) -> None:
    """A claim of ten gigabytes in a tar's header takes no memory; the archive is not whole."""
    made = io.BytesIO(tarred(articles(a=1)))
    header = tarfile.TarInfo("big.md")
    header.size = 10 * 1024**3
    pax = tarfile.TarInfo("pax")
    pax.type, pax.size = tarfile.XHDTYPE, 10 * 1024**3
    for info in (header, pax):
        archive = tmp_path / "content.tar.gz"
        archive.write_bytes(gzip.compress(info.tobuf() + made.getvalue()))
        with pytest.raises((SourceUnreadable, SourceUnreadable)):
            build(archive, tmp_path)


def test_a_zip_that_claims_gigabytes_quarantines_the_member(tmp_path: Path) -> None:
    """A claim over the limit is enough; below the bound for the whole, its neighbours load."""
    data = bytearray(zipped({**articles(a=1), "big.md": "x"}))
    at = data.rindex(b"big.md") - 46
    data[at + 24 : at + 28] = struct.pack("<I", 50 * 1024**2)
    (tmp_path / "content.zip").write_bytes(data)
    build(tmp_path / "content.zip", tmp_path)
    assert ledger(tmp_path) == [
        ("_news/a.md", "loaded", None),
        ("big.md", "quarantined", "file_too_large"),
    ]


def test_a_zip_member_that_gives_more_than_it_claims_takes_no_memory(tmp_path: Path) -> None:
    """It is quarantined as soon as it has given what it claims."""
    data = bytearray(zipped({**articles(a=1), "big.md": "x" * 50_000_000}))
    for signature, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        at = data.rindex(signature)
        data[at + offset : at + offset + 4] = struct.pack("<I", 34)
    (tmp_path / "content.zip").write_bytes(data)
    listing = archives.walk(tmp_path / "content.zip", PathFilter())
    read = archives.open_reader(tmp_path / "content.zip")
    tracemalloc.start()
    with pytest.raises(Unreadable, match="cannot be unpacked"):
        read("big.md")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (listing.paths[-1], peak < 1_000_000) == ("big.md", True)


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_an_archive_is_opened_once_for_all_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """Reading takes time for each member, not for each pair of a member and a batch."""
    archive = tmp_path / f"content.{ending}"
    archive.write_bytes(FORMATS[ending]({f"{n}.md": "" for n in range(9)}))
    opened: list[Path] = []
    monkeypatch.setattr(
        archives,
        "read_members",
        lambda file, name: (opened.append(name), members.read_members(file, name))[1],
    )
    listing = archives.walk(archive, PathFilter())
    sizes = [archives.open_reader(archive)(path)[2].size_bytes for path in listing.paths]
    assert (sizes, len(opened)) == ([0] * 9, 1)


def test_threads_read_their_own_members(tmp_path: Path) -> None:
    """A worker of a cluster reads several batches of one archive at a time."""
    files = {f"{n}.md": str(n) * 20_000 for n in range(10)}
    (tmp_path / "content.tar").write_bytes(tarred(files))
    read = archives.open_reader(tmp_path / "content.tar")
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(read, [*files] * 50)
        assert [data for data, *_ in found] == [text.encode() for text in files.values()] * 50


def test_utf_8_needs_no_flag(tmp_path: Path) -> None:
    """Many tools write UTF-8 names into a zip without saying so; others are of code page 437."""
    made = zipped({"caf__.md": article(title="a"), "gar_on.md": article(title="b")})
    made = made.replace(b"caf__.md", "café.md".encode()).replace(b"gar_on", b"gar\x87on")
    (tmp_path / "content.zip").write_bytes(made)
    build(tmp_path / "content.zip", tmp_path)
    assert ledger(tmp_path) == [("café.md", "loaded", None), ("garçon.md", "loaded", None)]


def test_a_name_that_is_not_utf_8_is_quarantined(tmp_path: Path) -> None:
    """The ledger spells its bytes out."""
    gnu = {"format": tarfile.GNU_FORMAT, "encoding": "latin-1"}
    with tarfile.open(tmp_path / "content.tar", "w", **gnu) as archive:
        add(archive, "a.md", article().encode())
        add(archive, "caf\xe9.md", article().encode())
    build(tmp_path / "content.tar", tmp_path)
    assert ledger(tmp_path) == [
        ("a.md", "loaded", None),
        ("caf\\xe9.md", "quarantined", "bad_file_name"),
    ]


def test_folders_in_a_zip_of_windows_are_folders(tmp_path: Path) -> None:
    """Backslashes of a tool there separate them, elsewhere they are letters; none leads out."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for system, name in ((0, "_news\\a.md"), (0, "\\abs.md"), (3, "odd\\b.md")):
            info = zipfile.ZipInfo(name)
            info.create_system = system
            archive.writestr(info, article(title=name))
    (tmp_path / "content.zip").write_bytes(made.getvalue())
    build(tmp_path / "content.zip", tmp_path)
    assert ledger(tmp_path) == [
        ("/abs.md", "excluded", "leads_out"),
        ("_news/a.md", "loaded", None),
        ("odd\\b.md", "loaded", None),
    ]


@pytest.mark.parametrize("pack", [zipped, partial(tarred, top="")])
def test_the_folder_that_was_packed_is_the_root(
    tmp_path: Path, pack: Callable[[Mapping[str, str]], bytes]
) -> None:
    """Paths are those of the unpacked folder, whatever a download calls it this time."""
    files = {**articles(a=1, b=2), "about.md": article(title="c"), "LICENSE": "free"}
    for path, text in files.items():
        (tmp_path / "folder" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / path).write_text(text)
    build(tmp_path / "folder", tmp_path)
    archive = tmp_path / ("blog.zip" if pack is zipped else "blog.tar")
    for top in ("blog-3f2a91c", "blog-9be0d47", "about.md"):
        packed = {f"{top}/{path}": text for path, text in files.items()}
        # Finder of macOS puts a second folder beside it.
        archive.write_bytes(pack({**packed, f"__MACOSX/{top}/._about.md": "mac"}))
        receipt = build(archive, tmp_path / "packed")
        assert ledger(tmp_path / "packed") == ledger(tmp_path)
        assert (receipt.new, receipt.unchanged) in ((3, 0), (0, 3))


def test_another_root_moves_articles_with_their_history(tmp_path: Path) -> None:
    """A file beside the folder makes it a collection; without it paths change, nothing is new."""
    archive = tmp_path / "blog.zip"
    packed = {f"blog/{path}": text for path, text in articles(a=1, b=2).items()}
    archive.write_bytes(zipped({**packed, "beside.png": "x"}))
    build(archive, tmp_path)
    archive.write_bytes(zipped(packed))
    assert counts(build(archive, tmp_path)) == {"seen": 2, "loaded": 2, "renamed": 2}


@pytest.mark.parametrize("top", ["_posts/", ".posts/", "/posts/", "../posts/"])
def test_some_folders_are_no_root(tmp_path: Path, top: str) -> None:
    """A collection, a hidden folder and one from elsewhere stay what they are, though alone."""
    archive = tmp_path / "blog.tar"
    archive.write_bytes(tarred({"a.md": article()}, top))
    is_hidden = top.startswith(".")
    assert archives.walk(archive, PathFilter()).paths == ([] if is_hidden else [f"{top}a.md"])


def test_a_folder_may_be_named_like_an_archive(tmp_path: Path) -> None:
    """It is read as the folder that it is."""
    (tmp_path / "content.zip").mkdir()
    (tmp_path / "content.zip/a.md").write_text(article())
    assert build(tmp_path / "content.zip", tmp_path).loaded == 1


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_an_archive_at_an_address(bucket: Bucket, tmp_path: Path, ending: str) -> None:
    """It is fetched once a build, and the ledger has the paths of its members."""
    make = FORMATS[ending]
    bucket.put(f"all.{ending}", make(articles(a=1, b=2)))
    address = f"{bucket.address}/all.{ending}"
    assert counts(build(address, tmp_path)) == {"seen": 2, "loaded": 2, "new": 2}
    asked = [path for path in bucket.read_objects() if path == f"all.{ending}"]
    assert len(asked) <= 3  # Twice for what it is, once for its bytes.
    bucket.put(f"all.{ending}", make(articles(a=1, b=3)))
    assert counts(build(address, tmp_path)) == {
        "seen": 2,
        "loaded": 2,
        "unchanged": 1,
        "changed": 1,
    }


def test_an_address_that_breaks_off_changes_nothing(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is gone in the middle is an error, and the warehouse stays."""
    from flows.source import objects

    monkeypatch.setattr(objects, "_RETRIES", {"max_retries": 1})
    bucket.put("all.zip", zipped(articles(a=1)))
    build(f"{bucket.address}/all.zip", tmp_path)
    bucket.put("all.zip", zipped(articles(b=1)))
    bucket.proxy.requests.clear()
    bucket.proxy.lives = 1
    with pytest.raises(SourceUnreadable):
        build(f"{bucket.address}/all.zip", tmp_path)
    assert ledger(tmp_path) == [("_news/a.md", "loaded", None)]
