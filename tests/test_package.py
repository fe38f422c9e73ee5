"""What is installed from a wheel works without the repository."""

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import duckdb
import pytest

from tests.conftest import article

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it into an empty folder, as an installation does."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--wheel-dir", folder, ROOT],
        check=True,
    )  # fmt: skip
    (wheel,) = folder.glob("matterhouse-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_every_sql_file(installed: Path) -> None:
    """The shapes, models and checks travel inside the package."""
    carried = {p.relative_to(installed / "flows/sql") for p in installed.rglob("*.sql")}
    assert carried == {p.relative_to(ROOT / "sql") for p in (ROOT / "sql").rglob("*.sql")}


def test_the_wheel_names_its_command(installed: Path) -> None:
    """`matterhouse` is installed as a command."""
    (entry_points,) = installed.glob("*.dist-info/entry_points.txt")
    assert "matterhouse = flows.cli:main" in entry_points.read_text()


def test_an_installed_matterhouse_builds_a_warehouse(installed: Path, tmp_path: Path) -> None:
    """Away from the repository, the installed package reads a folder and answers queries."""
    (tmp_path / "content").mkdir()
    (tmp_path / "content/a.md").write_text(article())
    # The installed copy goes first, so nothing of the checkout is imported.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), *previous()])}

    def run(*arguments: str) -> str:
        code = "import flows, sys; assert flows.__file__.startswith(sys.argv.pop(1)); "
        code += "from flows.cli import main; sys.exit(main())"
        return subprocess.run(
            [sys.executable, "-c", code, str(installed), *arguments],
            cwd=tmp_path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    assert json.loads(run("build", "content", "--json"))["loaded"] == 1
    assert run("sql", "select topic from marts.topics order by topic", "--format", "csv") == (
        "topic\nEnergy\nSolar\n"
    )


def previous() -> list[str]:
    """Return the PYTHONPATH that the tests run with (the other DuckDB line comes that way)."""
    return [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]


def test_a_build_imports_what_it_needs(tmp_path: Path) -> None:
    """A direct one no Prefect, which takes seconds; one that reads no file nothing of frames."""
    (tmp_path / "content").mkdir()
    (tmp_path / "content/a.md").write_text(article())
    # A file that was just written is read again by the next build: it may have changed unseen.
    time.sleep(2.1)
    code = (
        "import sys; from flows.cli import main; code = main(sys.argv[2:]);"
        "sys.exit(code or bool(sys.modules.keys() & set(sys.argv[1].split())))"
    )
    arguments = ["--warehouse", tmp_path / "w.duckdb", "build", tmp_path / "content", "--quiet"]
    # With a parameter in any query, DuckDB 1.5 imports pandas by itself.
    frames = "" if duckdb.__version__ < "2" else "pandas numpy"
    for unwanted in ("prefect jinja2", f"prefect jinja2 {frames}"):
        command = [sys.executable, "-c", code, unwanted, *arguments]
        assert subprocess.run(command, check=False).returncode == 0
