"""Which environment it is, and what is said where nothing can be written."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import extreg
from extreg.autoload import environment
from extreg.errors import ExtregError

MANAGED = Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED"
BASE = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"


def test_a_virtual_environment_is_called_so():
    if sys.prefix == sys.base_prefix:
        pytest.skip("these tests run outside of one")
    found = environment.this_environment()
    assert found.folder == Path(sysconfig.get_path("purelib"))
    assert found.what == f"the virtual environment {sys.prefix}"
    assert found.reach == ""


def test_outside_of_one_it_says_whom_it_concerns(monkeypatch):
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    found = environment.this_environment()
    assert "which is no virtual environment" in found.what
    assert found.reach == f"whatever {sys.executable} runs"


def test_what_a_distributor_manages_is_left_alone(monkeypatch, tmp_path):
    (tmp_path / "EXTERNALLY-MANAGED").touch()
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(ExtregError, match="its distributor manages it") as caught:
        environment.refuse_unwritable(environment.this_environment())
    assert "python -m venv .venv" in caught.value.hint
    assert "extreg run -- COMMAND" in caught.value.hint


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_cannot_be_written(monkeypatch, tmp_path, there):
    folder = tmp_path / "site-packages"
    if there:
        folder.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: path != folder)
    with pytest.raises(ExtregError, match="may not be written by you" if there else "is not there"):
        environment.refuse_unwritable(environment.Environment(folder, "this"))


@pytest.mark.slow
@pytest.mark.skipif(MANAGED.exists(), reason="the distributor manages this Python")
@pytest.mark.skipif(not BASE.exists(), reason="the Python that virtual environments are made of is not found")
def test_in_a_user_site(tmp_path):
    """extreg installed by ``pip install --user``: for all that this Python runs, but not in virtual environments."""
    env = {**os.environ, "PYTHONUSERBASE": str(tmp_path / "user")}

    def python(*line, check=True):
        done = subprocess.run([BASE, *line], env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done
        return done

    assert python("-c", "import sys; print(sys.prefix == sys.base_prefix)").stdout == "True\n"
    user = Path(python("-c", "import site; print(site.getusersitepackages())").stdout.strip())
    user.mkdir(parents=True)
    shutil.copytree(Path(extreg.__file__).parent, user / "extreg")
    for name in ("tomli", "tomli_w"):
        shutil.copytree(Path(__import__(name).__file__).parent, user / name)
    (tmp_path / "registry.toml").write_text('format = 1\n[codes]\n300 = "m:C"\n')
    done = python("-m", "extreg", "autoload", "enable")
    assert f"wrote {user / 'zzz_extreg_autoload'}" in done.stdout
    assert "this is your user site" in done.stderr
    codes = "import copyreg; print(sorted(copyreg._inverted_registry))"
    assert python("-c", codes).stdout == "[300]\n"
    assert python("-s", "-c", codes).stdout == python("-I", "-c", codes).stdout == "[]\n"
    assert python("-m", "extreg", "autoload", "status").stdout.startswith("on: your user site")
    python("-m", "extreg", "autoload", "disable")
    assert not list(user.glob("zzz_extreg*"))
