"""One writer at a time, also where folders cannot be locked, and whoever the writers are."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from extreg.cli.main import main
from extreg.disk import locking
from extreg.disk.locking import LOCK_NAME, locked
from extreg.errors import UnreadableError
from extreg.registry.model import Registry

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="flock, users and links as POSIX has them"),
]
ROOT_ONLY = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can become another user")
Start = Callable[..., "subprocess.Popen[str]"]

START = "format = 1\n\n[codes]\n"
# As on network file systems, which lock files at most.
NO_FOLDERS = """
import fcntl, stat
flock = fcntl.flock
def refuse_folders(descriptor, operation):
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        raise OSError(37, "No locks available")
    flock(descriptor, operation)
fcntl.flock = refuse_folders
"""
CODE = f"""
import os, sys
{NO_FOLDERS}
from extreg.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def no_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    flock = fcntl.flock

    def refuse(descriptor: int, operation: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(37, "No locks available")
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.fixture
def path(anywhere: Path) -> Path:
    """A registry that everybody may write, in a folder where everybody may."""
    path = anywhere / "registry.toml"
    path.write_text(START)
    path.chmod(0o666)
    return path


def targets(path: Path) -> set[str]:
    return set(Registry.load(path).codes.values())


def add(path: Path, target: str) -> list[str]:
    return ["add", "--no-import", "--registry", str(path), target]


@pytest.mark.usefixtures("no_folders")
def test_nothing_lies_about(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither beside the registry nor in the folder for temporary files, where anybody could have put a link."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(add(path, "m:C")) == 0
    assert os.listdir(path.parent) == ["registry.toml"]
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("no_folders")
@pytest.mark.parametrize(("mode", "expected"), [(0o755, 0o600), (0o775, 0o660), (0o777, 0o666), (0o1777, 0o666)])
def test_who_may_write_in_the_folder_may_lock_it_and_nobody_else(mode: int, expected: int, path: Path) -> None:
    path.parent.chmod(mode)
    umask = os.umask(0o077)
    try:
        with locked(path):
            assert (path.parent / LOCK_NAME).stat().st_mode & 0o7777 == expected
    finally:
        os.umask(umask)


@ROOT_ONLY
@pytest.mark.parametrize("mode", [0o777, 0o1777])
@pytest.mark.parametrize("prelude", ["", NO_FOLDERS], ids=["folder", "file"])
def test_two_users_exclude_each_other(prelude: str, mode: int, path: Path, start_as: Start) -> None:
    """Neither is locked out, whoever came first, and neither writes over what the other wrote.

    In a folder such as /tmp, a file may be replaced only by its owner: there they write to files of their own.
    """
    path.parent.chmod(mode)
    files = {1234: path, 5678: path}
    if mode & stat.S_ISVTX:
        files = {user: path.parent / f"{user}.toml" for user in files}
        for user, file in files.items():
            file.write_text(START)
            os.chown(file, user, 2345)
    started = [
        start_as(user, *add(file, f"m:C{user}_{number}"), group=user, prelude=prelude)
        for number in range(6)
        for user, file in files.items()
    ]
    said = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0] * 12, said
    found = set().union(*map(targets, set(files.values())))
    assert found == {f"m:C{user}_{number}" for number in range(6) for user in files}
    assert sorted(os.listdir(path.parent)) == sorted({path.name, *(file.name for file in files.values())})


@ROOT_ONLY
@pytest.mark.usefixtures("no_folders")
def test_a_user_waits_for_another(path: Path, start_as: Start) -> None:
    with locked(path):
        process = start_as(1234, *add(path, "m:C"), prelude=NO_FOLDERS)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert targets(path) == {"m:C"}


@ROOT_ONLY
def test_a_lock_file_that_another_user_is_about_to_share(path: Path, start_as: Start) -> None:
    place = path.parent / LOCK_NAME
    place.touch(0o600)
    process = start_as(1234, *add(path, "m:C"), prelude=f"{NO_FOLDERS}\nprint('ready', flush=True)")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.2)
    place.chmod(0o666)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert targets(path) == {"m:C"}


