"""What fails after a file has been replaced is told as that: the change is in the file."""

import os
import pickle
import stat
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest

from extreg.cli.main import main

START = """\
format = 1

[codes]
240 = "m:Live"
241 = "m:Other"

[load-only]
250 = "m:Loaded"
"""
UNSORTED = 'format = 1\n\n[codes]\n241 = "m:B"\n240 = "m:A"\n'
MARKED = 'format = 1\n\n[codes]\n<<<<<<< ours\n240 = "m:A"\n=======\n241 = "m:B"\n>>>>>>> theirs\n'

# Each command that writes: what the registry holds before, the arguments, and what a file holds afterwards.
COMMANDS = {
    "add": (START, ["add", "--no-import", "m:New"], "m:New"),
    "promote": (START, ["promote", "250"], '\n\n[codes]\n240 = "m:Live"\n241 = "m:Other"\n250 = "m:Loaded"'),
    "demote": (START, ["demote", "240"], '[load-only]\n240 = "m:Live"'),
    "retire": (START, ["retire", "250"], '[retired]\n250 = "m:Loaded"'),
    "move": (START, ["move", "--no-import", "240", "m:Moved"], '240 = "m:Moved"'),
    "init": (None, ["init"], "format = 1"),
    "lint": (UNSORTED, ["lint", "--fix"], '240 = "m:A"\n241 = "m:B"'),
    "resolve": (MARKED, ["resolve"], '240 = "m:A"\n241 = "m:B"'),
    "suggest": (START, ["suggest", "--apply", "--registry", "registry.toml", "data"], "collections:OrderedDict"),
}
POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="folders are not synced there")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fail_for_folders(monkeypatch: pytest.MonkeyPatch, number: int = 5) -> None:
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


@POSIX_ONLY
@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_that_cannot_be_synced(
    name: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, arguments, expected = COMMANDS[name]
    path = project / "registry.toml"
    if before is not None:
        path.write_text(before)
    (project / "data").write_bytes(pickle.dumps(OrderedDict(a=1), 4) * 20)
    fail_for_folders(monkeypatch)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert "registry.toml is written" in said
    assert "its folder could not be synced to the disk (Input/output error)" in said
    assert "the change is made: do not make it again" in said
    assert "cannot write" not in said
    assert expected in path.read_text()
    assert sorted(os.listdir(project)) == ["data", "registry.toml"]


@POSIX_ONLY
def test_the_lines_that_are_in_the_file_are_shown(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "registry.toml").write_text(START)
    fail_for_folders(monkeypatch)
    assert main(["add", "--no-import", "--code", "300", "m:New"]) == 2
    assert 'is written and holds 300 = "m:New"; but' in capsys.readouterr().err


@POSIX_ONLY
def test_git_setup_has_done_everything(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    (project / "registry.toml").write_text(START)
    fail_for_folders(monkeypatch)
    assert main(["git-setup"]) == 2
    assert f"{project / '.gitattributes'} is written; but" in capsys.readouterr().err
    assert main(["git-setup", "--check"]) == 0


@POSIX_ONLY
@pytest.mark.parametrize("number", [22, 95], ids=["EINVAL", "ENOTSUP"])
def test_a_file_system_whose_folders_need_no_syncing(
    number: int, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "registry.toml").write_text(START)
    fail_for_folders(monkeypatch, number)
    assert main(["add", "--no-import", "m:New"]) == 0


def refuse(*_: object, **__: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_a_temporary_name_that_cannot_be_removed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is gone when the file took its place, and there is nothing to say."""
    (project / "registry.toml").write_text(START)
    monkeypatch.setattr(Path, "unlink", refuse)
    assert main(["add", "--no-import", "m:New"]) == 0
    assert os.listdir(project) == ["registry.toml"]


@POSIX_ONLY
def test_rewrite_says_that_the_file_is_rewritten(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = project / "data"
    (project / "registry.toml").write_text('format = 1\n\n[codes]\n240 = "collections:OrderedDict"\n')
    data.write_bytes(old := pickle.dumps(OrderedDict(a=1), 4) * 20)
    fail_for_folders(monkeypatch)
    assert main(["rewrite", "--to", "codes", "data"]) == 2
    said = capsys.readouterr()
    assert said.out.startswith("changed data: 20 references")
    assert said.err.startswith("failed: data: it is rewritten, but its folder could not be synced")
    assert len(data.read_bytes()) < len(old)


@pytest.mark.skipif(sys.platform != "linux", reason="files change places on Linux only")
def test_rewrite_says_that_the_old_file_is_still_there(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "registry.toml").write_text('format = 1\n\n[codes]\n240 = "collections:OrderedDict"\n')
    (project / "data").write_bytes(old := pickle.dumps(OrderedDict(a=1), 4) * 20)
    monkeypatch.setattr(Path, "unlink", refuse)
    assert main(["rewrite", "--to", "codes", "data"]) == 2
    said = capsys.readouterr().err
    left = next(path for path in project.iterdir() if path.name.startswith(".data"))
    assert said.startswith(f"failed: data: it is rewritten, but {left}, which is not needed, cannot be removed")
    assert left.read_bytes() == old
    assert len((project / "data").read_bytes()) < len(old)


@pytest.mark.parametrize("step", ["fsync", "link", "replace"])
def test_what_fails_before_leaves_the_old_file(
    step: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if step == "link" and not hasattr(os, "O_TMPFILE"):
        pytest.skip("files without a name are Linux's")
    (project / "registry.toml").write_text(START)
    monkeypatch.setattr(Path if step == "replace" else os, step, refuse)
    assert main(["add", "--no-import", "m:New"]) == 2
    assert "cannot write" in capsys.readouterr().err
    assert (project / "registry.toml").read_text() == START
    assert os.listdir(project) == ["registry.toml"]


def test_an_editor_that_saves_at_the_last_moment(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Editors take no lock: what one saved after the registry was read is not written over."""
    path = project / "registry.toml"
    path.write_text(START)
    saved = START + '251 = "m:Edited"\n'
    sync: Callable[[int], None] = os.fsync

    def fsync(descriptor: int) -> None:
        path.write_text(saved)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert main(["add", "--no-import", "m:New"]) == 1
    assert f"{path} has changed meanwhile; nothing was written" in capsys.readouterr().err
    assert path.read_text() == saved
