"""A file that ends the reader is quarantined, and nothing else is."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from flows.interrupt import Interrupted, heed_signals
from flows.normalize.frames import Frames
from flows.source import extract, time_limit
from flows.workers import isolate, runner
from flows.workers.frames import frames_of
from flows.workers.runner import choose_runner
from tests.conftest import Content, article
from tests.servers import eventually
from tests.trust import killers

pytestmark = pytest.mark.usefixtures("without_reports")

GOOD = [f"{letter}.md" for letter in "abcdefgh"]


def batch(content: Content, *names: str) -> extract.Batch:
    """Write articles of these names and return them as one batch."""
    for name in names:
        content.write(name, article(title=name))
    return extract.Batch(content.source, tuple(sorted(names)), {}, {})


def outcomes(frames: Sequence[Frames]) -> list[tuple[str, str, str | None]]:
    """Return path, status and reason code of every ledger row, in order of path."""
    rows = [
        (row["path"], row["status"], row["reason_code"] if row["status"] != "loaded" else None)
        for found in frames
        for row in found["ops.files"].to_dict("records")
    ]
    return sorted(rows)


def loaded(*names: str) -> list[tuple[str, str, str | None]]:
    """Return what `outcomes` says of loaded files."""
    return [(name, "loaded", None) for name in names]


def test_what_kills_a_worker_is_quarantined_and_its_batch_is_loaded(content: Content) -> None:
    """Segfault, exit, out of memory: one reject each, and every other file arrives, in order."""
    given = [
        batch(content, "a.md", "segfault.md", "b.md"),
        batch(content, "c.md", "d.md"),
        batch(content, "e.md", "exit.md", "killed.md", "no_memory.md"),
        batch(content, "f.md"),
    ]
    direct = runner.Runner(jobs=2)
    found = list(direct._pooled(killers.read, given))
    assert [outcomes([frames]) for frames in found] == [
        [*loaded("a.md", "b.md"), ("segfault.md", "quarantined", "reader_crashed")],
        loaded("c.md", "d.md"),
        [
            *loaded("e.md"),
            ("exit.md", "quarantined", "reader_crashed"),
            ("killed.md", "quarantined", "reader_crashed"),
            ("no_memory.md", "quarantined", "reader_crashed"),
        ],
        loaded("f.md"),
    ]
    reasons = {
        row["path"]: row["reason"]
        for row in found[2]["ops.files"].to_dict("records")
        + found[0]["ops.files"].to_dict("records")
        if row["status"] == "quarantined"
    }
    assert reasons == {
        "exit.md": "The reader ended with exit code 3 on this file.",
        "killed.md": "The reader ended with SIGKILL on this file.",
        "no_memory.md": "The reader ended with an unexpected MemoryError on this file.",
        "segfault.md": "The reader ended with SIGSEGV on this file.",
    }


def test_a_single_death_is_no_proof(content: Content) -> None:
    """A file whose worker dies once (of somebody else's hunger for memory, say) is loaded."""
    given = batch(content, "a.md", "once.md", "b.md")
    found = list(runner.Runner(jobs=2)._pooled(killers.read_and_die_once, [given]))
    assert outcomes(found) == loaded("a.md", "b.md", "once.md")


def test_a_worker_leaves_no_core_file(content: Content) -> None:
    """A crash must not write the memory of a process, secrets and all, to the disk."""
    earlier = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (earlier[1], earlier[1]))
    try:
        isolate.retry_in_new_process(killers.note_core_limit, batch(content, "a.md"))
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, earlier)
    assert (content.source / "core-limit.note").read_text() == "(0, 0)"


def test_c_code_that_never_returns_is_ended_by_the_kernel(content: Content) -> None:
    """Where no Python handler can run, the process ends, and the file counts as too slow."""
    given = batch(content, "a.md", "stuck.md")
    found = isolate.retry_in_new_process(killers.read_patiently, given)
    assert outcomes([found]) == [*loaded("a.md"), ("stuck.md", "quarantined", "reader_too_slow")]


