"""Builds that leave the reports out: hardly a test here reads them."""

import pytest


@pytest.fixture(autouse=True)
def no_reports(without_reports: None) -> None:
    """Build no models, but for tests that ask for them."""
