"""Builds that leave the reports out."""

import pytest

from flows.models import build, checks


@pytest.fixture
def with_reports() -> None:
    """Build the models all the same, for the command line, which reads them."""


@pytest.fixture(autouse=True)
def without_reports(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build no models: they take most of a build's time, and hardly a test here reads them."""
    if "with_reports" in request.fixturenames:
        return
    monkeypatch.setattr(build, "build", lambda con, changed=None: build.Built([], []))
    monkeypatch.setattr(checks, "run", lambda con, waived=(): [])
