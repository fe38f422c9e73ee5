"""The pipeline as Prefect flows, against a real server on loopback."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows.cli import main
from tests.conftest import Content, article
from tests.servers import PATIENCE_SECONDS, ROOT, eventually, free_port, running
from tests.trust.invariants import contents


# Where the same content gives other bytes from run to run.
class Server:
    """A Prefect server, and its API as the tests ask it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.api = f"http://127.0.0.1:{free_port()}/api"
        self.environment = {
            **os.environ,
            "PREFECT_HOME": str(folder / "home"),
            "PREFECT_API_URL": self.api,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        }

    def ask(self, path: str, body: dict[str, Any]) -> Any:
        """Post to the API and return the answer."""
        request = urllib.request.Request(
            self.api + path, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                # Its database is busy, and nothing was done: Prefect's own clients ask again, too.
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > give_up:
                    raise
            time.sleep(0.5)

    def matterhouse(self, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        """Run one command that knows the server."""
        return subprocess.run(
            [sys.executable, "-m", "flows", *map(str, arguments)],
            cwd=ROOT,
            env=self.environment | more,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def runs(self, source: Path) -> list[dict[str, Any]]:
        """Return the flow runs that read a source, oldest first."""
        found = self.ask("/flow_runs/filter", {"sort": "START_TIME_ASC"})
        return [run for run in found if run["parameters"].get("source") == str(source)]

    def artifacts(self, run: dict[str, Any]) -> dict[str, Any]:
        """Return what a flow run left, by key."""
        body = {"artifacts": {"flow_run_id": {"any_": [run["id"]]}, "key": {"exists_": True}}}
        found = self.ask("/artifacts/filter", body)
        return {
            a["key"]: json.loads(a["data"]) if a["type"] == "table" else a["data"] for a in found
        }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a Prefect server of its own port and home."""
    server = Server(tmp_path_factory.mktemp("prefect"))
    port = server.api.split(":")[2].removesuffix("/api")
    command = [sys.executable, "-m", "prefect", "server", "start"]
    command += ["--host", "127.0.0.1", "--port", port, "--no-ui"]
    with running(command, server.folder / "server.log", server.environment):
        eventually(lambda: urllib.request.urlopen(f"{server.api}/health"), "the server")
        yield server


def mixed(content: Content) -> Content:
    """Write articles, one of them awkward and one broken."""
    for name, quality in (("a", 70), ("b", "no"), ("c", 90)):
        content.write(f"_news/2025-03-04-{name}.md", article(title=name, quality=quality))
    content.write("_news/broken.md", "---\ntitle: a: b\n---\n")
    return content


@pytest.mark.prefect
def test_a_flow_makes_the_tables_of_a_direct_build_and_leaves_artifacts(
    server: Server, content: Content, tmp_path: Path
) -> None:
    """One body serves both; the run, its tasks and its artifacts are there to be seen."""
    named = ("--warehouse", str(content.warehouse))
    assert main([*named, "build", str(mixed(content).source), "--quiet"]) == 0
    warehouse = tmp_path / "flow.duckdb"
    build = ("build", content.source, "--json", "--full")
    done = server.matterhouse("--warehouse", warehouse, *build)
    assert (done.returncode, done.stderr) == (0, "")
    receipt = json.loads(done.stdout)
    (run,) = server.runs(content.source)
    its_tasks = {"flow_runs": {"id": {"any_": [run["id"]]}}, "sort": "END_TIME_DESC"}

    def ended_tasks() -> list[dict[str, Any]]:
        # The server notes the end of a task some time after it was told of it.
        found: list[dict[str, Any]] = server.ask("/task_runs/filter", its_tasks)
        return found if len([task for task in found if task["end_time"]]) >= 5 else []

    tasks = eventually(ended_tasks, "the tasks of the run")
    artifacts = server.artifacts(run)
    assert contents(warehouse) == contents(content.warehouse)
    assert re.fullmatch(rf"{content.source} \d{{4}}-\d\d-\d\d \d\d:\d\d", run["name"])
    assert run["state"]["type"] == "COMPLETED"
    assert run["parameters"]["full"] is True
    assert [task["name"] for task in reversed(tasks)] == [
        "scan", "load", "model", "check", "publish",
    ]  # fmt: skip
    assert sorted(artifacts) == [
        "extraction", "failed-checks", "provider-movers", "quarantine", "receipt", "topic-movers",
    ]  # fmt: skip
    assert artifacts["extraction"] == 100
    assert [(row["path"], row["line"]) for row in artifacts["quarantine"]] == [
        ("_news/broken.md", 2)
    ]
    sentence = "4 files: 4 new; 1 newly quarantined; 1 check found something."
    assert (run["state"]["message"], receipt["message"]) == (sentence, sentence)
    assert (
        artifacts["receipt"].replace("\\", "").startswith(f"{sentence}\n\nFix _news/broken.md:2:9")
    )
    assert f"\n# Run {receipt['run_id']}\n\n**Published**\n" in artifacts["receipt"]
    logged = server.ask("/logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}})
    said = {entry["message"] for entry in logged}
    assert {
        "4 files, 4 to read, 0 missing",
        "4 new, 0 changed, 0 unchanged, 0 renamed, 0 returned, 0 gone",
        "1 check found something",
    } <= said
    # Three articles against none prove nothing.
    assert artifacts["provider-movers"] == []


@pytest.mark.prefect
def test_a_flow_run_fails_with_our_sentence(server: Server, tmp_path: Path) -> None:
    """The state carries the fault's name and its sentence; nobody has to read a traceback."""
    missing, said = tmp_path / "nowhere", tmp_path / "said.json"
    done = server.matterhouse(
        "--warehouse", tmp_path / "w.duckdb", "build", missing, "--on-failure", f"tee {said}"
    )
    sentence = f"source {missing} does not exist: name the folder that holds the content"
    (run,) = server.runs(missing)
    state = run["state"]
    assert (state["type"], state["name"], state["message"]) == ("FAILED", "SourceMissing", sentence)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    # On a busy machine Prefect has a last word on events that it is still sending.
    assert f"matterhouse: {sentence}" in done.stderr.splitlines()
    assert json.loads(said.read_text())["error"] == sentence
    assert f"**Failed**: `{sentence}`" in server.artifacts(run)["receipt"]


@pytest.mark.prefect
def test_a_flow_that_cannot_share_its_run_tells_it_without_its_secrets(
    server: Server, three: Content, tmp_path: Path
) -> None:
    """The page is linked, the state says what failed, and no address is in what Prefect keeps."""
    page, said = tmp_path / "news (1).html", tmp_path / "said.json"
    secrets = {
        "MATTERHOUSE_PUBLISH": f"postgresql://owner:s3cret-1@127.0.0.1:{free_port()}/team",
        "MATTERHOUSE_NOTIFY": f"json://127.0.0.1:{free_port()}/s3cret-2",
        "MATTERHOUSE_ON_FAILURE": f"tee {said}",
    }
    three.write("_news/d.md", article(title="d"))
    options = ("build", three.source, "--page", page)
    done = server.matterhouse("--warehouse", three.warehouse, *options, **secrets)
    (run,) = server.runs(three.source)
    artifacts = server.artifacts(run)
    logged = server.ask("/logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}})
    assert (done.returncode, run["state"]["type"], run["state"]["name"]) == (
        1, "FAILED", "DatabaseRefuses",
    )  # fmt: skip
    sentence = artifacts["receipt"].partition("\n")[0]
    assert sentence.replace("\\", "").startswith("The warehouse is published, but postgresql://127")
    assert f"[`{page}`]({page.as_uri()})" in artifacts["receipt"].split("\n\n# Run ")[0]
    assert three.query("select count(*) from raw.articles") == [(4,)]
    assert json.loads(said.read_text())["published"] is True
    kept = json.dumps([run, artifacts, logged]) + said.read_text() + done.stderr + done.stdout
    files = [path for path in three.warehouse.parent.rglob("*") if path.is_file()]
    assert b"s3cret" not in b"".join([kept.encode(), *(path.read_bytes() for path in files)])


@pytest.mark.prefect
def test_a_served_schedule_runs_one_refresh_at_a_time_and_ends_on_sigterm(
    server: Server, content: Content, tmp_path: Path
) -> None:
    """Cron runs are really created, of two triggers one is cancelled, SIGTERM ends all well."""
    log = tmp_path / "serve.log"
    command = [sys.executable, "-m", "flows", "--warehouse", str(content.warehouse), "serve"]
    command += ["--cron", "0 6 * * *", str(mixed(content).source)]
    with running(command, log, server.environment) as serving:
        name = eventually(
            lambda: re.search(r"build/([\w-]+)", log.read_text()), "the deployment's name"
        )[1]
        of_ours = {"deployments": {"name": {"any_": [name]}}}
        (deployment,) = eventually(
            lambda: server.ask("/deployments/filter", of_ours), "the deployment"
        )
        scheduled = eventually(
            lambda: [
                run["expected_start_time"]
                for run in server.ask("/flow_runs/filter", of_ours)
                if run["auto_scheduled"] and run["state"]["type"] == "SCHEDULED"
            ],
            "a run that cron made",
        )
        assert {datetime.fromisoformat(due).strftime("%H:%M:%S") for due in scheduled} == {
            "06:00:00"
        }

        trigger = f"/deployments/{deployment['id']}/create_flow_run"
        # Both are there when the runner looks next: a busy server could take so long over the
        # second that the first has ended.
        serving.send_signal(signal.SIGSTOP)
        ids = [server.ask(trigger, {})["id"] for _ in range(2)]
        serving.send_signal(signal.SIGCONT)
        both = {"flow_runs": {"id": {"any_": ids}}}
        ended = eventually(
            lambda: [
                run["state"]
                for run in server.ask("/flow_runs/filter", both)
                if run["state"]["type"] in ("COMPLETED", "CANCELLED", "FAILED", "CRASHED")
            ][1:],
            "the end of both runs",
        )
        states = sorted(run["state"]["type"] for run in server.ask("/flow_runs/filter", both))
        assert (len(ended), states) == (1, ["CANCELLED", "COMPLETED"])
        assert content.query("select count(*) from raw.articles") == [(3,)]

        serving.send_signal(signal.SIGTERM)
        assert serving.wait(PATIENCE_SECONDS) == 0
    assert "Traceback" not in log.read_text()
    assert server.ask("/deployments/filter", of_ours)[0]["paused"] is True


@pytest.mark.prefect
def test_the_schedule_of_the_readme_is_served(server: Server, tmp_path: Path) -> None:
    """The README's two lines start a server like the one here, and a schedule that it knows."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```shell\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    start, serve = block.splitlines()
    assert start.endswith(" prefect server start --host 127.0.0.1")
    serve = serve.replace("http://127.0.0.1:4200/api", server.api)
    serve = serve.replace("matterhouse ", f"{sys.executable} -m flows ", 1)
    log = tmp_path / "serve.log"
    with running(
        ["bash", "-c", f"{serve.replace('PREFECT', 'exec env PREFECT', 1)}"],
        log,
        server.environment,
    ):
        eventually(lambda: "at '0 6 * * *' (UTC)" in log.read_text(), "the schedule")


@pytest.mark.prefect
def test_a_flow_respects_the_lock_of_a_direct_build(
    server: Server, content: Content, tmp_path: Path
) -> None:
    """The limit of a deployment does not know direct builds; the file lock does."""
    from flows.warehouse.lock import hold_lock
    from flows.warehouse.paths import WarehousePaths

    mixed(content)
    with hold_lock(WarehousePaths(content.warehouse)):
        done = server.matterhouse("--warehouse", content.warehouse, "build", content.source)
    (run,) = server.runs(content.source)
    assert (done.returncode, run["state"]["type"], run["state"]["name"]) == (75, "FAILED", "Locked")
    assert f"is being built by process {os.getpid()}" in run["state"]["message"]


@pytest.mark.prefect
def test_prefect_yaml_deploys_the_schedule(server: Server) -> None:
    """`prefect deploy` takes the file as it is and schedules runs of the run."""
    prefect = [sys.executable, "-m", "prefect", "--no-prompt"]
    for arguments in (
        ["work-pool", "create", "--type", "process", "matterhouse"],
        ["deploy", "--all"],
    ):
        subprocess.run(
            [*prefect, *arguments],
            cwd=ROOT, env=server.environment, check=True, capture_output=True,
        )  # fmt: skip
    (made,) = server.ask("/deployments/filter", {"deployments": {"name": {"any_": ["daily"]}}})
    assert (made["entrypoint"], made["concurrency_options"]["collision_strategy"]) == (
        "flows/orchestrate/flow.py:build",
        "CANCEL_NEW",
    )
    assert [one["schedule"]["cron"] for one in made["schedules"]] == ["0 6 * * *"]
    assert made["global_concurrency_limit"]["limit"] == 1
    assert made["parameters"]["page"] == "data/page.html"


def previous() -> list[str]:
    """Return the PYTHONPATH that the tests run with (the other DuckDB line comes that way)."""
    return [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]


def test_without_a_server_the_direct_way_is_offered(content: Content, tmp_path: Path) -> None:
    """One line says that nobody answers, how to start a server and how to do without."""
    api = f"http://127.0.0.1:{free_port()}/api"
    done = Server(tmp_path).matterhouse(
        "--warehouse", content.warehouse, "build", content.source, PREFECT_API_URL=api
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"matterhouse: no Prefect server answers at {api}: start one with"
        " `prefect server start --host 127.0.0.1` and set"
        " PREFECT_API_URL=http://127.0.0.1:4200/api; without that variable and without --prefect,"
        " `matterhouse build SOURCE` needs no server\n"
    )


@pytest.mark.parametrize("cron", ["61 * * * *", "0 0 6 * * *", "daily"])
def test_a_bad_cron_is_a_usage_error(
    content: Content, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], cron: str
) -> None:
    """The schedule is looked at before any server is; a sixth field means what nobody can know."""
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{free_port()}/api")
    assert main(["serve", "--cron", cron, str(content.source)]) == 2
    assert capsys.readouterr().err == (
        f"matterhouse: {cron!r} is not a cron schedule: say minute, hour, day of month, month"
        " and day of week, as in '0 6 * * *' for every day at six (UTC)\n"
    )


def test_without_a_home_folder_prefect_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """A bare user id in a container has none, and Prefect cannot be imported without."""
    code = (
        "import os, pwd, sys; pwd.getpwuid = lambda uid: {}[uid]; os.environ.pop('HOME', None)\n"
        "from flows.cli import main; sys.exit(main(['build', '.', '--prefect']))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *previous()])}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1,
        "matterhouse: Prefect keeps files in a home folder, and this account has none: set HOME to"
        " a folder that it may write to\n",
    )


def test_a_missed_run_is_skipped_when_a_later_refresh_has_read_the_source(
    three: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a sleep, only the first of the missed runs works; failed runs do not count."""
    from prefect.context import FlowRunContext

    from flows.orchestrate import flow
    from flows.warehouse.paths import WarehousePaths
    from flows.warehouse.run_log import read_runs

    paths = WarehousePaths(three.warehouse)
    (receipt,) = read_runs(paths)
    began = datetime.fromisoformat(receipt["started_at"]).astimezone(UTC)

    def overtaken_by(due: datetime, *, by_cron: bool = True) -> str | None:
        run = SimpleNamespace(auto_scheduled=by_cron, expected_start_time=due)
        context = SimpleNamespace(flow_run=run)
        monkeypatch.setattr(FlowRunContext, "get", lambda: context)
        return flow._find_overtaking_run(paths)

    second = timedelta(seconds=1)
    assert overtaken_by(began - second) == receipt["run_id"]
    assert overtaken_by(began + second) is None
    assert overtaken_by(began - second, by_cron=False) is None
    paths.receipts.write_text(json.dumps({**receipt, "error": "the disk is full"}))
    assert overtaken_by(began - second) is None


def test_a_scheduled_run_ends_with_its_last_line() -> None:
    """DuckDB's binding lists what a thread still holds at Python's end, as Prefect's threads do."""
    code = (
        "import threading, time\n"
        "import flows.orchestrate.flow, duckdb\n"
        "threading.Thread(target=lambda: time.sleep(60), daemon=True).start()\n"
    )
    environment = {**os.environ, "PREFECT__FLOW_RUN_ID": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