@ROOT_ONLY
def test_a_lock_file_that_another_user_does_not_share(path: Path, start_as: Start) -> None:
    (path.parent / LOCK_NAME).touch(0o600)
    process = start_as(1234, *add(path, "m:C"), prelude=NO_FOLDERS)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert f"cannot lock {path.parent / LOCK_NAME}: Permission denied" in said


@pytest.mark.usefixtures("no_folders")
@pytest.mark.parametrize("kind", ["link", "dangling", "hard link", "fifo", "folder"])
def test_what_is_no_lock_file_is_not_taken_for_one(
    kind: str, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a folder where anybody may write, anybody may have put it there: it is not opened, made or removed."""
    place, precious = path.parent / LOCK_NAME, path.parent / "precious"
    precious.write_text("precious")
    if kind == "link":
        place.symlink_to(precious)
    elif kind == "dangling":
        place.symlink_to(tmp_path / "made")
    elif kind == "hard link":
        os.link(precious, place)
    elif kind == "fifo":
        os.mkfifo(place)
    else:
        place.mkdir()
    before = place.lstat().st_ino, precious.stat().st_mode
    assert main(add(path, "m:C")) == 2
    said = capsys.readouterr().err
    assert f"cannot lock {place}: " in said
    assert f"hint: look at it: ls -ld {place}" in said
    assert (place.lstat().st_ino, precious.stat().st_mode) == before
    assert precious.read_text() == "precious"
    assert os.listdir(tmp_path) == []
    assert targets(path) == set()


def test_what_a_killed_writer_left_is_no_obstacle(path: Path) -> None:
    waits = f"import os, sys\n{NO_FOLDERS}\nfrom pathlib import Path\nfrom extreg.disk.locking import locked\n"
    waits += "with locked(Path(sys.argv[1])):\n    print('locked', flush=True)\n    sys.stdin.read()\n"
    line = [sys.executable, "-c", waits, str(path)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        holder.kill()
    assert holder.returncode == -signal.SIGKILL
    assert (path.parent / LOCK_NAME).exists()
    done = subprocess.run([sys.executable, "-c", CODE, *add(path, "m:C")], check=False)
    assert done.returncode == 0
    assert targets(path) == {"m:C"}
    assert os.listdir(path.parent) == ["registry.toml"]


def test_many_writers_lose_nothing_by_the_lock_file(path: Path) -> None:
    """Each removes the file, which the next has opened already: then it is not the lock any more."""
    loop = f"import os, sys\n{NO_FOLDERS}\nfrom extreg.cli.main import main\nfor number in range(25):\n"
    loop += "    assert main([*sys.argv[1:], f'm{os.getpid()}:C{number}']) == 0\n"
    line = [sys.executable, "-c", loop, *add(path, "")[:-1]]
    writers = [subprocess.Popen(line, stdout=subprocess.DEVNULL) for _ in range(8)]
    assert [writer.wait() for writer in writers] == [0] * 8
    assert len(targets(path)) == 200
    assert os.listdir(path.parent) == ["registry.toml"]


@pytest.mark.parametrize("folders", [True, False])
def test_patience_ends(folders: bool, path: Path, request: pytest.FixtureRequest) -> None:
    if not folders:
        request.getfixturevalue("no_folders")
    with (
        locked(path),
        pytest.raises(UnreadableError, match="another program holds the lock"),
        locked(path, patience=0.05),
    ):
        pass
    with locked(path, patience=0.05):
        pass


def test_files_that_cannot_be_locked_either(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locking.fcntl, "flock", refuse)
    assert main(add(path, "m:C")) == 2
    assert f"cannot lock {path.parent / LOCK_NAME}: No locks available" in capsys.readouterr().err
    assert targets(path) == set()
