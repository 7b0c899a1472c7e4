"""The merge driver that cannot run, is killed, or finds no space; and what resolve and lint say afterwards."""

import errno
import os
import shlex
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from extreg.project.git_setup import setup
from extreg.registry.model import Registry

from .conftest import Repository

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.skipif(sys.platform == "win32", reason="the drivers are written for a POSIX shell here"),
]

TEXT = 'format = 1\n\n[codes]\n300 = "shop:Money"\n'


def program(folder: Path, body: str) -> str:
    """Write a shell script and return its path, quoted: what an installation of extreg is to git."""
    folder.mkdir(exist_ok=True)
    path = folder / "extreg"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return shlex.quote(str(path))


WORKING = f'exec {shlex.quote(sys.executable)} -I -m extreg "$@"'


@pytest.fixture
def gone(tmp_path, make_repository):
    """Both branches add another row with the same code; the driver is set up in an environment that is then deleted."""

    def make(rows=('5000 = "shop:Main"', '5000 = "shop:Topic"'), body=WORKING, remove=True) -> Repository:
        repository = make_repository(TEXT, driver=False)
        environment = tmp_path / "environment"
        repository.extreg("git-setup", "--command", program(environment, body))
        repository.commit("attributes")
        repository.branch("topic")
        repository.add(rows[1])
        repository.commit("topic")
        repository.switch("main")
        repository.add(rows[0])
        repository.commit("main")
        if remove:
            shutil.rmtree(environment)
        return repository

    return make


def test_without_its_environment_git_leaves_markers(gone):
    repository = gone()
    done = repository.git("merge", "topic", check=False)
    assert done.returncode == 1
    assert "the merge driver could not run" in done.stderr
    assert "<<<<<<< ours" in repository.text
    for name in ("shop:Main", "shop:Topic"):
        assert name in repository.text
    assert "resolved 1 conflict" in repository.extreg("resolve").stdout
    assert set(repository.registry.codes.values()) == {"shop:Money", "shop:Main", "shop:Topic"}


def test_without_its_environment_lines_that_do_not_meet_are_merged_as_by_git(gone):
    repository = gone(remove=False)
    repository.branch("left")
    repository.write(repository.text.replace("format = 1\n", "# on top\nformat = 1\n"))
    repository.commit("left")
    repository.switch("main")
    repository.add('9000 = "shop:Last"')
    repository.commit("last")
    shutil.rmtree(Path(shlex.split(repository.git("config", "merge.extreg.driver").stdout)[0]).parent)
    done = repository.git("merge", "--no-edit", "left")
    assert "merging by lines" in done.stderr
    assert repository.text.startswith("# on top\n")
    assert "shop:Last" in repository.text


@pytest.mark.parametrize(
    "body",
    ["exit 1", "exit 2", "exec /nowhere/python", "echo 'No module named extreg' >&2; exit 1"],
    ids=["1", "usage", "no interpreter", "no module"],
)
def test_whatever_keeps_it_from_running_nothing_of_theirs_is_lost(gone, body):
    repository = gone(body=body, remove=False)
    assert repository.git("merge", "topic", check=False).returncode == 1
    assert "<<<<<<< ours" in repository.text
    assert '5000 = "shop:Topic"' in repository.text


@pytest.mark.parametrize("operation", ["merge", "rebase", "cherry-pick", "stash"])
def test_a_driver_that_dies_of_a_signal_stops_git(gone, operation):
    repository = gone(body="kill -9 $$", remove=False)
    before = repository.text
    if operation == "stash":
        repository.switch("topic")
        repository.change('"shop:Topic"', '"shop:Other"')
        repository.git("stash")
        repository.switch("main")
    commands = {
        "merge": ("merge", "topic"),
        "rebase": ("rebase", "topic"),
        "cherry-pick": ("cherry-pick", "topic"),
        "stash": ("stash", "pop"),
    }
    done = repository.git(*commands[operation], check=False)
    assert done.returncode != 0
    kept = repository.git("show", "main:registry.toml").stdout
    assert kept == before
    assert "shop:Topic" in repository.git("show", "topic:registry.toml").stdout
    if operation == "stash":
        assert repository.git("stash", "list").stdout


