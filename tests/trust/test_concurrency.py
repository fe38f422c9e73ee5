"""Two builds at once, as real processes."""

import subprocess
import sys

from tests.conftest import Content, article
from tests.trust.invariants import contents, faults, strays


def test_of_two_builds_at_once_each_is_whole_or_refused(three: Content) -> None:
    """Exit codes are 0 or 75, nothing is left over, and the change is loaded once."""
    three.write("_news/2025-03-05-d.md", article(title="d"))
    command = [sys.executable, "-m", "flows", "--warehouse", str(three.warehouse)]
    builds = [
        subprocess.Popen(
            [*command, "build", str(three.source), "--quiet"], stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = [build.communicate()[1] for build in builds]
    codes = [build.returncode for build in builds]
    assert 0 in codes
    assert {
        code: "is being refreshed by" in words for code, words in zip(codes, said, strict=True)
    } in (
        {0: False, 75: True},
        {0: False},
    )
    assert faults(three.warehouse) == []
    assert strays(three.warehouse) == []
    assert len(contents(three.warehouse)["raw.article_versions"]) == 4
