"""``extreg doctor``: each planted fault is found, and its cure is named; nothing is said of what is well."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from ..autoload.conftest import Environment, make

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="tells of POSIX's start methods")]

INSTALLS = "import extreg\nextreg.install()\n"
POOL = "import multiprocessing\nmultiprocessing.Pool\n"
GUARDED = 'import extreg\nif __name__ == "__main__":\n    extreg.install()\n'
HATCHLING = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
SETUPTOOLS = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "shop"
version = "1"
[tool.setuptools]
packages = ["shop"]
include-package-data = false
"""
IN_A_PACKAGE = '\n[tool.extreg]\nregistry = "shop/registry.toml"\n'
ATTRIBUTES = "registry.toml merge=extreg\n"
HOOKS = "repos:\n- repo: https://example.org/extreg\n  hooks:\n  - id: extreg-lint\n"
HIDDEN = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
NAMES = {"GIT_AUTHOR_NAME": "n", "GIT_AUTHOR_EMAIL": "e", "GIT_COMMITTER_NAME": "n", "GIT_COMMITTER_EMAIL": "e"}


def git(world: Environment, *line: str, **variables: str) -> None:
    env = {**os.environ, **HIDDEN, **NAMES, **variables}
    subprocess.run(["git", *line], cwd=world.project, env=env, check=True, capture_output=True)


def commit(world: Environment, *, date: str = "") -> None:
    git(world, "init", "-q")
    git(world, "add", "-A")
    dated = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date} if date else {}
    git(world, "commit", "-q", "-m", "m", **dated)


def write(world: Environment, **files: str) -> None:
    for name, text in files.items():
        path = world.project / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def package(world: Environment, pyproject: str) -> None:
    (world.project / "shop.py").unlink()
    (world.project / "shop").mkdir()
    (world.project / "shop" / "__init__.py").touch()
    write(world, pyproject_dot_toml=pyproject)
    world.registry.rename(world.project / "shop" / "registry.toml")


@dataclass
class Fault:
    """What is planted, how doctor is called, and what it must say under which name, with which cure."""

    plant: Callable[[Environment], object]
    name: str
    found: str
    cure: str
    line: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


def late(world: Environment) -> None:
    write(world, main_dot_py=POOL + GUARDED)


def late_forkserver(world: Environment) -> None:
    write(world, main_dot_py="import multiprocessing as m\nm.get_context('forkserver')\n" + GUARDED)


def another_registry(world: Environment) -> None:
    write(world, app__registry_dot_toml='format = 1\n[codes]\n300 = "shop:Order"\n', app__main_dot_py=INSTALLS)


def not_in_the_wheel(world: Environment) -> None:
    package(world, SETUPTOOLS + IN_A_PACKAGE)


def no_driver(world: Environment) -> None:
    (world.project / ".gitattributes").write_text(ATTRIBUTES)
    commit(world)


def driver_gone(world: Environment) -> None:
    no_driver(world)
    git(world, "config", "merge.extreg.driver", "/nowhere/extreg merge-driver -- %O %A %B %P")


def no_hooks(world: Environment) -> None:
    (world.project / ".pre-commit-config.yaml").write_text(HOOKS)
    commit(world)


def old_rows(world: Environment) -> None:
    commit(world, date="2020-01-01T00:00:00")


def distribution_takes_a_code(world: Environment) -> None:
    (world.site / "other.py").write_text("import copyreg\ncopyreg.add_extension('other', 'Thing', 300)\n")
    info = world.site / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "RECORD").write_text("other.py,,\n")


def autoload_is_stale(world: Environment) -> None:
    world.extreg("autoload", "enable")
    (world.site / "zzz_extreg_autoload.pth").unlink()


def autoload_of_another(world: Environment) -> None:
    write(world, other_dot_toml='format = 1\n[codes]\n300 = "shop:Order"\n')
    world.extreg("autoload", "enable", "--path", "other.toml")


def taken_at_the_start(world: Environment) -> None:
    (world.site / "aaa.pth").write_text("import copyreg; copyreg.add_extension('other', 'Thing', 300)\n")


def top_level_fails(world: Environment) -> None:
    write(world, main_dot_py=f"{POOL}{INSTALLS}if __name__ == '__mp_main__':\n    raise SystemExit('no server')\n")


