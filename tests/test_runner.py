"""How the direct runner starts its workers."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import Content, article

SCRIPT = """
import sys
from pathlib import Path
from flows.refresh import Request, refresh
from flows.runner import named

receipt = refresh(Request(Path(sys.argv[1]), Path(sys.argv[2])), named("process", jobs=2))
print(receipt.loaded, receipt.quarantined)
"""


def test_workers_leave_the_callers_script_alone(content: Content, tmp_path: Path) -> None:
    """A script that refreshes without a `__main__` guard runs once, not again in each worker."""
    for name in ("a", "b", "c"):
        content.write(f"{name}.md", article(title=name))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), str(content.source), str(content.warehouse)],
        cwd=Path(__file__).parent.parent,
        env={"PYTHONPATH": str(Path(__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("3 0\n", "")
