"""What add and lint advise: that it is true, and helps."""

import json
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SHOP = {
    "shop/__init__.py": "from shop import money\n",
    "shop/models.py": "class Order:\n    class Line: pass\nclass Basket: pass\n",
    "shop/money.py": "class Money: pass\n",
    "shop/tasks.py": """\
import copyreg
import functools

ALL = {}
def lookup(name): return ALL[name]

class Task:
    def __init__(self, function):
        functools.update_wrapper(self, function)
        ALL[function.__name__] = self
    def __reduce__(self): return lookup, (self.__name__,)

class Curry:
    def __init__(self, function):
        functools.update_wrapper(self, function)

class Named(Curry):
    def __reduce__(self): return self.__qualname__

class Foreign(Curry): pass
copyreg.pickle(Foreign, lambda found: found.__qualname__)

class Angry:
    def __reduce_ex__(self, protocol): raise RuntimeError("not me")

@Task
def send(): pass
@Curry
def add(): pass
@Named
def named(): pass
@Foreign
def foreign(): pass
angry = Angry()
number = 5
""",
    "metas.py": """\
import copyreg

class Meta(type): pass
class Plain(metaclass=Meta): pass
class Odd(type): pass
copyreg.pickle(Odd, lambda found: (type, ("Rebuilt", (), {})))
class Rebuilt(metaclass=Odd): pass
""",
}


@pytest.fixture
def project(tmp_path):
    for name, text in SHOP.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "registry.toml").write_text("format = 1\n\n[codes]\n")
    return tmp_path


@pytest.mark.parametrize(
    ("target", "message", "hint"),
    [
        ("shop.models:Order.Lnie", "shop.models.Order has no 'Lnie'", "did you mean shop.models:Order.Line?"),
        ("shop.models:Ordr", "shop.models has no 'Ordr'", "did you mean shop.models:Order?"),
        ("shop:Order", "shop has no 'Order'", "did you mean shop.models:Order?"),
        ("shop:Nothing", "shop has no 'Nothing'", "check the spelling"),
        ("shop:money", "shop:money: it is a module: pickle dumps what is in it", "extreg add shop.money:CLASS"),
        ("shop.tasks:send", "is an instance of shop.tasks:Task: pickle dumps", "extreg add shop.tasks:lookup"),
        ("shop.tasks:add", "is an instance of shop.tasks:Curry: pickle dumps", "extreg add shop.tasks:Curry"),
        ("shop.tasks:number", "is an instance of builtins:int: pickle dumps", "register classes and functions"),
        ("shop.tasks:angry", "it cannot be pickled: RuntimeError: not me", ""),
        ("metas:Rebuilt", "is an instance of metas:Odd", "register classes and functions"),
        ("nowhere_at_all:A", "No module named 'nowhere_at_all'", "run from the project's root"),
    ],
)
def test_add_says_what_to_type_instead(run_extreg, project, target: str, message: str, hint: str) -> None:
    done = run_extreg("add", target)
    assert done.returncode == 1
    assert message in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
    offered = done.stderr.partition("did you mean ")[2].partition("?")[0]
    if offered:
        assert run_extreg("add", offered).returncode == 0


@pytest.mark.parametrize("target", ["shop.tasks:named", "shop.tasks:foreign", "metas:Plain", "shop.tasks:lookup"])
def test_what_pickle_looks_up_by_name_is_added(run_extreg, project, target: str) -> None:
    done = run_extreg("add", target)
    assert done.returncode == 0, done.stderr
    found = run_extreg("lint", "--import", "--format", "json")
    assert json.loads(found.stdout)["findings"] == []


@pytest.mark.parametrize("target", ["shop.tasks:send", "shop.tasks:add", "shop.tasks:number", "shop:money"])
def test_lint_says_that_an_instance_is_never_looked_up(run_extreg, project, target: str) -> None:
    (project / "registry.toml").write_text(f'format = 1\n\n[codes]\n300 = "{target}"\n')
    done = run_extreg("lint", "--import", "--format", "json")
    (found,) = json.loads(done.stdout)["findings"]
    assert found["rule"] == "unpicklable-target"
    assert "an instance of" in found["message"] or "a module" in found["message"]


def test_add_looks_where_lint_looks(run_extreg, project: Path) -> None:
    (project / "lib/far").mkdir(parents=True)
    (project / "lib/far/__init__.py").write_text("class A: pass\n")
    (project / "pyproject.toml").write_text('[tool.extreg.lint]\npath = ["lib"]\n')
    deep = project / "shop"
    assert run_extreg("add", "far:A", "shop.models:Order", cwd=deep).returncode == 0
    assert json.loads(run_extreg("lint", "--import", "--format", "json").stdout)["findings"] == []
    assert run_extreg("move", "far:A", "shop.models:Basket", cwd=deep).returncode == 0


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import threading, time\nthreading.Thread(target=time.sleep, args=(300,)).start()", ""),
        ("import atexit, time\natexit.register(time.sleep, 300)\natexit.register(print, 'bye')", ""),
        ("print('hello')", ""),
        ("import os\nos._exit(3)", "importing odd ends the process (exit code 3)"),
        ("import os\nos.kill(os.getpid(), 9)", "importing odd ends the process (signal SIGKILL)"),
        ("import sys\nsys.exit()", "importing odd fails: SystemExit"),
    ],
)
def test_add_ends_whatever_a_module_does_to_its_process(run_extreg, project: Path, source: str, message: str) -> None:
    (project / "odd.py").write_text(f"{source}\nclass A: pass\n")
    start = time.monotonic()
    done = run_extreg("add", "odd:A")
    assert time.monotonic() - start < 60
    assert done.returncode == (1 if message else 0), done.stderr
    assert message in done.stderr
    assert done.stdout.count("\n") == (0 if message else 1)


def test_of_a_package_that_is_not_here_nothing_is_advised_for_good(run_extreg, project: Path) -> None:
    (project / "registry.toml").write_text('format = 1\n\n[codes]\n300 = "not_here_at_all.models:A"\n')
    done = run_extreg("lint")
    assert done.returncode == 1
    assert "not_here_at_all is not here at all: install it" in done.stdout
    assert "retire" not in done.stdout


def test_a_drifting_target_is_explained_and_no_second_code_is_offered(run_extreg, project: Path) -> None:
    rows = ['300 = "pathlib:PosixPath"', '301 = "socket:AF_INET"', '302 = "asyncio.exceptions:TimeoutError"']
    (project / "registry.toml").write_text("\n".join(["format = 1", "", "[codes]", *rows, ""]))
    done = run_extreg("lint", "--format", "json")
    found = [one for one in json.loads(done.stdout)["findings"] if one["rule"] == "drifting-target"]
    assert [one["line"] for one in found] == [4, 5, 6]
    assert found[0]["hint"].endswith("extreg alias 300 pathlib._local:PosixPath")
    assert "a code for that too would fail to load elsewhere" in found[2]["hint"]
    assert not any("extreg add" in one["hint"] for one in found)


def test_one_target_has_one_finding_and_one_advice(run_extreg, project: Path) -> None:
    (project / "registry.toml").write_text('format = 1\n\n[codes]\n300 = "pathlib:Path"\n')
    # By its name alone: on 3.13 it is a re-export besides.
    found = json.loads(run_extreg("lint", "--no-source", "--format", "json").stdout)["findings"]
    assert [one["rule"] for one in found] == ["dead-target"]
