"""Every export is a data package that readers of the convention accept."""

import json
from pathlib import Path
from typing import Any

import duckdb
import frictionless
import pytest

from flows.reports.export.datapackage import describe_export
from flows.reports.export.export import export
from tests.conftest import Content


def exported(content: Content, folder: Path, file_format: str, *patterns: str) -> dict[str, Any]:
    """Export the tables that match and return the description beside them."""
    with duckdb.connect(str(content.warehouse), read_only=True) as con:
        export(con, folder, file_format=file_format, patterns=patterns)
    return dict(json.loads((folder / "datapackage.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("file_format", ["parquet", "csv", "json"])
def test_the_description_is_a_valid_data_package(
    three: Content, tmp_path: Path, file_format: str
) -> None:
    """The reference implementation takes the descriptor of every table in every format."""
    described = exported(three, tmp_path / "out", file_format, "*")
    package = frictionless.Package.from_descriptor(described)
    tables = three.query("select schema_name || '.' || table_name from duckdb_tables() order by 1")
    assert package.resource_names == [name for (name,) in tables]
    assert {resource.hash for resource in package.resources} == {
        f"sha256:{table['sha256']}"
        for table in json.loads((tmp_path / "out/manifest.json").read_text())["tables"]
    }


def test_every_table_and_column_brings_its_comment(three: Content, tmp_path: Path) -> None:
    """Descriptions are the comments of the warehouse, word for word."""
    described = exported(three, tmp_path / "out", "parquet", "*")
    tables = {r["name"]: r["description"] for r in described["resources"]}
    columns = {
        (r["name"], field["name"]): field["description"]
        for r in described["resources"]
        for field in r["schema"]["fields"]
    }
    assert tables == dict(
        three.query("select schema_name || '.' || table_name, comment from duckdb_tables()")
    )
    assert columns == {
        (table, column): comment
        for table, column, comment in three.query(
            "select schema_name || '.' || table_name, column_name, comment"
            " from duckdb_columns() where not internal"
        )
    }


def test_the_rows_of_a_csv_fit_the_types(three: Content, tmp_path: Path) -> None:
    """The reference implementation reads numbers, flags, dates and times as what they are."""
    exported(three, tmp_path / "out", "csv", "marts.topics", "raw.articles")
    report = frictionless.validate(str(tmp_path / "out/datapackage.json"))
    assert report.flatten(["type", "message"]) == []


def test_types_are_those_of_the_convention() -> None:
    """Each type of DuckDB has its counterpart; what has none is text. No size is claimed."""
    kinds = {
        "VARCHAR": {"type": "string"},
        "BIGINT": {"type": "integer"},
        "UTINYINT": {"type": "integer"},
        "DOUBLE": {"type": "number"},
        "DECIMAL(18,3)": {"type": "number"},
        "BOOLEAN": {"type": "boolean"},
        "DATE": {"type": "date"},
        "TIMESTAMP WITH TIME ZONE": {"type": "datetime", "format": "any"},
        "VARCHAR[]": {"type": "array"},
        "STRUCT(a INTEGER, b VARCHAR)[]": {"type": "array"},
        "MAP(INTEGER, BIGINT)": {"type": "object"},
        "JSON": {"type": "object"},
        "INTERVAL": {"type": "string"},
    }
    table = {"table": "marts.t", "file": "marts.t.csv", "sha256": "0"}
    columns = ", ".join(f'"{kind.lower()}" {kind}' for kind in kinds)
    with duckdb.connect() as con:
        con.execute(f"create schema marts; create table marts.t ({columns})")
        described = describe_export(con, {"run_id": "r", "format": "csv", "tables": [table]})
    assert described["resources"] == [
        {
            "name": "marts.t",
            "type": "table",
            "path": "marts.t.csv",
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "hash": "sha256:0",
            "schema": {"fields": [{"name": k.lower(), **typed} for k, typed in kinds.items()]},
        }
    ]
