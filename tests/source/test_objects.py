"""A bucket is read as a folder is: every object accounted for, and nothing lost by an accident."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from obstore.exceptions import GenericError

from flows import UsageError
from flows.pipeline.context import Request
from flows.pipeline.receipt import Receipt
from flows.pipeline.run import run
from flows.source import objects, sources
from flows.source.folder import SourceMissing, SourceUnreadable
from tests import servers
from tests.conftest import article, counts
from tests.servers import SECRET_KEY, Bucket


def build(bucket: Bucket, folder: Path, **options: Any) -> Receipt:
    """Bring a warehouse up to date with a bucket."""
    return run(Request(bucket.address, folder / "warehouse.duckdb", **options))


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query on the warehouse."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def ledger(folder: Path) -> list[tuple[Any, ...]]:
    """Return path, status and reason code of every object."""
    return query(folder, "select path, status, reason_code from ops.files order by path")


def fill(bucket: Bucket, count: int = 3) -> None:
    """Put some articles into a bucket, from _news/a.md on."""
    for name in "abcdefghijklmnop"[:count]:
        bucket.put(f"_news/{name}.md", article(title=name))


def test_new_objects_are_loaded_under_their_names_below_the_address(
    bucket: Bucket, tmp_path: Path
) -> None:
    """Patterns, hidden names and what looks like a folder are treated as in a folder."""
    fill(bucket)
    bucket.put("_news/d é+%20.md", article(title="d"))
    bucket.put("_news/", b"")
    bucket.put("picture.png", b"\x89PNG")
    bucket.put(".git/x.md", article(title="x"))
    bucket.client.put_object(Bucket=bucket.name, Key="content-of-others/y.md", Body=b"")
    receipt = build(bucket, tmp_path)
    assert counts(receipt) == {"seen": 4, "loaded": 4, "ignored": 3, "new": 4}
    assert receipt.source == bucket.address
    assert query(tmp_path, "select article_id, collection from raw.articles order by 1") == [
        (f"_news/{name}.md", "news") for name in ("a", "b", "c", "d é+%20")
    ]


def test_nothing_is_read_when_nothing_changed(bucket: Bucket, tmp_path: Path) -> None:
    """The second build lists the bucket, reads no object and publishes nothing."""
    fill(bucket)
    build(bucket, tmp_path)
    assert sorted(bucket.read_objects()) == ["_news/a.md", "_news/b.md", "_news/c.md"]
    receipt = build(bucket, tmp_path)
    assert (counts(receipt), receipt.published) == ({"seen": 3, "loaded": 3, "unchanged": 3}, False)
    assert bucket.read_objects() == []


def test_the_life_of_objects(bucket: Bucket, tmp_path: Path) -> None:
    """Changed, renamed, gone, broken, mended and returned objects are told apart."""
    fill(bucket, 4)
    build(bucket, tmp_path)
    bucket.put("_news/a.md", article(title="a", quality=90))
    bucket.delete("_news/b.md")
    bucket.put("_old/b.md", article(title="b"))
    bucket.delete("_news/c.md")
    bucket.put("_news/d.md", "---\ntitle: a: b\n---\n")
    receipt = build(bucket, tmp_path)
    assert counts(receipt) == {
        "seen": 3, "loaded": 2, "quarantined": 1, "changed": 2, "renamed": 1, "gone": 1,
    }  # fmt: skip
    assert [(path, status) for path, status, _ in ledger(tmp_path)] == [
        ("_news/a.md", "loaded"),
        ("_news/b.md", "gone"),
        ("_news/c.md", "gone"),
        ("_news/d.md", "quarantined"),
        ("_old/b.md", "loaded"),
    ]
    bucket.put("_news/c.md", article(title="c"))
    bucket.put("_news/d.md", article(title="d"))
    receipt = build(bucket, tmp_path)
    assert counts(receipt) == {
        "seen": 4, "loaded": 4, "unchanged": 2, "new": 1, "returned": 1, "changed": 1,
    }  # fmt: skip


def test_another_mark_with_the_same_bytes_is_no_change(bucket: Bucket, tmp_path: Path) -> None:
    """An object that was uploaded again in parts has another ETag: it is read, and unchanged."""
    fill(bucket)
    build(bucket, tmp_path)
    bucket.read_objects()
    key = {"Bucket": bucket.name, "Key": "content/_news/b.md"}
    upload = bucket.client.create_multipart_upload(**key)["UploadId"]
    part = bucket.client.upload_part(
        **key, UploadId=upload, PartNumber=1, Body=article(title="b").encode()
    )
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    bucket.client.complete_multipart_upload(**key, UploadId=upload, MultipartUpload=parts)
    receipt = build(bucket, tmp_path)
    assert bucket.read_objects() == ["_news/b.md"]
    assert (receipt.unchanged, receipt.published) == (3, False)


def test_an_empty_listing_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    """A bucket that lists nothing, or a mistyped folder in it, loses no article."""
    with pytest.raises(SourceMissing):
        build(bucket, tmp_path)
    fill(bucket)
    build(bucket, tmp_path)
    for name in "abc":
        bucket.delete(f"_news/{name}.md")
    with pytest.raises(SourceMissing, match="the warehouse holds 3 files"):
        build(bucket, tmp_path)
    assert query(tmp_path, "select count(*) from raw.articles") == [(3,)]


@pytest.mark.parametrize("lives", [1, 5])
def test_a_server_that_dies_in_the_middle_changes_nothing(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lives: int
) -> None:
    """Whether it dies while it lists (three pages) or while it is read, the warehouse stays."""
    monkeypatch.setattr(objects, "_RETRIES", {"max_retries": 1})
    fill(bucket, 12)
    build(bucket, tmp_path)
    before = ledger(tmp_path)
    for name in "abcdefghijkl":
        bucket.put(f"_news/{name}.md", article(title=name, quality=90))
    bucket.proxy.requests.clear()
    bucket.proxy.lives = lives
    with pytest.raises(SourceUnreadable, match="does not answer; nothing was changed"):
        build(bucket, tmp_path)
    assert ledger(tmp_path) == before
    bucket.proxy.lives = None
    assert build(bucket, tmp_path).changed == 12


def test_a_server_that_fails_now_and_then_is_asked_again(bucket: Bucket, tmp_path: Path) -> None:
    """A connection that breaks off once is no error."""
    fill(bucket)

    def break_once(path: str) -> None:
        if path.endswith("b.md") and bucket.proxy.requests.count(path) == 1:
            raise OSError

    bucket.proxy.before_request = break_once
    assert build(bucket, tmp_path).loaded == 3


def test_a_slow_server_is_waited_for(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of work that each file has does not run while the network is waited for."""
    monkeypatch.setattr("flows.source.time_limit.SECONDS", 0.2)
    fill(bucket)
    bucket.proxy.delay = 0.5
    assert counts(build(bucket, tmp_path)) == {"seen": 3, "loaded": 3, "new": 3}


