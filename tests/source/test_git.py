"""What a repository says of its source, whatever its shape, and that it runs nothing."""

import contextlib
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.source import git, git_process
from flows.source.git import Change, Commit, find_repository
from flows.source.git_process import NoHistory
from tests.repositories import DAY, FIRST, Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Give an empty repository."""
    return Repository(tmp_path / "content")


def found(folder: Path, revision: str = "HEAD") -> git.Repository:
    """Return the repository at a folder, which must be there."""
    repository = find_repository(folder, revision)
    assert repository is not None
    return repository


def states(
    repository: git.Repository, after: str | None = None, state: dict[str, str] | None = None
) -> Iterator[tuple[str, dict[str, str]]]:
    """Apply the changes of each commit and give the tree that they make."""
    commits = git.read_commits(repository, after)
    changes = list(git.read_changes(repository, commits, after))
    state = dict(state or {})
    for commit, _ in commits:
        for change in (change for change in changes if change.commit == commit):
            assert state.get(change.path) == change.before
            state.pop(change.path, None)
            if change.after:
                state[change.path] = change.after
        yield commit, dict(state)


def odd_history(repository: Repository) -> None:
    """Make a history with every shape that has misled a reader of histories."""
    for name in ("a", "b", "c", "dir/d", "ä 'quoted' \"name\"", "tab\tand\nline", ":(top)e"):
        repository.write(f"{name}.md", name)
    repository.commit()
    repository.git("checkout", "-q", "-b", "side")
    repository.write("a.md", "a of the side")
    repository.write("side.md", "new on the side")
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.git("mv", "b.md", "renamed.md")
    repository.commit()
    repository.git("merge", "-q", "--no-commit", "--no-ff", "side")
    repository.write("c.md", "changed by the merge itself")
    repository.commit()
    (repository.folder / "a.md").unlink()
    repository.commit(at=FIRST + 400 * DAY)
    repository.write("a.md", "a")
    repository.commit(at=1)
    (repository.folder / "dir/d.md").unlink()
    (repository.folder / "dir/d.md").symlink_to("../a.md")
    repository.commit()
    repository.git("rm", "-q", "--cached", "c.md")
    entry = f"160000,{repository.git('rev-parse', 'HEAD')},c.md"
    repository.git("update-index", "--add", "--cacheinfo", entry)
    repository.git("commit", "-q", "-m", "a repository in place of a file")
    shutil.rmtree(repository.folder / "dir")
    (repository.folder / "c.md").unlink()
    repository.git("mv", "renamed.md", "RENAMED.md")
    repository.write("dir.md/inner.md", "a folder that is named like a file")
    repository.commit()
    repository.git("checkout", "-q", "--orphan", "other")
    repository.write("unrelated.md", "of another history")
    repository.commit()
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-edit", "--allow-unrelated-histories", "other")


def test_the_changes_add_up_to_the_tree_of_every_commit(repository: Repository) -> None:
    """Merges, evil ones and unrelated ones, renames, returns, links, submodules and odd names."""
    odd_history(repository)
    listed = repository.git("rev-list", "--first-parent", "--reverse", "HEAD").split()
    assert list(states(found(repository.folder))) == [
        (commit, repository.tree(commit)) for commit in listed
    ]


def test_later_commits_go_on_from_any_earlier_one(repository: Repository) -> None:
    """Also from one that was merged, and from one that a rewritten history left out."""
    odd_history(repository)
    last = repository.git("rev-parse", "HEAD")
    repository.git("reset", "-q", "--hard", "HEAD~2")
    repository.write("rewritten.md", "what is here now")
    repository.commit()
    repository.write("rewritten.md", "and what came of it")
    repository.commit()
    head = repository.git("rev-parse", "HEAD")
    for after in (last, *repository.git("rev-list", "main", "side", "other").split()):
        commits = list(states(found(repository.folder), after, repository.tree(after)))
        assert all(tree == repository.tree(commit) for commit, tree in commits)
        assert commits[-1:] == ([(head, repository.tree(head))] if after != head else [])


def test_a_commit_has_its_committers_time(repository: Repository) -> None:
    """In seconds since 1970, oldest first, along first parents."""
    first, second = repository.commit(), repository.commit()
    assert git.read_commits(found(repository.folder)) == [
        Commit(first, FIRST),
        Commit(second, FIRST + DAY),
    ]


def test_a_folder_of_a_repository_has_its_own_history(repository: Repository) -> None:
    """Paths are those below the source, and changes elsewhere are none."""
    repository.write("content/a.md", "one")
    repository.write("content of code/a.md", "one")
    commit = repository.commit()
    repository.write("README.md", "elsewhere")
    repository.commit()
    below = found(repository.folder / "content")
    blob = repository.git("rev-parse", "HEAD:content/a.md")
    changes = list(git.read_changes(below, git.read_commits(below)))
    assert (changes, git.read_tree(below)) == ([Change(commit, "a.md", None, blob)], {"a.md": blob})


def test_bytes_and_sizes_come_in_the_order_asked(repository: Repository) -> None:
    """Also for a file that is empty, and one that ends without a line's end."""
    texts = {"a.md": "", "b.md": "\nno end", "c.md": "x" * 100_000}
    for path, text in texts.items():
        repository.write(path, text)
    repository.commit()
    here = found(repository.folder)
    blobs = [git.read_tree(here)[path] for path in ("c.md", "a.md", "b.md")]
    assert list(git.read_blobs(here.folder, blobs)) == [b"x" * 100_000, b"", b"\nno end"]
    assert git.read_sizes(here, blobs) == dict(zip(blobs, (100_000, 0, 7), strict=True))