def test_the_ancestors_of_a_criss_cross_merge_need_no_driver_that_runs(gone):
    repository = gone(('301 = "shop:Main"', '900 = "shop:Topic"'), remove=False)
    repository.git("merge", "--no-edit", "topic")
    repository.git("branch", "one")
    repository.switch("topic")
    repository.git("merge", "--no-edit", "main~1", check=False)
    shutil.rmtree(Path(shlex.split(repository.git("config", "merge.extreg.driver").stdout)[0]).parent)
    repository.add('950 = "shop:Later"')
    repository.commit("later")
    repository.git("merge", "--no-edit", "one", check=False)
    assert "shop:Later" in repository.text
    assert "shop:Main" in repository.text


def old_driver(repository: Repository) -> None:
    """Set up what the first release did: no fallback, and ours without markers where it cannot run."""
    repository.git("config", "merge.extreg.driver", "/nowhere/extreg merge-driver --marker-size %L %O %A %B %P")


@pytest.mark.parametrize("crlf", [False, True])
def test_resolve_reads_what_the_index_holds_where_there_are_no_markers(gone, crlf):
    repository = gone()
    old_driver(repository)
    assert repository.git("merge", "topic", check=False).returncode == 1
    assert "<<<<<<<" not in repository.text
    if crlf:
        repository.path.write_bytes(repository.path.read_bytes().replace(b"\n", b"\r\n"))
    done = repository.extreg("lint", "--no-source", check=False)
    assert done.returncode == 1
    assert "conflict-markers: git's index has it unmerged" in done.stdout
    assert "extreg resolve" in done.stdout
    done = repository.extreg("resolve")
    assert "resolved 1 conflict" in done.stdout
    assert set(repository.registry.codes.values()) == {"shop:Money", "shop:Main", "shop:Topic"}
    assert (b"\r\n" in repository.path.read_bytes()) is crlf
    repository.git("add", "registry.toml")
    assert "unmerged" not in repository.extreg("lint", "--no-source", check=False).stdout
    assert "no conflict markers" in repository.extreg("resolve").stdout


def test_what_is_unmerged_is_for_resolve_and_not_for_fix(gone):
    repository = gone(('700 = "shop:Last"\n600 = "shop:Main"', '600 = "shop:Topic"'))
    old_driver(repository)
    repository.git("merge", "topic", check=False)
    before = repository.text
    done = repository.extreg("lint", "--fix", "--against", "topic", "--no-source", check=False)
    assert done.returncode == 1
    assert {"unsorted", "conflict-markers"} <= {
        line.split(": ")[1] for line in done.stdout.splitlines() if ": " in line
    }
    assert repository.text == before
    assert "resolved 1 conflict" in repository.extreg("resolve").stdout


def test_what_somebody_edited_meanwhile_is_not_overwritten(gone):
    repository = gone()
    old_driver(repository)
    repository.git("merge", "topic", check=False)
    repository.add('700 = "shop:ByHand"')
    before = repository.text
    done = repository.extreg("resolve", check=False)
    assert done.returncode == 1
    assert "neither ours nor theirs" in done.stderr
    assert "git show :3:./registry.toml" in done.stderr
    assert repository.text == before


def test_a_side_that_deleted_the_file_is_said(make_repository):
    repository = make_repository(TEXT)
    repository.branch("topic")
    repository.git("rm", "-q", "registry.toml")
    repository.commit("gone")
    repository.switch("main")
    repository.add('301 = "shop:Order"')
    repository.commit("more")
    repository.git("merge", "topic", check=False)
    done = repository.extreg("resolve", check=False)
    assert (done.returncode, "theirs deleted it" in done.stderr) == (1, True)
    assert "unmerged" in repository.extreg("lint", "--no-source", check=False).stdout


def test_lint_says_that_the_driver_is_missing_or_cannot_run_but_not_in_ci(gone, monkeypatch):
    repository = gone(remove=False)
    assert repository.extreg("lint", "--no-source").stderr == ""
    shutil.rmtree(Path(shlex.split(repository.git("config", "merge.extreg.driver").stdout)[0]).parent)
    done = repository.extreg("lint", "--no-source")
    assert "this clone's merge driver cannot run: there is no " in done.stderr
    assert "extreg git-setup" in done.stderr
    repository.git("config", "--unset", "merge.extreg.driver")
    assert "has no merge driver for it" in repository.extreg("lint", "--no-source").stderr
    monkeypatch.setenv("CI", "true")
    assert repository.extreg("lint", "--no-source").stderr == ""
    monkeypatch.delenv("CI")
    repository.git("rm", "-q", ".gitattributes")
    assert repository.extreg("lint", "--no-source").stderr == ""