def top_level_differs(world: Environment) -> None:
    program = """
import copyreg
if multiprocessing.current_process().name == "MainProcess":
    copyreg.add_extension("a", "B", 777)
"""
    write(world, main_dot_py=POOL + INSTALLS + program)


FAULTS = {
    "install under the guard": Fault(
        late, "spawn", "2 of our codes do not stand there: 300, 301", "at the top level of", ("--main", "main.py")
    ),
    "install under the guard, forkserver alone": Fault(
        late_forkserver, "forkserver", "2 of our codes", "initializer=extreg.workers", ("--main", "main.py")
    ),
    "the program finds another registry": Fault(
        another_registry, "search", "the program finds ", "[tool.extreg] registry", ("--main", "app/main.py")
    ),
    "the wheel lacks the registry": Fault(not_in_the_wheel, "wheel", "will not carry registry.toml", "package-data"),
    "no cache": Fault(
        lambda world: None, "cache", "no current start-up cache", "extreg compile", env={"PYTHONDONTWRITEBYTECODE": "1"}
    ),
    "this clone has no merge driver": Fault(no_driver, "merge driver", "has no merge driver", "extreg git-setup"),
    "the merge driver is gone": Fault(driver_gone, "merge driver", "cannot run: there is no /nowhere", "git-setup"),
    "no hooks": Fault(no_hooks, "pre-commit", "this clone runs none", "pre-commit install"),
    "rows that are load-only for years": Fault(old_rows, "load-only", "301 (", "extreg promote 301"),
    "an installed distribution takes a code": Fault(
        distribution_takes_a_code, "other calls", "other.py:2: ", "EXTREG_ON_CONFLICT"
    ),
    "autoload is stale": Fault(autoload_is_stale, "autoload", ".pth is missing", "extreg autoload enable"),
    "autoload installs another": Fault(
        autoload_of_another, "autoload", "every start installs ", "extreg autoload enable --path "
    ),
    "a code is taken when Python starts": Fault(taken_at_the_start, "plain", "1 conflict with", "EXTREG_ON_CONFLICT"),
    "the program's top level fails": Fault(
        top_level_fails, "spawn", "last it said: no server", "run_name='__mp_main__'", ("--main", "main.py")
    ),
    "the program's top level is another in children": Fault(
        top_level_differs, "other codes", "code 777 of a:B stands in some", "extreg add --code 777 a:B",
        ("--main", "main.py"),
    ),
}  # fmt: skip


def doctor(world: Environment, *line: str, **env: str):
    done = world.extreg("doctor", *line, "--format", "json", check=False, env={**HIDDEN, **env})
    assert "Traceback" not in done.stderr, done.stderr
    return done, json.loads(done.stdout or '{"verdicts": []}')["verdicts"]


def test_there_are_fifteen() -> None:
    assert len(FAULTS) >= 15


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_its_cure_is_named(name: str, tmp_path) -> None:
    fault = FAULTS[name]
    world = make(tmp_path)
    fault.plant(world)
    done, verdicts = doctor(world, *fault.line, **fault.env)
    (found, *_) = [each for each in verdicts if each["name"] == fault.name and each["verdict"] == "not well"]
    assert done.returncode == 1
    assert fault.found in found["found"]
    assert fault.cure in found["cure"]
    text = world.extreg("doctor", *fault.line, check=False, env={**HIDDEN, **fault.env})
    assert fault.cure in text.stdout
    assert text.returncode == 1


def healthy_without_processes(world: Environment) -> None:
    write(world, main_dot_py=GUARDED)


def healthy_program(world: Environment) -> None:
    write(world, main_dot_py=POOL + INSTALLS)


def healthy_autoload(world: Environment) -> None:
    write(world, main_dot_py=POOL + "if __name__ == '__main__':\n    pass\n")
    world.extreg("autoload", "enable")


def healthy_initializer(world: Environment) -> None:
    write(world, main_dot_py=f"{POOL}import extreg.workers\n{GUARDED}    extreg.workers.initializer()\n")


def healthy_package(world: Environment) -> None:
    package(world, HATCHLING + IN_A_PACKAGE + "[tool.extreg.doctor]\nmain = 'main.py'\n")
    write(world, main_dot_py=POOL + "import extreg\nextreg.install('shop')\n")
    (world.project / ".pre-commit-config.yaml").write_text(HOOKS)
    (world.project / ".gitattributes").write_text(ATTRIBUTES)
    commit(world)
    world.extreg("git-setup", env=HIDDEN)
    hook = world.project / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")


