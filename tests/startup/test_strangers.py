"""What is found upward must belong to somebody whom the program trusts; installed code looks in itself alone."""

import os
import shutil
import subprocess
import sys

import pytest

import extreg

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners and modes are POSIX's")]
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files to others"
)

PROGRAM = "import copyreg, extreg; extreg.install(); print(sorted(copyreg._inverted_registry))"
STRANGER = 54321
FILE = 'format = 1\n[codes]\n300 = "a:B"\n'


@pytest.fixture
def world(tmp_path):
    """A folder with a registry, and a program in a folder of its own below it."""
    (tmp_path / "registry.toml").write_text(FILE)
    (tmp_path / "own" / "deep").mkdir(parents=True)
    (tmp_path / "own" / "program.py").write_text(PROGRAM)
    return tmp_path


def python(*line, cwd):
    return subprocess.run([sys.executable, "-B", *line], cwd=cwd, capture_output=True, text=True, check=False)


def installs(world):
    """Start the program, by its file and by the working directory alone; return what both said."""
    by_file = python(str(world / "own" / "program.py"), cwd="/")
    by_folder = python("-c", PROGRAM, cwd=world / "own")
    assert by_file.returncode == by_folder.returncode
    return by_file, by_folder


def command(world, *arguments):
    return python("-m", "extreg", "list", *arguments, cwd=world / "own")


def taken(world):
    return [done.returncode for done in (*installs(world), command(world))] == [0, 0, 0]


def refusals(world):
    done = (*installs(world), command(world))
    assert [each.returncode for each in done] == [1, 1, 2]
    assert not any(each.stdout for each in done)
    assert "Traceback" not in done[2].stderr
    return [each.stderr for each in done]


def test_ones_own_is_taken(world):
    assert taken(world)


@as_root
def test_a_strangers_file_is_refused_with_its_owner_and_what_to_type(world):
    path = world / "registry.toml"
    os.chown(path, STRANGER, STRANGER)
    for said in refusals(world):
        assert f"found {path} on the way upward, but {path} belongs to user {STRANGER}, not to root (user 0)" in said
        assert f"name the registry: extreg.install({str(path)!r}), EXTREG_REGISTRY={path}" in said
        assert f"--registry {path}" in said
    assert command(world, "--registry", str(path)).returncode == 0
    assert python("-c", PROGRAM.replace("install()", f"install({str(path)!r})"), cwd="/").returncode == 0


@as_root
def test_the_owner_of_the_calling_file_is_trusted_with_the_registry_too(world):
    for path in (world / "registry.toml", world / "own" / "program.py", world / "own"):
        os.chown(path, STRANGER, STRANGER)
    assert python(str(world / "own" / "program.py"), cwd="/").returncode == 0
    assert command(world).returncode == 0  # in a folder of theirs
    assert python("-c", PROGRAM, cwd=world / "own").returncode == 1  # whose code is nobody's


@as_root
def test_commands_take_what_is_in_the_working_directory_itself_and_programs_do_not(world):
    os.chown(world / "registry.toml", STRANGER, STRANGER)
    assert python("-m", "extreg", "list", cwd=world).returncode == 0
    assert python("-c", PROGRAM, cwd=world).returncode == 1