def test_an_object_that_vanishes_before_it_is_read_stays_as_it_was(
    bucket: Bucket, tmp_path: Path
) -> None:
    """What is known of it is kept, and the next build counts it as gone."""
    fill(bucket)
    build(bucket, tmp_path)
    bucket.put("_news/a.md", article(title="a", quality=90))
    bucket.put("_news/b.md", article(title="b", quality=90))

    def remove(path: str) -> None:
        if path.endswith("b.md"):
            bucket.delete("_news/b.md")

    bucket.proxy.before_request = remove
    build(bucket, tmp_path)
    assert query(tmp_path, "select title, quality from raw.articles order by 1") == [
        ("a", 90), ("b", 80), ("c", 80),
    ]  # fmt: skip
    assert build(bucket, tmp_path).gone == 1


def test_an_object_that_changes_before_it_is_read_is_read_again_next_time(
    bucket: Bucket, tmp_path: Path
) -> None:
    """Its new bytes are loaded, but not under the mark of the old ones."""
    fill(bucket)

    def change(path: str) -> None:
        if path.endswith("b.md"):
            bucket.proxy.before_request = lambda path: None
            bucket.put("_news/b.md", article(title="b", quality=90))

    bucket.proxy.before_request = change
    build(bucket, tmp_path)
    assert query(tmp_path, "select quality from raw.articles where title = 'b'") == [(90,)]
    bucket.read_objects()
    build(bucket, tmp_path)
    assert bucket.read_objects() == ["_news/b.md"]


