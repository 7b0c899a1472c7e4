"""What a file has beside its contents is still there when it has been replaced, or it is not replaced."""

import os
import pickle
import shlex
import struct
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest

from extreg.cli.main import main
from extreg.disk import atomic as write

START = 'format = 1\n\n[codes]\n240 = "collections:OrderedDict"\n'
ACL = "system.posix_acl_access"
DEFAULT_ACL = "system.posix_acl_default"
LINUX_ONLY = pytest.mark.skipif(not hasattr(os, "setxattr"), reason="extended attributes are Linux's to Python")
Act = Callable[[], int]
Start = Callable[..., "subprocess.Popen[str]"]


def acl(*, group: int, mask: int, user: int = 7) -> bytes:
    """A list for the owner (rw), user 1234, the group, their mask, and nobody else: acl(5), as xattr(7) has it."""
    nobody = 0xFFFFFFFF
    entries = [(1, 6, nobody), (2, user, 1234), (4, group, nobody), (0x10, mask, nobody), (0x20, 0, nobody)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def set_or_skip(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        pytest.skip(f"{path}: this file system holds no {name}: {error.strerror}")


def attributes(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


@pytest.fixture(params=["add", "rewrite"])
def act(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(act: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that is going to be replaced."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "registry.toml").write_text(START)
    (tmp_path / "data").write_bytes(pickle.dumps(OrderedDict(a=1), 4) * 20)
    return tmp_path / {"add": "registry.toml", "rewrite": "data"}[act]


@pytest.fixture(params=["nameless", "named"])
def run(request: pytest.FixtureRequest, act: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> Act:
    """Replace the file, by the command and by either kind of temporary file."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    line = {"add": ["add", "--no-import", "m:New"], "rewrite": ["rewrite", "--to", "codes", "data"]}[act]
    return lambda: main(line)


@LINUX_ONLY
def test_extended_attributes_stay(path: Path, run: Act) -> None:
    set_or_skip(path, "user.origin", b"by hand")
    inode = path.stat().st_ino
    assert run() == 0
    assert path.stat().st_ino != inode
    assert attributes(path)["user.origin"] == b"by hand"


@LINUX_ONLY
@pytest.mark.parametrize("group", [0, 4])
def test_an_access_control_list_stays(group: int, path: Path, run: Act) -> None:
    """Its mask stands where the mode has the group's rights: what is no more than the mode would give them to it."""
    set_or_skip(path, ACL, acl(group=group, mask=6))
    before = attributes(path), path.stat().st_mode
    assert path.stat().st_mode & 0o777 == 0o660
    assert run() == 0
    assert (attributes(path), path.stat().st_mode) == before


@LINUX_ONLY
@pytest.mark.parametrize("mode", [0o640, 0o600, 0o664])
def test_the_folders_default_list_gives_nobody_anything(mode: int, path: Path, run: Act) -> None:
    """It is for new files, and this is an old one."""
    path.chmod(mode)
    set_or_skip(path.parent, DEFAULT_ACL, acl(group=6, mask=6))
    assert run() == 0
    assert ACL not in attributes(path)
    assert path.stat().st_mode & 0o777 == mode


@LINUX_ONLY
@pytest.mark.parametrize("name", [ACL, "user.origin"])
def test_what_cannot_be_kept_is_not_dropped(
    name: str, path: Path, run: Act, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_or_skip(path, name, acl(group=0, mask=6))
    before = path.read_bytes(), path.stat().st_ino, attributes(path)

    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setxattr", refuse)
    assert run() == 2
    said = capsys.readouterr().err
    what = "access control list" if name == ACL else "extended attribute user.origin"
    assert f"its {what} cannot be kept (Operation not permitted)" in said
    assert (path.read_bytes(), path.stat().st_ino, attributes(path)) == before
    assert sorted(os.listdir(path.parent)) == ["data", "registry.toml"]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_nobody_else_may_open_the_file_before_it_has_its_mode(
    path: Path, run: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = write.keep_attributes
    modes = []

    def watch(path: Path, descriptor: int) -> None:
        modes.append(os.fstat(descriptor).st_mode & 0o777)
        keep(path, descriptor)

    monkeypatch.setattr(write, "keep_attributes", watch)
    path.chmod(0o644)
    assert run() == 0
    assert modes == [0o600]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(sys.platform == "win32", reason="the cure is for a POSIX shell")
def test_a_registry_with_two_names_is_refused_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Replaced under one, it would go on as it was under the other, without a word."""
    path = tmp_path / "a registry.toml"
    path.write_text(START)
    os.link(path, tmp_path / "backup")
    line = ["add", "--no-import", "--registry", str(path), "m:New"]
    assert main(line) == 1
    said = capsys.readouterr().err
    assert f"{path} has 2 names (hard links)" in said
    assert path.samefile(tmp_path / "backup")
    assert path.read_text() == START
    assert sorted(os.listdir(tmp_path)) == ["a registry.toml", "backup"]
    cure = said.partition("give it a file of its own: ")[2].strip()
    assert shlex.quote(str(path)) in cure
    subprocess.run(cure, shell=True, check=True)
    assert main(line) == 0
    assert "m:New" in path.read_text()
    assert (tmp_path / "backup").read_text() == START


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("mode", "code"), [(0o644, 0), (0o666, 0), (0o664, 2), (0o640, 2)])
def test_another_group_does_not_get_the_files_rights(mode: int, code: int, anywhere: Path, start_as: Start) -> None:
    """Who is not of the file's group cannot keep it; what is not kept must not make a difference."""
    path = anywhere / "registry.toml"
    path.write_text(START)
    path.chmod(mode)
    process = start_as(1234, "add", "--no-import", "--registry", str(path), "m:New")
    _, said = process.communicate()
    if mode == 0o640:
        assert "cannot read" in said
    elif code:
        assert "its group (0), which is not yours, cannot be kept" in said
    assert process.returncode == code, said
    assert path.stat().st_mode & 0o777 == mode
    assert ("m:New" in path.read_text()) == (code == 0)
