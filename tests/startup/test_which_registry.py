"""Which registry is meant: the same for `install()` and the command line, by a path or a package, and cheap to tell."""

import os
import subprocess
import sys

import pytest

from extreg import startup
from extreg.errors import UnreadableError

PROGRAM = "import copyreg, extreg; extreg.install(); print(*copyreg._inverted_registry)"
SOURCE = "import copyreg, sys, extreg; extreg.install(sys.argv[1]); print(*copyreg._inverted_registry)"


def registry(code):
    return f'format = 1\n[codes]\n{code} = "a:B"\n'


@pytest.fixture
def world(tmp_path):
    """A project with a program below it, four registries (300 to 303), and a package that has one of its own (304)."""
    for name in ("project/program", "project/src/paylib", "project/conf", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    project = tmp_path / "project"
    (project / "registry.toml").write_text(registry(300))
    (project / "conf" / "registry.toml").write_text(registry(301))
    (project / "other.toml").write_text(registry(302))
    (tmp_path / "elsewhere" / "registry.toml").write_text(registry(303))
    (project / "src" / "paylib" / "__init__.py").write_text("raise SystemExit('imported')")
    (project / "src" / "paylib" / "registry.toml").write_text(registry(304))
    (project / "program" / "start.py").write_text(PROGRAM)
    return project


def run(*line, cwd, **environment):
    environment = {**os.environ, "PYTHONPATH": str(cwd / "src"), **environment}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run(
        [sys.executable, *line], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def installed(world, **environment):
    """Return what a program below the folder installs, by its file and by the folder it runs in."""
    found = [run("program/start.py", cwd=world, **environment), run("-c", PROGRAM, cwd=world, **environment)]
    assert found[0].stdout == found[1].stdout, found
    return found[0].stdout.strip() or found[0].stderr


def listed(world, *arguments, **environment):
    done = run("-m", "extreg", "list", *arguments, cwd=world, **environment)
    return done.stdout[:3] or done.stderr


MEANT = {
    "nothing": ("", "300"),
    "a file": ("other.toml", "302"),
    "a folder": ("conf/", "301"),
    "a file elsewhere": ("../elsewhere/registry.toml", "303"),
    "a package": ("paylib", "304"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MEANT)
def test_the_same_is_meant_wherever_it_is_said(world, name):
    """As an argument, in the environment and in pyproject.toml; by programs and by the command line."""
    said, code = MEANT[name]
    if said:
        assert run("-c", SOURCE, said, cwd=world).stdout.strip() == code
        assert listed(world, "--registry", said) == code
        assert installed(world, EXTREG_REGISTRY=said) == code
        assert listed(world, EXTREG_REGISTRY=said) == code
        (world / "pyproject.toml").write_text(f'[tool.extreg]\nregistry = "{said}"\n')
    assert installed(world) == code
    assert listed(world) == code
    assert listed(world, "--registry", "other.toml", EXTREG_REGISTRY="conf/") == "302"
    assert listed(world, EXTREG_REGISTRY="conf/") == installed(world, EXTREG_REGISTRY="conf/") == "301"


@pytest.mark.slow
def test_what_is_nearer_is_meant(world):
    (world / "pyproject.toml").write_text('[tool.extreg]\nregistry = "other.toml"\n')
    (world / "program" / "registry.toml").write_text(registry(305))
    assert run("program/start.py", cwd=world).stdout.strip() == "305"
    done = run("-m", "extreg", "list", cwd=world / "program", PYTHONPATH="")
    assert done.stdout[:3] == "305"


@pytest.mark.slow
def test_a_package_that_is_not_there_is_named_alike(world):
    said = installed(world, EXTREG_REGISTRY="nolib")
    assert "$EXTREG_REGISTRY: there is no package 'nolib'" in said
    shown = listed(world, EXTREG_REGISTRY="nolib")
    assert "$EXTREG_REGISTRY: there is no package 'nolib' on the import path" in shown
    assert "./nolib" in shown
    (world / "pyproject.toml").write_text('[tool.extreg]\nregistry = "nolib"\n')
    for found in (installed(world), listed(world)):
        assert f"{world / 'pyproject.toml'}: tool.extreg.registry: there is no package 'nolib'" in found


@pytest.mark.slow
@pytest.mark.parametrize("how", ["argument", "setting"])
def test_init_writes_into_the_package_that_is_named(world, how):
    (world / "src" / "newlib").mkdir()
    (world / "src" / "newlib" / "__init__.py").write_text("")
    if how == "setting":
        (world / "pyproject.toml").write_text('[tool.extreg]\nregistry = "newlib"\n')
    given = ["--registry", "newlib"] if how == "argument" else []
    assert run("-m", "extreg", "init", *given, cwd=world).returncode == 0
    assert (world / "src" / "newlib" / "registry.toml").is_file()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.extreg]\nregistry = 5\n", "tool.extreg.registry: expected a string, found 5"),
        ("[tool.extreg]\nregistry = ''\n", "tool.extreg.registry: expected a string, found ''"),
        ("[tool.extreg\nregistry = 'a'\n", "cannot read"),
        ("[tool]\nextreg = 'registry'\n", "tool.extreg: expected a table"),
    ],
)
def test_a_bad_setting_is_named(tmp_path, text, message):
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    with pytest.raises(UnreadableError, match=message) as caught:
        startup.setting(str(path))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["[tool.extreg\n", '[project]\nname = "registry"\n', "not [ toml"])