def test_an_object_over_the_limit_is_not_transferred(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is quarantined like a file of its size, and not asked for again."""
    monkeypatch.setattr(objects, "MAX_FILE_BYTES", 2000)
    fill(bucket)
    bucket.put("_news/big.md", article(title="big", body="x" * 3000))
    build(bucket, tmp_path)
    assert ("_news/big.md", "quarantined", "file_too_large") in ledger(tmp_path)
    bucket.read_objects()
    assert build(bucket, tmp_path).published is False
    assert bucket.read_objects() == []


def test_workers_make_clients_of_their_own(bucket: Bucket, tmp_path: Path) -> None:
    """Only the address travels to other processes: they read the same articles."""
    fill(bucket, 6)
    command = ["build", bucket.address, "--runner", "process", "--jobs", "2", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "flows", "--warehouse", tmp_path / "warehouse.duckdb", *command],
        check=True,
        env=dict(os.environ),
    )
    assert query(tmp_path, "select count(*) from raw.articles") == [(6,)]


def test_credentials_are_nowhere(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither errors nor the files beside the warehouse hold what the environment holds."""
    fill(bucket)
    build(bucket, tmp_path)
    missing = Bucket("bucket-that-is-not", bucket.client, bucket.proxy)
    with pytest.raises(SourceUnreadable) as refused:
        build(missing, tmp_path / "other")
    assert str(refused.value) == (
        "s3://bucket-that-is-not/content: it answers with an error (NoSuchBucket);"
        " nothing was changed"
    )
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not [s for s in (SECRET_KEY, "AKIATEST") if s.encode() in kept]


@pytest.mark.parametrize("name", ["a//b.md", "a/../b.md", "./b.md"])
def test_an_object_whose_name_is_no_path_is_named(
    bucket: Bucket, tmp_path: Path, name: str
) -> None:
    """Nothing can be listed past it; folders beside it can be built from."""
    fill(bucket)
    bucket.put(name, article(title="b"))
    with pytest.raises(SourceUnreadable) as refused:
        build(bucket, tmp_path)
    assert str(refused.value) == (
        f"{bucket.address}: content/{name} is a name that is no path, and the bucket cannot be"
        " listed past it: rename that object, or build from a folder without it; nothing was"
        " changed"
    )
    receipt = run(Request(f"{bucket.address}/_news", tmp_path / "warehouse.duckdb"))
    assert receipt.loaded == 3


def test_an_object_that_stands_for_a_folder_is_no_file(bucket: Bucket, tmp_path: Path) -> None:
    """Whatever the folder is called, also if there is a file of that name."""
    fill(bucket)
    bucket.put("_news/b.md/", b"")
    bucket.put("_news/folder.md/", b"")
    bucket.put("_news/folder.md/c.md", article(title="x"))
    assert counts(build(bucket, tmp_path)) == {"seen": 4, "loaded": 4, "new": 4}
    assert build(bucket, tmp_path).published is False


@pytest.mark.parametrize(
    "address",
    ["s3://key:hunter2@bucket/folder", "https://host/a.zip?sig=hunter2", "s3://bucket/#hunter2"],
)
def test_an_address_holds_no_secret(address: str) -> None:
    """It would be kept in receipts, so it is refused, and not quoted."""
    with pytest.raises(UsageError) as refused:
        sources.parse(address)
    assert "hunter2" not in str(refused.value)


def test_other_schemes_are_refused() -> None:
    """The error names those that can be read."""
    with pytest.raises(UsageError, match="ftp:// is no source: say a folder, an archive"):
        sources.parse("ftp://host/folder")


def test_the_address_is_remembered(
    bucket: Bucket, with_reports: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A build without a source reads the bucket of the last one; another one is refused."""
    from flows.cli import main

    fill(bucket)
    command = ["--warehouse", str(tmp_path / "warehouse.duckdb"), "build"]
    assert main([*command, bucket.address + "/"]) == 0
    assert main(command) == 0
    assert "3 unchanged" in capsys.readouterr().out
    assert main([*command, "s3://other/content"]) == 2
    assert f"the warehouse was built from {bucket.address}, not from s3://other/content" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("s3://", "s3:// names no bucket: say s3://BUCKET/FOLDER"),
        ("s3:///folder", "s3:///folder names no bucket: say s3://BUCKET/FOLDER"),
        ("s3://[x", "the address of a source has brackets in its host: leave them out"),
    ],
)
def test_an_address_without_a_bucket_is_refused(typed: str, said: str) -> None:
    """It is shown as it was typed, if it can be taken apart: else it may hold a password."""
    with pytest.raises(UsageError) as refused:
        sources.parse(typed)
    assert str(refused.value) == said


def test_an_address_is_the_same_however_it_is_typed() -> None:
    """The scheme in capitals, and slashes at the end, name no other source."""
    assert sources.parse("S3://Bucket/Folder//") == "s3://Bucket/Folder"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("status code: 501 Not Implemented: <html>", "it is no bucket, and cannot be listed or"),
        ("status code: 403 Forbidden", "access is denied: look at the credentials"),
        ("Account must be specified", "its account is not known: set AZURE_STORAGE_ACCOUNT_NAME"),
        ("status code: 500", "it answers with an error (500)"),
    ],
)
def test_what_a_server_says_is_put_in_words(words: str, said: str) -> None:
    """The reason leads to what can be done."""
    with pytest.raises(SourceUnreadable) as refused:
        objects.fail("az://container/folder", GenericError(words))
    assert str(refused.value).startswith(f"az://container/folder: {said}")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["page", "s3://news/page.html"], "s3://news/page.html is not a path on this machine"),
        (["sql", "select 1", "-o", "s3://news/x.csv"], "s3://news/x.csv is not a path on this"),
        (["build", ".", "--config", "s3://news/m.yaml"], "s3://news/m.yaml is not a path on this"),
    ],
)
def test_an_address_is_no_path(
    command: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named whole, with both of its slashes, and no folder is made of it."""
    from flows.cli import main

    assert main(command) == 2
    assert said in capsys.readouterr().err


def test_a_first_configuration_cannot_lie_in_a_bucket(
    bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error says how it is named instead."""
    from flows.cli import main

    fill(bucket)
    assert main(["init", bucket.address]) == 2
    assert f"{bucket.address} is no folder that a matterhouse.yaml could lie in: name a file" in (
        capsys.readouterr().err
    )
    assert main(["init", bucket.address, "--config", str(tmp_path / "my.yaml")]) == 0
    assert (tmp_path / "my.yaml").exists()


@pytest.mark.parametrize("command", [["build"], ["profile"]])
def test_without_the_extra_an_address_is_answered_with_its_name(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not even the errors of the library are there to be told apart."""
    from flows.cli import main

    for module in ("obstore", "obstore.store", "obstore.exceptions"):
        monkeypatch.setitem(sys.modules, module, None)
    named = ["--warehouse", str(tmp_path / "warehouse.duckdb")]
    assert main([*named, *command, "s3://bucket/folder"]) == 2
    assert capsys.readouterr().err == (
        "matterhouse: addresses are an extra: pip install 'matterhouse[cloud]'\n"
    )


def test_a_container_of_azure_is_a_bucket_too(tmp_path: Path, with_reports: None) -> None:
    """New, unchanged and gone objects are told apart, and an export goes there."""
    from flows.cli import main

    with servers.azure_container("news") as container:
        store = objects.open_store(f"{container}/content")
        for name in "abc":
            store.put(f"_news/{name}.md", article(title=name).encode())
        request = Request(f"{container}/content", tmp_path / "warehouse.duckdb")
        assert counts(run(request)) == {"seen": 3, "loaded": 3, "new": 3}
        assert counts(run(request)) == {"seen": 3, "loaded": 3, "unchanged": 3}
        store.delete("_news/b.md")
        assert counts(run(request)) == {"seen": 2, "loaded": 2, "unchanged": 2, "gone": 1}
        warehouse = ["--warehouse", str(tmp_path / "warehouse.duckdb")]
        assert main([*warehouse, "export", f"{container}/reports"]) == 0
        assert b"manifest.json" in bytes(
            objects.open_store(container).get("reports/latest.json").bytes()
        )


@pytest.mark.parametrize(
    "address",
    [
        "git@git.example.org:team/site.git",
        "ssh://git:hunter2@git.example.org/site",
        "https://git.example.org/team/site.git",
        "https://github.com/team/site",
    ],
)
def test_a_repository_has_to_be_cloned_first(address: str) -> None:
    """Its address is no place of files; it is not quoted, since it may hold a password."""
    with pytest.raises(UsageError, match="git clone ADDRESS FOLDER") as refused:
        sources.parse(address)
    assert "hunter2" not in str(refused.value)