def test_a_user_does_not_take_what_belongs_to_another(world, monkeypatch):
    """As above, for whoever runs the tests: the owner of the files is another than the effective user."""
    for path in (world, world / "registry.toml"):
        os.chown(path, os.geteuid() or STRANGER, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.chdir(world / "own")
    with pytest.raises(extreg.ExtregError, match=r"registry.toml belongs to .*, not to user 12345 or root"):
        exec(PROGRAM, {})


def test_a_folder_that_anybody_may_write_is_refused_unless_it_is_sticky(world):
    world.chmod(0o777)
    for said in refusals(world):
        assert f"anybody may put a file of that name into {world}" in said
    world.chmod(0o1777)
    assert taken(world)


def test_a_file_that_anybody_may_write_is_refused(world):
    (world / "registry.toml").chmod(0o666)
    for said in refusals(world):
        assert f"anybody may write {world / 'registry.toml'}" in said


def test_a_file_that_others_may_have_linked_there_is_refused(world, tmp_path_factory):
    """One of our own files, under a name that a stranger gave it in a folder such as /tmp."""
    os.link(world / "registry.toml", tmp_path_factory.mktemp("elsewhere") / "registry.toml")
    assert taken(world)
    world.chmod(0o1777)
    for said in refusals(world):
        assert f"anybody may have linked {world / 'registry.toml'} there" in said


def linked(world, *links):
    """Put the registry at the end of a chain of links; return the place of its file."""
    target = world / "store" / "real.toml"
    target.parent.mkdir()
    (world / "registry.toml").rename(target)
    for link in links:
        link.symlink_to(os.path.relpath(target, link.parent))
        target = link
    return world / "store" / "real.toml"


def test_a_link_of_ones_own_is_followed(world):
    (world / "middle").mkdir()
    linked(world, world / "middle" / "link.toml", world / "registry.toml")
    assert taken(world)


@as_root
@pytest.mark.parametrize("which", ["registry.toml", "middle/link.toml", "store/real.toml"])
def test_every_link_on_the_way_must_be_trusted(world, which):
    (world / "middle").mkdir()
    linked(world, world / "middle" / "link.toml", world / "registry.toml")
    os.chown(world / which, STRANGER, STRANGER, follow_symlinks=False)
    for said in refusals(world):
        assert f"{world / which} belongs to user {STRANGER}" in said


@pytest.mark.parametrize("which", ["middle", "store"])
def test_every_folder_on_the_way_must_be_closed_to_others(world, which):
    (world / "middle").mkdir()
    linked(world, world / "middle" / "link.toml", world / "registry.toml")
    (world / which).chmod(0o777)
    for said in refusals(world):
        assert f"anybody may put a file of that name into {world / which}" in said


def test_what_is_no_file_is_passed_over(world):
    own = world / "own" / "registry.toml"
    for put in (lambda: own.mkdir(), lambda: own.symlink_to("nowhere"), lambda: os.mkfifo(own)):
        put()
        assert taken(world)
        own.rmdir() if own.is_dir() else own.unlink()


@as_root
def test_a_strangers_pyproject_does_not_lead_the_command_line(world):
    pyproject = world / "pyproject.toml"
    pyproject.write_text('[tool.extreg]\nregistry = "registry.toml"\n')
    assert command(world).returncode == 0
    os.chown(pyproject, STRANGER, STRANGER)
    done = command(world)
    assert done.returncode == 2
    assert f"found {pyproject} on the way upward, but {pyproject} belongs to user {STRANGER}" in done.stderr
    assert f"--registry {world / 'registry.toml'}" in done.stderr


def test_a_working_directory_that_is_gone_is_no_obstacle(world, nothing_above):
    """Nor does it hide what to type when there is nothing else."""
    program = f"import os; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')\n__file__ = {{}}\n{PROGRAM}"
    found = python("-c", program.format(repr(str(world / "own" / "program.py"))), cwd=world / "own" / "deep")
    assert found.stdout == "[300]\n", found.stderr
    missing = python("-c", program.format("None"), cwd=world / "own" / "deep")
    assert "no registry.toml found" in missing.stderr
    assert "extreg init" in missing.stderr


# Code that is installed


@pytest.fixture(params=["site-packages", "dist-packages"])
def site(world, request):
    """An environment inside the project: the registry of the project stands above the packages."""
    folder = world / "own" / "lib" / request.param
    (folder / "shop" / "inner").mkdir(parents=True)
    for module in ("shop/__init__.py", "shop/inner/__init__.py"):
        (folder / module).write_text("")
    for module in ("single.py", "shop/start.py", "shop/inner/start.py"):
        (folder / module).write_text(f"def start():\n    {PROGRAM}\n")
    return folder


def start(site, module, cwd):
    program = f"import sys; sys.path.insert(0, {str(site)!r})\nfrom {module} import start\nstart()"
    return python("-c", program, cwd=cwd)


@pytest.mark.parametrize("module", ["shop.start", "shop.inner.start"])
def test_installed_code_looks_in_its_own_package_only(site, world, module):
    done = start(site, module, world)
    assert done.returncode == 1
    assert f"no registry.toml in the installed package {site / 'shop'}" in done.stderr
    assert "its wheel must carry the file as package data" in done.stderr
    shutil.copy(world / "registry.toml", site / "registry.toml")  # between the packages, and so nobody's
    assert start(site, module, world).returncode == 1
    (site / "shop" / "registry.toml").write_text('format = 1\n[codes]\n301 = "a:C"\n')
    assert start(site, module, world).stdout == "[301]\n"


def test_an_installed_module_of_no_package_finds_nothing(site, world):
    done = start(site, "single", world)
    assert f"no registry.toml in {site / 'single.py'}, which is installed and no package" in done.stderr
    (site / "registry.toml").write_text(FILE)
    assert start(site, "single", world).returncode == 1


def test_installed_code_still_listens_to_the_variable(site, world, monkeypatch):
    monkeypatch.setenv("EXTREG_REGISTRY", str(world / "registry.toml"))
    assert start(site, "shop.start", "/").stdout == "[300]\n"