def test_what_does_not_name_both_is_not_parsed(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text)
    assert startup.setting(str(tmp_path / "pyproject.toml")) is None


@pytest.mark.slow
def test_what_pyproject_says_is_parsed_once(world):
    """A second start reads its cache; a changed file counts, whatever its times say."""
    watched = PROGRAM + "; import sys; print({'tomli', 'tomllib'} & set(sys.modules) != set())"
    pyproject = world / "pyproject.toml"
    pyproject.write_text('[project]\ndependencies = ["extreg"]\n[tool.extreg]\nregistry = "conf/registry.toml"\n')
    before = pyproject.stat()
    assert [run("-c", watched, cwd=world).stdout.split() for _ in range(2)] == [["301", "True"], ["301", "False"]]
    pyproject.write_text(pyproject.read_text().replace("conf/registry", "././././other"))
    os.utime(pyproject, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert pyproject.stat().st_size == before.st_size
    assert [run("-c", watched, cwd=world).stdout.split() for _ in range(2)] == [["302", "True"], ["302", "False"]]
    pyproject.write_text('[project]\ndependencies = ["extreg"]\n[tool.black]\nexclude = "registry"\n')
    assert [run("-c", watched, cwd=world).stdout.split() for _ in range(2)] == [["300", "True"], ["300", "False"]]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_the_place_of_pyproject_stops_nobody(world):
    os.mkfifo(world / "pyproject.toml")
    assert installed(world) == "300"


@pytest.mark.slow
def test_what_an_installer_put_into_any_folder_does_not_look_in_the_working_directory(world, tmp_path, nothing_above):
    """As `pip install --target vendor` does: the RECORD beside it names the file."""
    vendor = tmp_path / "vendor"
    (vendor / "library" / "sub").mkdir(parents=True)
    for name in ("__init__.py", "sub/__init__.py", "sub/start.py"):
        (vendor / "library" / name).write_text(PROGRAM if name.endswith("start.py") else "")
    start = str(vendor / "library" / "sub" / "start.py")
    blind = {"PYTHONPATH": os.environ["PYTHONPATH"]}
    assert run(start, cwd=world, **blind).stdout.strip() == "300"
    (vendor / "library-1.0.dist-info").mkdir()
    (vendor / "library-1.0.dist-info" / "RECORD").write_text("library/__init__.py,,\r\nlibrary/sub/start.py,,\r\n")
    done = run(start, cwd=world, **blind)
    assert done.stdout == ""
    assert f"no registry.toml found upward from {vendor / 'library' / 'sub'}\n" in done.stderr
    (vendor / "library" / "registry.toml").write_text(registry(306))
    assert run(start, cwd=world, **blind).stdout.strip() == "306"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files to others")
def test_a_strangers_setting_is_refused(world):
    pyproject = world / "pyproject.toml"
    pyproject.write_text('[tool.extreg]\nregistry = "other.toml"\n')
    os.chown(pyproject, 54321, 54321)
    for done in (
        run("program/start.py", cwd=world),
        run("-m", "extreg", "list", cwd=world / "program"),
    ):
        assert f"found {pyproject} on the way upward, but {pyproject} belongs to user 54321" in done.stderr
        assert f"EXTREG_REGISTRY={world / 'other.toml'}" in done.stderr
        assert done.stdout == ""
    assert not (world / "__pycache__").exists()
    assert listed(world) == "302"  # in the working directory itself, on the command line, which runs nothing