def test_lint_says_that_the_interpreter_of_the_driver_is_gone(gone, tmp_path):
    """What is left where a virtual environment's Python was removed: a script whose first line leads nowhere."""
    repository = gone(remove=False)
    script = tmp_path / "environment" / "extreg"
    script.write_text("#!/gone/bin/python -I\n")
    assert (
        "cannot run: there is no /gone/bin/python; extreg git-setup" in repository.extreg("lint", "--no-source").stderr
    )
    script.write_text(f"#!{sys.executable}\n")
    assert repository.extreg("lint", "--no-source").stderr == ""


@pytest.mark.parametrize("name", ["-x", "--ancestors", "a b", "it's", "ö", "a$b"])
@pytest.mark.parametrize("older", [False, True])
def test_a_folder_of_any_name_is_merged(make_repository, name, older):
    repository = make_repository("format = 1\n", driver=False)
    folder = repository.folder / name
    folder.mkdir()
    path = folder / "registry.toml"
    path.write_text(TEXT)
    command = f"{shlex.quote(sys.executable)} -I -m extreg"
    setup(path, command=command)
    if older:  # as the first release set it up
        repository.git("config", "merge.extreg.driver", f"{command} merge-driver --marker-size %L %O %A %B %P")
    repository.commit("in a folder")
    repository.branch("topic")
    path.write_text(TEXT + '5000 = "shop:Topic"\n')
    repository.commit("topic")
    repository.switch("main")
    path.write_text(TEXT + '5000 = "shop:Main"\n')
    repository.commit("main")
    done = repository.git("merge", "--no-edit", "topic", check=False)
    assert done.returncode == 0, done.stderr
    assert set(Registry.parse(path.read_text()).codes.values()) == {"shop:Money", "shop:Main", "shop:Topic"}


def drive_with(tmp_path: Path, prelude: str) -> "subprocess.CompletedProcess[str]":
    """Run the driver on three files as git does, after some Python of the test's own."""
    for name, row in (("base", ""), ("ours", '5000 = "shop:Main"\n'), ("theirs", '5000 = "shop:Topic"\n')):
        (tmp_path / name).write_text(TEXT + row)
    arguments = ["merge-driver", "--", "base", "ours", "theirs", "r.toml"]
    code = f"{prelude}\nfrom extreg.cli.main import main\nraise SystemExit(main({arguments}))"
    return subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)


@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("moment", ["half written", "before the rename"])
def test_a_driver_killed_while_it_writes_leaves_what_was_there(tmp_path, call, moment):
    """Ours as it was, or both sides between markers; never a part of either."""
    prelude = f"""
import os, pathlib, signal
calls, write, replace = [], pathlib.Path.write_bytes, pathlib.Path.replace
def killed_write(self, data):
    if self.name.startswith("ours"):
        calls.append(1)
        if len(calls) == {call} and {moment == "half written"}:
            write(self, data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
    return write(self, data)
def killed_replace(self, target):
    if len(calls) == {call} and {moment == "before the rename"}:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
pathlib.Path.write_bytes, pathlib.Path.replace = killed_write, killed_replace
"""
    assert drive_with(tmp_path, prelude).returncode == -9
    text = (tmp_path / "ours").read_text()
    assert text == TEXT + '5000 = "shop:Main"\n' if call == 1 else "<<<<<<< ours" in text
    assert '5000 = "shop:Main"' in text


@pytest.mark.parametrize("call", [1, 2])
def test_a_full_disk_stops_git_and_leaves_what_was_there(tmp_path, call):
    prelude = f"""
import pathlib
calls, write = [], pathlib.Path.write_bytes
def full(self, data):
    if self.name.startswith("ours"):
        calls.append(1)
        if len(calls) == {call}:
            write(self, data[:10])
            raise OSError({errno.ENOSPC}, "No space left on device", str(self))
    return write(self, data)
pathlib.Path.write_bytes = full
"""
    done = drive_with(tmp_path, prelude)
    assert done.returncode == 129
    assert "No space left on device" in done.stderr
    text = (tmp_path / "ours").read_text()
    assert text == TEXT + '5000 = "shop:Main"\n' if call == 1 else "<<<<<<< ours" in text
    assert sorted(os.listdir(tmp_path)) == ["base", "ours", "theirs"]


@pytest.fixture
def little_space(tmp_path):
    """A function that runs a command on the three files of a merge where no file may grow beyond 10 bytes."""
    resource = pytest.importorskip("resource")

    def run(*command: str) -> "subprocess.CompletedProcess[str]":
        for name, row in (("base", ""), ("ours", '5000 = "shop:Main"\n'), ("theirs", '5000 = "shop:Topic"\n')):
            (tmp_path / name).write_text(TEXT + row)
        limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (10, 10))
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, preexec_fn=limit)

    return run


