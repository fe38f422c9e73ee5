"""A finished export → a bucket, where each run has its own name; `latest.json` names the newest.

No object that a reader may be reading is ever written again, except for `latest.json`: one put.
"""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.reports.export.export import Export, export
from flows.reports.export.folder import MADE_BY, MANIFEST
from flows.reports.output import NotOursToReplace
from flows.source import objects
from flows.warehouse.connection import Connection

if TYPE_CHECKING:
    from obstore.store import ObjectStore

LATEST = "latest.json"


def export_to_bucket(
    con: Connection, address: str, *, file_format: str, patterns: Sequence[str]
) -> tuple[Export, str]:
    """Export the tables that match below an address; return where they are, too."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "export")
        done = export(con, target, file_format=file_format, patterns=patterns)
        return done, upload(target, address)


def upload(folder: Path, address: str) -> str:
    """Put the files of an export below an address, the manifest last; return where they are."""
    content = (folder / MANIFEST).read_bytes()
    manifest = json.loads(content)
    # Other tables or another format of the same run are other files.
    name = f"{manifest['run_id']}-{hashlib.sha256(content).hexdigest()[:8]}"
    store = objects.open_store(address)
    try:
        _refuse_others(store, address)
        for file in sorted(manifest["files"], key=lambda file: file == MANIFEST):
            store.put(f"{name}/{file}", folder / file)
        store.put(LATEST, json.dumps(_describe_latest(manifest, name), indent=2).encode())
    except Exception as error:
        objects.fail(address, error)
    return f"{address}/{name}"


def _describe_latest(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    return {
        "made_by": MADE_BY,
        "run_id": manifest["run_id"],
        "manifest": f"{name}/{MANIFEST}",
        "files": [f"{name}/{file}" for file in manifest["files"]],
    }


def _refuse_others(store: "ObjectStore", address: str) -> None:
    try:
        found = json.loads(bytes(store.get(LATEST).bytes()))
        is_ours = isinstance(found, dict) and found.get("made_by") == MADE_BY
    except FileNotFoundError:
        is_ours = True
    except ValueError:
        is_ours = False
    if not is_ours:
        raise NotOursToReplace(
            f"{address}/{LATEST} was not written by an export: name another folder in the bucket"
        )
