"""How the direct runner starts its workers."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import Content, article

SCRIPT = """
import sys
from pathlib import Path
from flows.pipeline.context import Request
from flows.pipeline.run import run
from flows.workers.runner import choose_runner

workers = choose_runner("process", Path(), jobs=2)
receipt = run(Request(Path(sys.argv[1]), Path(sys.argv[2])), workers)
print(receipt.loaded, receipt.quarantined)
"""


def run_script(content: Content, tmp_path: Path, **environment: str) -> tuple[str, str]:
    """Build three articles with two workers in a script, and return what it printed."""
    root = str(Path(__file__).parents[2])
    for name in ("a", "b", "c"):
        content.write(f"{name}.md", article(title=name))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), str(content.source), str(content.warehouse)],
        cwd=root,
        env={"PYTHONPATH": root, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.stderr


def test_workers_leave_the_callers_script_alone(content: Content, tmp_path: Path) -> None:
    """A script that builds without a `__main__` guard runs once, not again in each worker."""
    assert run_script(content, tmp_path) == ("3 0\n", "")


def test_workers_start_below_a_deep_temporary_folder(content: Content, tmp_path: Path) -> None:
    """Where the socket of the workers' server cannot have its path, they do without the server."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    assert run_script(content, tmp_path, TMPDIR=str(deep)) == ("3 0\n", "")