def test_a_bare_repository_and_a_revision_are_read_without_a_checkout(
    repository: Repository, tmp_path: Path
) -> None:
    """The commit is the one that was named, not the one that is checked out."""
    repository.write("a.md", "one")
    first = repository.commit()
    repository.git("tag", "v1.0")
    repository.write("a.md", "two")
    second = repository.commit()
    bare = tmp_path / "bare.git"
    repository.git("clone", "-q", "--bare", ".", str(bare))
    assert found(bare) == git.Repository(bare, "", second)
    assert found(bare, "v1.0") == git.Repository(bare, "", first)
    assert found(repository.folder, "HEAD~1").commit == first
    with pytest.raises(NoHistory, match=r"has no commit v2\.0"):
        found(bare, "v2.0")


def test_what_is_no_repository_or_has_no_commit_has_no_history(
    repository: Repository, tmp_path: Path
) -> None:
    """Neither is an error."""
    (tmp_path / "folder").mkdir()
    assert find_repository(tmp_path / "folder") is None
    assert git.read_commits(found(repository.folder)) == []


def test_an_earlier_commit_is_looked_for(repository: Repository) -> None:
    """It led to the present one, is there without having led to it, or is gone."""
    first, second = repository.commit(), repository.commit()
    repository.git("reset", "-q", "--hard", first)
    here = found(repository.folder)
    assert [git.is_ancestor(here, c) for c in (first, second, "0" * 40)] == [True, False, False]
    assert [git.has_commit(here, c) for c in (first, second, "0" * 40)] == [True, True, False]


def test_a_shallow_clone_is_refused(repository: Repository, tmp_path: Path) -> None:
    """Its oldest commit would seem to have added every file."""
    repository.commit()
    repository.commit()
    shallow = tmp_path / "shallow"
    repository.git("clone", "-q", "--depth=1", f"file://{repository.folder}", str(shallow))
    with pytest.raises(NoHistory, match="git fetch --unshallow"):
        git.refuse_shallow(found(shallow))
    git.refuse_shallow(found(repository.folder))


@pytest.mark.parametrize("what", ["blob:none", "tree:0"])
def test_a_partial_clone_is_refused_and_fetches_nothing(
    repository: Repository, tmp_path: Path, what: str
) -> None:
    """The files that are missing are elsewhere, and reading a source asks nobody."""
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.write("dir/a.md", "one")
    repository.commit()
    partial = tmp_path / "partial"
    options = ("--no-checkout", f"--filter={what}", f"file://{repository.folder}", str(partial))
    repository.git("clone", "-q", *options)
    files = sorted(partial.rglob("*"))
    here = found(partial)
    with pytest.raises(NoHistory, match="clone it without --filter"):
        changes = git.read_changes(here, git.read_commits(here))
        git.read_sizes(here, [str(change.after) for change in changes])
    assert sorted(partial.rglob("*")) == files


