"""What people would write instead: two pipelines from the same folder to a DuckDB file.

Neither keeps a ledger, compares with an earlier run, quarantines a file or computes a trend.
"""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import yaml

NEEDS = {"frontmatter": "frontmatter", "dlt": "dlt", "parse": "ryml"}


class PeerMissing(RuntimeError):
    """A package that the benchmark compares with is not installed."""


def require(peer: str) -> None:
    """Say how to install what a peer needs."""
    if importlib.util.find_spec(NEEDS[peer]) is None:
        raise PeerMissing(
            f"{NEEDS[peer]} is not installed: pip install -r tests/benchmarks/requirements.txt,"
            " or leave the comparison out with --no-peers"
        )


def with_frontmatter(source: Path, warehouse: Path) -> None:
    """Load with python-frontmatter, pandas and DuckDB: one process, one frame per table."""
    import frontmatter
    import pandas as pd

    tables: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("articles", "topics", "images", "related")
    }
    for path in sorted(source.rglob("*.md")):
        try:
            fields = frontmatter.load(str(path)).metadata
        except yaml.YAMLError:
            continue
        key = str(path.relative_to(source))
        tables["topics"] += [{"path": key, "topic": topic} for topic in fields.pop("topics", [])]
        tables["images"] += [{"path": key, **image} for image in fields.pop("images", [])]
        tables["related"] += [{"path": key, **item} for item in fields.pop("related", [])]
        fields.pop("secured", None)
        tables["articles"].append({"path": key, **fields})
    with duckdb.connect(str(warehouse)) as con:
        for name, rows in tables.items():
            frame = pd.json_normalize(rows, sep="_")
            # DuckDB guesses a column of mixed objects from a sample: give it text.
            frame = frame.astype({c: "str" for c in frame if frame[c].dtype == object})
            con.register("frame", frame)
            con.execute(f"create table {name} as select * from frame")


def with_dlt(source: Path, warehouse: Path) -> None:
    """Load with a dlt filesystem pipeline: C parser, Parquet, two workers, large buffers."""
    os.environ |= {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
        "EXTRACT__DATA_WRITER__BUFFER_MAX_ITEMS": "20000",
        "NORMALIZE__DATA_WRITER__BUFFER_MAX_ITEMS": "20000",
        "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "20000",
        "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": "20000",
        "NORMALIZE__WORKERS": "2",
        "NORMALIZE__START_METHOD": "spawn",
    }
    import dlt
    from dlt.sources.filesystem import filesystem

    @dlt.transformer(name="articles", write_disposition="replace", max_table_nesting=2)
    def articles(items: list[Any]) -> Iterator[list[dict[str, Any]]]:
        yield [found for item in items if (found := _fields(Path(item["file_url"][7:])))]

    files = filesystem(bucket_url=source.as_uri(), file_glob="**/*.md", files_per_page=2000)
    pipeline = dlt.pipeline(
        "peer",
        destination=dlt.destinations.duckdb(str(warehouse)),
        dataset_name="raw",
        pipelines_dir=str(warehouse.parent / "dlt"),
    )
    pipeline.run(files | articles, loader_file_format="parquet")


def _fields(path: Path) -> dict[str, Any] | None:
    block = path.read_bytes().replace(b"\r\n", b"\n").split(b"\n---")[0]
    try:
        fields = yaml.load(block, yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    fields.pop("secured", None)
    # One type per column: dlt makes a second column of every other one.
    fields["quality"] = fields["quality"] if isinstance(fields.get("quality"), int) else None
    return {"path": str(path), **fields}


PEERS = {"frontmatter": with_frontmatter, "dlt": with_dlt}
