"""The README is a promise: its commands are typed here, in order, in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What is generated or belongs to one checkout only.
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "warehouse.*")
ENVIRONMENT = Path(sys.prefix)


def blocks(language: str) -> list[str]:
    """Return the README's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


DEMO = "make demo\n"
# All but what runs this test.
COMMANDS = [block for block in blocks("sh") if block != "make test\n"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the repository: the recipes change its files."""
    folder = tmp_path_factory.mktemp("readme") / "checkout"
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    # `make` takes the environment of this test for installed: installing is not what is tested
    # here, and would turn this very environment over to the copy.
    (folder / ".venv").mkdir()
    (folder / ".venv/bin").symlink_to(ENVIRONMENT / "bin")
    (folder / ".venv/installed").touch()
    (folder / ".venv/installed-dev").touch()
    return folder


def type_in(checkout: Path, block: str) -> subprocess.CompletedProcess[str]:
    """Run a block as a shell that stops at the first error, with the copy's own code."""
    paths = [str(checkout), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PATH": f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(paths),
        "MATTERHOUSE_WAREHOUSE": "data/warehouse.duckdb",
        "VENV": ".venv",
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def demo(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Make the demo, which the other recipes start from, and return what it printed."""
    return type_in(checkout, DEMO)


def without_figures_of_the_run(text: str) -> str:
    """Blank out what differs from run to run: seconds and run ids."""
    return re.sub(r"in [\d.]+ s \(run \w+\)", "in … s (run …)", text)


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_every_command_of_the_readme_works(
    checkout: Path, demo: subprocess.CompletedProcess[str], number: int
) -> None:
    """Each block runs without an error, in the order in which a reader types them."""
    block = COMMANDS[number]
    done = demo if block == DEMO else type_in(checkout, block)
    assert (done.returncode, done.stderr) == (0, ""), block
    if block == DEMO:
        shown = without_figures_of_the_run(blocks("text")[0])
        assert shown in without_figures_of_the_run(done.stdout)
    elif "weekdays" in block:
        assert "│       7 │" in done.stdout
    else:
        assert done.stdout or "export PATH" in block, block


@pytest.mark.usefixtures("demo")
def test_the_first_example_is_a_file_of_the_sample_and_its_rows(checkout: Path) -> None:
    """The front matter on the first screen is that of a file, and its rows are in the warehouse."""
    (name,) = re.findall(r"^`(data/content/\S+)` begins with:", README, re.MULTILINE)
    shown = yaml.safe_load(blocks("yaml")[0])
    written = next(yaml.safe_load_all((ROOT / name).read_text(encoding="utf-8")))
    assert shown == {key: written[key] for key in shown} | {"topics": written["topics"][:1]}
    queries = [
        "select published_date, title, provider, quality, heat_bump from staging.articles"
        f" where article_id = '{name.removeprefix('data/content/')}'",
        "select topic, time_grain, period_start, articles, quality_mean from marts.topic_trends"
        " where topic = 'Geothermal' and period_start = '2025-11-01' and time_grain = 'month'",
    ]
    for query in queries:
        answer = type_in(checkout, f'matterhouse sql "{query}" --format csv').stdout
        header, row = answer.splitlines()
        assert f"| {header.replace(',', ' | ')} |" in README
        assert f"| {row.replace(',', ' | ')} |" in README


@pytest.mark.usefixtures("demo")
def test_every_python_block_of_the_readme_works(checkout: Path) -> None:
    """The blocks for Python and notebooks run as they stand."""
    outputs = []
    for block in blocks("python"):
        done = subprocess.run(
            [sys.executable, "-c", block], cwd=checkout, capture_output=True, text=True, check=True
        )
        outputs.append(done.stdout)
    assert "Gridwire" in outputs[0] or "gridwire" in outputs[0]


def test_the_cron_line_of_the_readme_works_and_is_silent(checkout: Path) -> None:
    """The scheduled command builds a warehouse without a word."""
    (line,) = blocks("cron")
    command = re.sub(r"^(\S+\s+){5}", "", line)
    command = command.replace("/srv/matterhouse", str(checkout))
    done = type_in(checkout, command)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_make_test_is_what_continuous_integration_runs() -> None:
    """The README's test command and the one that guards the main branch are the same."""
    assert "make test\n" in blocks("sh")
    assert "\nmake test\n" in (ROOT / ".ci/run").read_text(encoding="utf-8")


@pytest.mark.usefixtures("demo")
def test_the_readme_names_only_tables_that_exist(checkout: Path) -> None:
    """The table of tables is kept true."""
    named = set(re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", README, re.MULTILINE))
    query = "select schema_name || '.' || table_name from duckdb_tables()"
    listed = type_in(checkout, f'matterhouse sql "{query}" --format csv').stdout.split()
    assert named
    assert named - set(listed) == set()


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_the_tests_that_a_page_names_exist(page: Path) -> None:
    """What is said to show a promise is there, under the name that it has."""
    named = set(re.findall(r"tests/[\w/]+\.py", page.read_text(encoding="utf-8")))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