def test_a_repository_of_somebody_else_is_refused_with_gits_own_remedy(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git asks for an exception for a repository that another account owns."""
    monkeypatch.setitem(git_process._VARIABLES, "GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(NoHistory, match=r"git config --global --add safe\.directory /"):
        find_repository(repository.folder)


def test_a_machine_without_git_is_told_what_is_missing(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything but the history works without it."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoHistory, match="git, which is not installed"):
        find_repository(repository.folder)


def test_variables_of_a_hook_do_not_lead_elsewhere(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build that a hook starts finds GIT_DIR and others set, for a repository of its own."""
    commit = repository.commit()
    other = Repository(tmp_path / "other")
    with monkeypatch.context() as in_hook:
        in_hook.setenv("GIT_DIR", str(other.folder / ".git"))
        for name in ("COMMON_DIR", "INDEX_FILE", "OBJECT_DIRECTORY", "WORK_TREE"):
            in_hook.setenv(f"GIT_{name}", str(other.folder))
        for name in ("EXTERNAL_DIFF", "NAMESPACE", "SHALLOW_FILE"):
            in_hook.setenv(f"GIT_{name}", "other")
        here = found(repository.folder)
        assert here == git.Repository(repository.folder, "", commit)
        assert git.read_commits(here) == [Commit(commit, FIRST)]


def test_a_repository_whose_files_are_elsewhere_is_refused(
    repository: Repository, tmp_path: Path
) -> None:
    """Its configuration must not lead to the history of another folder."""
    Repository(tmp_path / "private").commit()
    repository.commit()
    repository.git("config", "core.worktree", str(tmp_path / "private"))
    with pytest.raises(NoHistory, match=r"\(core.worktree\) that its files are in .*private"):
        find_repository(repository.folder)


@pytest.mark.parametrize("pointer", ["file", "link", "alternates", "submodule"])
def test_the_past_of_another_folder_is_refused(
    repository: Repository, tmp_path: Path, pointer: str
) -> None:
    """A pointer in a stranger's archive must not lead to it; only its owner can say otherwise."""
    private = Repository(tmp_path / "private")
    private.commit()
    git_folder = private.folder / ".git"
    content = tmp_path / "stranger"
    content.mkdir()
    if pointer == "alternates":
        repository.commit()
        content = repository.folder
        (content / ".git/objects/info/alternates").write_text(f"{git_folder}/objects\n")
    elif pointer == "link":
        (content / ".git").symlink_to(git_folder)
    else:
        (content / ".git").write_text(f"gitdir: {git_folder}\n")
    if pointer == "submodule":
        private.git("config", "core.worktree", str(private.folder))
    with pytest.raises(NoHistory, match="no-history"):
        find_repository(content)
    if pointer == "file":
        private.git("config", "core.worktree", str(content))
        assert found(content).commit


def test_git_is_not_waited_for_without_end(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A configuration that includes a pipe holds git; the build ends it, and says so."""
    repository.commit()
    os.mkfifo(repository.folder / "pipe")
    repository.git("config", "include.path", str(repository.folder / "pipe"))
    monkeypatch.setattr(git_process, "_PATIENCE_SECONDS", 0.5)
    with pytest.raises(NoHistory, match=r"no answer in 0 s|no answer in 1 s"):
        find_repository(repository.folder)


def test_replaced_commits_and_grafts_are_not_followed(repository: Repository) -> None:
    """They stand for other commits in one clone alone."""
    first, second = repository.commit(), repository.commit()
    commits = [Commit(first, FIRST), Commit(second, FIRST + DAY)]
    (repository.folder / ".git/info/grafts").write_text(f"{second}\n")
    assert git.read_commits(found(repository.folder)) == commits
    (repository.folder / ".git/info/grafts").unlink()
    repository.git("replace", "--graft", second)
    assert repository.git("rev-list", "HEAD") == second
    assert git.read_commits(found(repository.folder)) == commits


def test_a_branch_or_tag_that_is_called_head_is_not_meant(repository: Repository) -> None:
    """The commit is the one that is checked out."""
    first, second = repository.commit(), repository.commit()
    for kind in ("heads", "tags"):
        repository.git("update-ref", f"refs/{kind}/HEAD", first)
    assert found(repository.folder).commit == second


def test_a_second_work_tree_and_a_submodule_have_their_own_commit(
    repository: Repository, tmp_path: Path
) -> None:
    """Their `.git` is a file that says where the repository is."""
    first, second = repository.commit(), repository.commit()
    repository.git("worktree", "add", "-q", str(tmp_path / "second"), first)
    assert found(tmp_path / "second") == git.Repository(tmp_path / "second", "", first)
    outer = Repository(tmp_path / "outer")
    outer.git("submodule", "--quiet", "add", str(repository.folder), "content")
    inner = outer.folder / "content"
    assert found(inner) == git.Repository(inner, "", second)


def test_objects_may_have_longer_names(tmp_path: Path) -> None:
    """A repository with SHA-256 names is read like any other."""
    folder = tmp_path / "content"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", "--object-format=sha256"], cwd=folder)
    repository = Repository(folder)
    repository.write("a.md", "one")
    commit = repository.commit()
    assert list(states(found(folder))) == [(commit, repository.tree(commit))]
    assert len(commit) == 64


def test_a_damaged_repository_is_named(repository: Repository) -> None:
    """The sentence says what git found and how to go on."""
    repository.write("a.md", "one")
    repository.commit()
    here = found(repository.folder)
    (blob,) = git.read_tree(here).values()
    file = repository.folder / ".git/objects" / blob[:2] / blob[2:]
    file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    file.write_bytes(b"damaged")
    with pytest.raises(NoHistory, match=r"cannot be read.*git fsck"):
        list(git.read_blobs(here.folder, [blob]))


def test_the_configuration_of_a_repository_runs_nothing(
    repository: Repository, tmp_path: Path
) -> None:
    """A source may come from anybody: no monitor, hook, filter, pager or key checker is started."""
    repository.write("a.md", "one")
    repository.commit()
    repository.write("a.md", "two")
    repository.write(".gitattributes", "*.md diff=evil filter=evil\n")
    last = repository.commit()
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $0 >> '{ran}'\n")
    program.chmod(0o755)
    for hook in ("post-index-change", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"):
        shutil.copy(program, repository.folder / ".git/hooks" / hook)
    for name in (
        "alias.rev-list",
        "core.alternateRefsCommand",
        "core.askPass",
        "core.editor",
        "core.fsmonitor",
        "core.gitProxy",
        "core.pager",
        "core.sshCommand",
        "credential.helper",
        "diff.evil.command",
        "diff.evil.textconv",
        "diff.external",
        "filter.evil.clean",
        "filter.evil.process",
        "filter.evil.smudge",
        "gpg.program",
        "interactive.diffFilter",
        "pager.diff-tree",
        "pager.rev-list",
        "remote.origin.uploadpack",
    ):
        repository.git("config", name, str(program))
    included = repository.folder / "included"
    included.write_text(f"[core]\n    fsmonitor = {program}\n    pager = {program}\n")
    repository.git("config", "include.path", str(included))
    repository.git("config", "uploadpack.packObjectsHook", str(program))
    for name in ("log.showSignature", "diff.trustExitCode", "core.untrackedCache"):
        repository.git("config", name, "true")
    here = found(repository.folder)
    changes = list(git.read_changes(here, git.read_commits(here)))
    blobs = [change.after for change in changes if change.after]
    assert len(list(git.read_blobs(here.folder, blobs))) == len(git.read_sizes(here, blobs)) == 3
    assert (len(git.read_tree(here)), git.is_ancestor(here, last)) == (2, True)
    git.refuse_shallow(here)
    assert not ran.exists()
    with contextlib.suppress(subprocess.CalledProcessError):
        repository.git("status")  # The trap is one: an ordinary command does run what is named.
    assert ran.exists()