def healthy_container(world: Environment) -> None:
    """The checkout is another user's, and was compiled when the image was built."""
    world.extreg("compile")
    if os.geteuid() == 0:
        for path in (world.registry, world.project / "shop.py", world.project):
            os.chown(path, 54321, 54321)
    write(world, main_dot_py=POOL + INSTALLS)


HEALTHY = {
    "no processes": (healthy_without_processes, ("--main", "main.py"), {}),
    "a pool": (healthy_program, ("--main", "main.py"), {}),
    "autoload": (healthy_autoload, ("--main", "main.py"), {}),
    "an initializer": (healthy_initializer, ("--main", "main.py"), {}),
    "a package with all that belongs to it": (healthy_package, (), {}),
    "a container": (healthy_container, ("--main", "main.py"), {"EXTREG_REGISTRY": "registry.toml"}),
}


@pytest.mark.once
@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_said_of_a_healthy_project(name: str, tmp_path) -> None:
    plant, line, env = HEALTHY[name]
    world = make(tmp_path)
    plant(world)
    start = time.monotonic()
    done, verdicts = doctor(world, *line, **env)
    assert time.monotonic() - start < 60, "under 10 s on a machine with nothing else to do"
    assert [each for each in verdicts if each["verdict"] not in ("well", "not used")] == []
    assert done.returncode == 0
    assert world.extreg("doctor", *line, env={**HIDDEN, **env}).stdout.endswith("all well\n")


def test_what_cannot_be_told_is_two(environment) -> None:
    done, verdicts = doctor(environment, "--celery", "no_such_app", "--dask", "tcp://127.0.0.1:9")
    kinds = {each["name"]: each["verdict"] for each in verdicts if each["verdict"] not in ("well", "not used")}
    assert kinds == {"celery": "cannot tell", "dask": "cannot tell"}
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("table", "said"),
    [("mian = 'a.py'", "unknown key"), ("main = 5", "expected a string"), ("main = 'none.py'", "there is no script")],
)
def test_settings_that_are_wrong(environment, table: str, said: str) -> None:
    (environment.project / "pyproject.toml").write_text(f"[tool.extreg.doctor]\n{table}\n")
    done, _ = doctor(environment)
    assert done.returncode == 2
    assert said in done.stderr


def test_what_the_program_prints_is_not_ours(environment) -> None:
    write(environment, main_dot_py=f"{POOL}print('loud')\n{INSTALLS}")
    done, _ = doctor(environment, "--main", "main.py")
    assert done.returncode == 0


@pytest.mark.skipif(sys.version_info < (3, 14), reason="InterpreterPoolExecutor is Python 3.14's")
def test_a_pool_of_interpreters_needs_an_initializer(environment) -> None:
    write(environment, main_dot_py=f"from concurrent.futures import InterpreterPoolExecutor\n{INSTALLS}")
    done, verdicts = doctor(environment, "--main", "main.py")
    (found,) = [each for each in verdicts if each["name"] == "interpreters"]
    assert done.returncode == 1
    assert found["cure"] == "give the pool initializer=extreg.workers.initializer()"


@pytest.mark.once
def test_celery_running(environment) -> None:
    pytest.importorskip("celery")
    app = f"""\
from celery import Celery
import extreg.workers.celery
app = Celery("tasks", broker="filesystem://", broker_transport_options={{
    "data_folder_in": {str(environment.project / "queue")!r}, "data_folder_out": {str(environment.project / "queue")!r},
    "control_folder": {str(environment.project / "control")!r}}})
extreg.workers.celery.connect(app)
"""
    (environment.project / "queue").mkdir()
    write(environment, tasks_dot_py=app)
    line = [environment.python, "-m", "celery", "-A", "tasks", "worker", "-P", "solo", "-l", "INFO"]
    with subprocess.Popen(line, cwd=environment.project, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as worker:
        too_long = threading.Timer(60, worker.kill)
        too_long.start()
        try:
            assert any(b" ready." in line for line in worker.stderr), "it did not start"
            done, verdicts = doctor(environment, "--celery", "tasks")
            assert [each["verdict"] for each in verdicts if each["name"] == "celery"] == ["well"]
            assert done.returncode == 0
        finally:
            too_long.cancel()
            worker.terminate()
