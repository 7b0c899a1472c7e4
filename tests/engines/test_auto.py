"""``import extreg.auto``: which registry, what is raised, and that it looks like no settings."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SAY = "import extreg, extreg.auto; s = extreg.standing(); print(s.codes, s.load_only)"


@pytest.fixture
def run(shop):
    def run(*line, cwd=shop, **environment):
        kept = {name: value for name, value in os.environ.items() if name != "EXTREG_REGISTRY"}
        return subprocess.run(
            [sys.executable, *line], cwd=cwd, env={**kept, **environment}, capture_output=True, text=True, timeout=60
        )

    return run


def test_it_installs_what_is_nearest_upward_from_the_working_directory(run, shop):
    below = shop / "some" / "folder"
    below.mkdir(parents=True)
    assert run("-c", SAY, cwd=below).stdout == "2 1\n"


def test_a_pyproject_and_the_environment_say_otherwise(run, shop):
    (shop / "other.toml").write_text('format = 1\n[codes]\n300 = "shop:Order"\n')
    assert run("-c", SAY, EXTREG_REGISTRY=str(shop / "other.toml")).stdout == "1 0\n"
    (shop / "pyproject.toml").write_text('[tool.extreg]\nregistry = "./other.toml"\n')
    assert run("-c", SAY).stdout == "1 0\n"
    assert run("-c", SAY, EXTREG_REGISTRY="./registry.toml").stdout == "2 1\n"


def test_without_a_registry_the_import_fails_and_says_what_to_do(run, tmp_path_factory):
    done = run("-c", SAY, cwd=tmp_path_factory.mktemp("nothing"), EXTREG_REGISTRY="/nowhere/registry.toml")
    assert done.returncode == 1
    assert "UnreadableError: cannot read /nowhere/registry.toml" in done.stderr


def test_a_broken_registry_fails_with_every_fault(run, shop):
    (shop / "registry.toml").write_text('format = 1\n[codes]\n0 = "a:A"\n1 = "b"\n')
    done = run("-c", SAY)
    assert done.returncode == 1
    assert done.stderr.count("registry.toml:") >= 2


def test_it_looks_like_no_settings(run):
    """gunicorn takes each global of a configuration module that is called as a setting is for one."""
    done = run("-c", "import extreg.auto; print([name for name in vars(extreg.auto) if name[0] != '_'])")
    assert done.stdout == "[]\n"


def test_it_is_no_more_than_install_imports(run):
    run("-c", "import extreg.auto")  # which leaves a cache
    done = run("-X", "importtime", "-c", "import extreg.auto")
    names = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    bare = run("-X", "importtime", "-c", "import extreg; extreg.install('./registry.toml')")
    known = [line.rpartition("|")[2].strip() for line in bare.stderr.splitlines()]
    assert set(names) - set(known) == {"extreg.auto"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_a_checkout_that_belongs_to_another_user_is_taken_by_its_name_only(run, shop):
    """A container whose process is root, with a mounted checkout that is somebody else's."""
    for path in (shop, *shop.iterdir()):
        os.chown(path, 12345, 12345)
    done = run("-c", SAY)
    assert done.returncode == 1
    assert "belongs to user 12345, not to root (user 0)" in done.stderr
    assert f"EXTREG_REGISTRY={shop / 'registry.toml'}" in done.stderr
    assert run("-c", SAY, EXTREG_REGISTRY=str(shop / "registry.toml")).stdout == "2 1\n"
    # A program that is in the checkout has its owner's word for what it finds there.
    (shop / "main.py").write_text("import extreg; extreg.install(); print(extreg.standing().codes)\n")
    os.chown(shop / "main.py", 12345, 12345)
    assert run("main.py").stdout == "2\n"
    done = run("-m", "extreg", "lint", "--no-source")
    assert (done.returncode, done.stdout) == (0, "registry.toml: clean\n")
