"""The receipts beside a warehouse."""

import json

import pytest

from flows.warehouse.paths import WarehousePaths
from flows.warehouse.run_log import append_run, read_runs
from tests.conftest import Content


def test_every_refresh_leaves_one_line_beside_the_warehouse(three: Content) -> None:
    """Published, unchanged and failed refreshes are told apart in the receipts."""
    three.build()
    three.source.rename(three.source.with_name("elsewhere"))
    with pytest.raises(Exception, match="does not exist"):
        three.build()
    entries = read_runs(WarehousePaths(three.warehouse))
    assert [(e["published"], "error" in e) for e in entries] == [
        (True, False),
        (False, False),
        (False, True),
    ]


def test_a_receipt_that_a_crash_cut_short_harms_no_other(three: Content) -> None:
    """A torn last line is passed over, and the next receipt begins on a line of its own."""
    paths = WarehousePaths(three.warehouse)
    with paths.receipts.open("a") as file:
        file.write('{"run_id": "torn')
    append_run(paths, {"run_id": "next"})
    assert [entry.get("run_id") for entry in read_runs(paths)][1:] == ["next"]
    assert json.loads(paths.receipts.read_text().splitlines()[-1]) == {"run_id": "next"}
