"""An export in a bucket: readers follow latest.json, and never meet half of one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from flows.cli import main
from flows.source import objects
from tests import servers
from tests.conftest import Content, edit
from tests.servers import Bucket


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Run an S3 server."""
    with servers.s3() as found:
        yield found


@pytest.fixture
def bucket(port: int, request: pytest.FixtureRequest) -> Iterator[Bucket]:
    """Give an empty bucket."""
    with servers.bucket(port, f"reports-{abs(hash(request.node.name)) % 10**8}") as made:
        yield made


def export(content: Content, bucket: Bucket, *options: str) -> int:
    """Export two small tables to the bucket."""
    command = ["export", f"{bucket.address}/", "--tables", "marts.topics,ops.runs", *options]
    return main(["--warehouse", str(content.warehouse), *command])


def keys(bucket: Bucket) -> list[str]:
    """Return the names of all objects."""
    pages = bucket.client.get_paginator("list_objects_v2").paginate(Bucket=bucket.name)
    return [found["Key"] for page in pages for found in page.get("Contents", ())]


def read(bucket: Bucket, key: str) -> Any:
    """Return the JSON of an object."""
    return json.loads(bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"].read())


def test_each_run_has_its_own_name_and_latest_follows(three: Content, bucket: Bucket) -> None:
    """The objects of the first export stay as they are when the second one comes."""
    assert export(three, bucket) == 0
    first, first_keys = read(bucket, "content/latest.json"), keys(bucket)
    edit(three)
    three.build()
    assert export(three, bucket) == 0
    second = read(bucket, "content/latest.json")
    assert first["run_id"] < second["run_id"]
    assert set(first_keys) < set(keys(bucket))
    for latest in (first, second):
        manifest = read(bucket, f"content/{latest['manifest']}")
        assert manifest["run_id"] == latest["run_id"]
        of_run = {key for key in keys(bucket) if key.startswith(f"content/{latest['run_id']}")}
        assert {f"content/{file}" for file in latest["files"]} == of_run


def test_the_manifest_comes_last_and_then_latest(three: Content, bucket: Bucket) -> None:
    """Whoever finds a manifest finds all it names."""
    export(three, bucket)
    puts = [path.rpartition("/")[2] for path in bucket.proxy.requests]
    assert puts[-2:] == ["manifest.json", "latest.json"]


def test_a_server_that_dies_in_the_middle_leaves_latest(
    three: Content,
    bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The export fails in one line, and latest.json still names the one before."""
    monkeypatch.setattr(objects, "_RETRIES", {"max_retries": 1})
    export(three, bucket)
    before = read(bucket, "content/latest.json")
    edit(three)
    three.build()
    bucket.proxy.requests.clear()
    bucket.proxy.lives = 3
    capsys.readouterr()
    assert export(three, bucket) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert read(bucket, "content/latest.json") == before


def test_a_latest_of_somebody_else_is_not_replaced(
    three: Content, bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    """An object of that name which no export wrote stays, and nothing is put beside it."""
    bucket.put("latest.json", '{"release": 7}')
    assert export(three, bucket) == 1
    assert "was not written by an export" in capsys.readouterr().err
    assert keys(bucket) == ["content/latest.json"]
