"""Every way in which git can fail to read a base: exit code 2, with git's reason, and never clean."""

import shutil
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.once]


def output(git, *arguments: str) -> str:
    return git(*arguments)


def objects(project: Path, name: str) -> Path:
    return project / ".git" / "objects" / name[:2] / name[2:]


@pytest.fixture
def two(project, git):
    """A repository with two commits; the registry of the first is another one than that of the second."""
    path = project / "registry.toml"
    path.write_text(path.read_text() + '\n[load-only]\n310 = "shop.models:Basket"\n')
    git("add", "--all")
    git("commit", "--quiet", "-m", "second")
    return project


def blob(project: Path, git) -> None:
    objects(project, output(git, "rev-parse", "HEAD~1:registry.toml")).unlink()


def tree(project: Path, git) -> None:
    objects(project, output(git, "rev-parse", "HEAD~1^{tree}")).unlink()


def commit(project: Path, git) -> None:
    objects(project, output(git, "rev-parse", "HEAD~1")).unlink()


def damaged(project: Path, git) -> None:
    path = objects(project, output(git, "rev-parse", "HEAD~1:registry.toml"))
    path.chmod(0o600)
    path.write_bytes(b"\0" + path.read_bytes()[1:])


def emptied(project: Path, git) -> None:
    path = objects(project, output(git, "rev-parse", "HEAD~1^{tree}"))
    path.chmod(0o600)
    path.write_bytes(b"")


def index(project: Path, git) -> None:
    (project / ".git" / "index").write_bytes(b"DIRC, or so it seems")


def head(project: Path, git) -> None:
    (project / ".git" / "HEAD").write_text("nonsense\n")


def configuration(project: Path, git) -> None:
    (project / ".git" / "config").write_text("[core\n")


def gone(project: Path, git) -> None:
    shutil.rmtree(project / ".git")
    (project / ".git").write_text(f"gitdir: {project}/nowhere\n")


def none(project: Path, git) -> None:
    shutil.rmtree(project / ".git")


FAILURES = {
    blob: "is not in this clone, which is partial or damaged: git says: ",
    tree: "is not in this clone, which is partial or damaged: git says: ",
    commit: "git says: ",
    damaged: "git says: ",
    emptied: "git says: ",
    head: "git says: not a git repository",
    configuration: "git says: bad config line 1",
    gone: "git says: not a git repository",
    none: "git says: not a git repository",
}


@pytest.mark.parametrize("arguments", [("--against", "HEAD~1"), ("--history",)], ids=" ".join)
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
def test_a_base_that_cannot_be_read_is_no_clean_one(extreg, two, git, failure, arguments) -> None:
    assert extreg("lint", *arguments).returncode == 0
    failure(two, git)
    done = extreg("lint", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert FAILURES[failure] in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
def test_diff_says_what_git_says(extreg, two, git, failure) -> None:
    assert extreg("diff", "HEAD~1").returncode == 0
    failure(two, git)
    done = extreg("diff", "HEAD~1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "git says: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_rename_that_a_damaged_index_hides_is_no_new_file(extreg, two, git) -> None:
    git("mv", "registry.toml", "other.toml")
    index(two, git)
    done = extreg("lint", "--registry", "other.toml", "--against", "HEAD")
    assert (done.returncode, done.stdout) == (2, "")
    assert "git says: " in done.stderr


@pytest.mark.parametrize("arguments", [("--against", "HEAD~1"), ("--history",)], ids=" ".join)
def test_another_owners_repository_needs_gits_permission(extreg, two, git, arguments, tmp_path) -> None:
    done = extreg("lint", *arguments, environment={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "git says: detected dubious ownership in repository at" in done.stderr
    assert f"hint: git config --global --add safe.directory {two}" in done.stderr


def test_a_bare_repository_has_no_files(extreg, two, git, tmp_path) -> None:
    git("clone", "--quiet", "--bare", str(two), str(tmp_path / "bare.git"), cwd=tmp_path)
    shutil.copy(two / "registry.toml", tmp_path / "bare.git")
    for arguments in (("--against", "main"), ("--history",)):
        done = extreg("lint", *arguments, cwd=tmp_path / "bare.git")
        assert (done.returncode, done.stdout) == (2, "")
        assert "git says: this operation must be run in a work tree" in done.stderr


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("HEAD:registry.toml:x", "there is no such file in that commit"),
        ("HEAD~7", "there is no such commit or file here"),
        ("nothing", "there is no such commit or file here"),
        ("HEAD^{tree}", "is a tree, where a commit is expected"),
        ("HEAD:", "there is no such file in that commit"),
        ("HEAD:shop", "is a folder, where a file is expected"),
        ("file", "is a blob, where a commit is expected"),
        ("0123456789012345678901234567890123456789", "which cannot be read: git says: "),
    ],
)
def test_what_is_no_base_is_told_what_it_is(extreg, two, git, ref, message) -> None:
    git("tag", "file", "HEAD:registry.toml")
    done = extreg("lint", "--against", ref)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a program is a script with a first line")
@pytest.mark.parametrize(
    ("script", "message"),
    [
        (None, "cannot run git: No such file or directory"),
        ("kill -9 $$", "git says: it was ended by signal 9"),
        ("exit 3", "git says: nothing"),
        ("echo 'fatal: the disk is on fire' >&2; exit 128", "git says: the disk is on fire"),
    ],
    ids=["none", "killed", "silent", "failing"],
)
def test_a_git_that_does_not_work(extreg, two, tmp_path, script, message) -> None:
    (tmp_path / "bin").mkdir()
    if script is not None:
        (tmp_path / "bin" / "git").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / "git").chmod(0o755)
    for arguments in (("--against", "HEAD~1"), ("--history",)):
        done = extreg("lint", *arguments, environment={"PATH": str(tmp_path / "bin")})
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
