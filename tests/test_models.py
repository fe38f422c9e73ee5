"""Each SQL model does what its cases say, and builds the same tables every time."""

from pathlib import Path

import pytest

from tests import models as cases


@pytest.mark.parametrize("path", cases.paths("staging", "marts"), ids=cases.name)
def test_a_model_returns_the_rows_its_case_expects(path: Path) -> None:
    """The rows a case gives become exactly the rows it expects, in that order."""
    case = cases.read(path)
    columns = ", ".join(case.expect[0]) if case.expect else "*"
    query = f"select {columns} from {case.table} where {case.where}"
    with cases.warehouse(case.given) as con:
        assert cases.rows(con, query) == cases.plain(case.expect)