@pytest.mark.parametrize("ancestors", [False, True])
def test_a_file_system_that_takes_no_more_is_named_and_leaves_ours(little_space, tmp_path, ancestors):
    driver = [sys.executable, "-I", "-m", "extreg", "merge-driver", *["--ancestors"] * ancestors]
    done = little_space(*driver, "--", "base", "ours", "theirs", "r.toml")
    assert done.returncode == 129
    assert done.stderr.startswith("extreg: cannot merge r.toml: ours: ")
    assert (tmp_path / "ours").read_text() == TEXT + '5000 = "shop:Main"\n'
    assert sorted(os.listdir(tmp_path)) == ["base", "ours", "theirs"]


@pytest.mark.parametrize("name", ["extreg", "extreg-ancestors"])
def test_a_full_disk_leaves_ours_also_where_the_driver_could_not_run(make_repository, little_space, tmp_path, name):
    repository = make_repository(TEXT, driver=False)
    repository.extreg("git-setup", "--command", "/nowhere/extreg")
    line = repository.git("config", f"merge.{name}.driver").stdout.rstrip("\n")
    for letter, value in (("L", "7"), ("O", "base"), ("A", "ours"), ("B", "theirs"), ("P", "r.toml")):
        line = line.replace(f"%{letter}", value)
    done = little_space("sh", "-c", line)
    assert done.returncode > 128
    assert (tmp_path / "ours").read_text() == TEXT + '5000 = "shop:Main"\n'


@pytest.mark.parametrize("option", ["ours", "theirs", "ignore-all-space", "renormalize"])
def test_no_option_of_a_strategy_loses_a_row(make_repository, option):
    repository = both(make_repository)
    repository.git("merge", "-q", "-X", option, "topic")
    assert set(repository.registry.codes.values()) == {"shop:Money", "shop:Main", "shop:Topic"}


@pytest.mark.parametrize("operation", ["am", "merge-tree", "autocrlf"])
def test_no_other_way_to_merge_loses_a_row(make_repository, operation):
    repository = both(make_repository)
    text = None
    if operation == "am":
        patch = repository.folder / ".git" / "patch"
        patch.write_text(repository.git("format-patch", "-1", "--stdout", "topic").stdout)
        repository.git("am", "-3", ".git/patch")
    elif operation == "merge-tree":
        tree = repository.git("merge-tree", "--write-tree", "main", "topic").stdout.split()[0]
        text = repository.git("show", f"{tree}:registry.toml").stdout
    else:
        repository.git("config", "core.autocrlf", "true")
        repository.path.unlink()
        repository.git("checkout", "registry.toml")
        repository.git("merge", "-q", "topic")
        assert repository.text.count("\r\n") == repository.text.count("\n") == repository.text.count("\r")
    registry = Registry.parse(text) if text is not None else repository.registry
    assert set(registry.codes.values()) == {"shop:Money", "shop:Main", "shop:Topic"}


@pytest.mark.parametrize("side", ["main", "topic", "main topic"])
@pytest.mark.parametrize("kind", ["no newline", "CRLF"])
def test_ends_of_lines_lose_no_row(make_repository, side, kind):
    changed = {"no newline": lambda text: text.rstrip("\n"), "CRLF": lambda text: text.replace("\n", "\r\n")}[kind]
    repository = both(make_repository, dict.fromkeys(side.split(), changed))
    repository.git("merge", "-q", "topic")
    assert set(repository.registry.codes.values()) == {"shop:Money", "shop:Main", "shop:Topic"}


def test_an_octopus_that_conflicts_changes_nothing(make_repository):
    """Git merges it by lines, and calls no driver."""
    repository = both(make_repository)
    repository.branch("third", "main~1")
    repository.add('5000 = "shop:Third"')
    repository.commit("third")
    repository.switch("main")
    before = repository.text
    assert repository.git("merge", "topic", "third", check=False).returncode != 0
    assert repository.text == before or "<<<<<<<" in repository.text


def both(make_repository, changes=None) -> Repository:
    """Let main, which is left checked out, and the branch topic give one code to two targets."""
    repository = make_repository(TEXT)
    repository.branch("topic")
    for name, target in (("topic", "Topic"), ("main", "Main")):
        repository.switch(name)
        change = (changes or {}).get(name, str)
        repository.write(change(f'{TEXT}5000 = "shop:{target}"\n'))
        repository.commit(name)
    return repository