@pytest.mark.parametrize("fate", ["slow", "fault", "no_memory"])
def test_an_error_of_one_file_in_this_process_is_its_own(
    content: Content, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    """Without any worker a slow file and an unexpected error are rejects; no word is quoted."""
    monkeypatch.setattr(time_limit, "SECONDS", 0.2)
    found = isolate.attempt(killers.read, batch(content, "a.md", f"{fate}.md", "z.md"))
    code = "reader_too_slow" if fate == "slow" else "reader_crashed"
    assert outcomes([found]) == sorted(
        [*loaded("a.md", "z.md"), (f"{fate}.md", "quarantined", code)]
    )
    assert "canary" not in str(found["ops.files"].to_dict("records"))


def test_a_file_that_is_slow_to_read_is_quarantined_by_a_build(
    content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of work is watched in the real reader, and a later build reads it again."""
    content.write("a.md", article(title="a"))
    content.write("slow.md", article(title="slow"))
    read = extract.frontmatter.read

    def slowly(data: bytes, **options: bool) -> object:
        while b'"slow"' in data:
            pass
        return read(data, **options)

    with monkeypatch.context() as patched:
        patched.setattr(time_limit, "SECONDS", 0.2)
        patched.setattr(extract.frontmatter, "read", slowly)
        content.build()
    assert content.ledger() == [
        ("a.md", "loaded", None),
        ("slow.md", "quarantined", "reader_too_slow"),
    ]
    assert not content.build().published, "a file that did not change is not tried again"
    content.build(full=True)
    assert content.ledger() == [("a.md", "loaded", None), ("slow.md", "loaded", None)]


def test_a_large_file_is_not_read_in_the_main_process(
    content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is as large as texts that crash parsers goes to a worker, even in a small build."""
    direct = runner.Runner(jobs=1)
    small = batch(content, "a.md", "b.md")
    content.write("large.md", article(title="large", body="x" * runner.SUSPICIOUS_BYTES))
    large = extract.Batch(content.source, ("large.md",), {}, {})
    assert [direct._needs_pool([small]), direct._needs_pool([small, large])] == [False, True]
    assert outcomes(list(direct.map("extract", frames_of, [small, large]))) == loaded(
        "a.md", "b.md", "large.md"
    )


def test_process_means_workers_even_for_one_small_file_and_one_job(content: Content) -> None:
    """Who asks for workers is safe from whatever a file does to its process."""
    given = [batch(content, "exit.md")]
    process = choose_runner("process", content.source, jobs=1)
    assert outcomes(list(process.map("extract", killers.read, given))) == [
        ("exit.md", "quarantined", "reader_crashed")
    ]


def test_where_the_system_does_not_tell_which_processors_are_ours_all_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """macOS has no processor sets."""
    monkeypatch.delattr(os, "sched_getaffinity")
    assert runner.Runner().jobs == os.cpu_count()


def test_workers_end_with_a_parent_that_was_killed(content: Content, tmp_path: Path) -> None:
    """SIGKILL leaves the parent no chance to end its workers: they notice, and clean up."""
    (temporary := tmp_path / "t").mkdir()
    batch(content, "a.md", "b.md")
    program = f"""
import os, signal
from pathlib import Path
from flows.source import extract
from flows.workers import runner
from tests.trust.test_guard import note_pid
if __name__ == "__main__":
    source = Path({str(content.source)!r})
    given = [extract.Batch(source, (path,), {{}}, {{}}) for path in ("a.md", "b.md")]
    for frames in runner.Runner(jobs=2)._pooled(note_pid, given):
        os.kill(os.getpid(), signal.SIGKILL)
"""
    script = tmp_path / "parent.py"
    script.write_text(program)
    parent = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "TMPDIR": str(temporary)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert parent.returncode == -signal.SIGKILL, parent.stderr
    workers = [int(file.name.split(".")[1]) for file in content.source.glob("pid.*")]
    assert workers
    eventually(
        lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in workers),
        f"the end of the workers {workers}",
    )
    assert list(temporary.iterdir()) == []


def test_a_signal_waits_until_a_worker_has_started() -> None:
    """Between its start and its place in the pool, nobody would wait for it."""
    reached = []
    with pytest.raises(Interrupted, match="SIGTERM"), heed_signals():
        with isolate.main_left_alone():
            os.kill(os.getpid(), signal.SIGTERM)
            reached.append("the end of the block")
        reached.append("what follows")
    assert reached == ["the end of the block"]


def note_pid(given: extract.Batch) -> Frames:
    """Read a batch and leave a file that names the process."""
    (given.source / f"pid.{os.getpid()}").touch()
    return frames_of(given)
