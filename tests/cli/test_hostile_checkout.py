"""A checkout that is not to be trusted: no command runs anything of it, but the imports that some commands announce.

In its folder, and in ``src`` there, stands a trap in the place of every module of the standard library and of every
installed distribution.  What is run leaves its name behind; so do code that is executed and programs that are started
from the checkout, which an audit hook sees in extreg's processes and in their children.
"""

import importlib.metadata
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from extreg.cli.commands import COMMANDS

pytestmark = pytest.mark.slow

REGISTRY = """\
format = 1
include = ["shared"]

[codes]
4711 = "shop.models:Order"
4712 = "nowhere:Gone"

[load-only]
4713 = "shop.models:Basket"
"""
CONFLICT = """\
format = 1

[codes]
<<<<<<< ours
300 = "a:A"
=======
301 = "b:B"
>>>>>>> theirs
"""
TRAP = "open({marks!r} + '/' + __name__, 'w').close()\nraise ImportError('a trap')\n"
LOUD = "open({marks!r} + '/' + __name__, 'w').close()\n"

# The user's own: it watches, and has a finder that imports, as that of setuptools does for distutils and pip.
SITECUSTOMIZE = """\
import sys

def hook(event, arguments, open=open, checkout={checkout!r}, marks={marks!r}, busy=[]):
    if busy or event not in ("exec", "subprocess.Popen", "os.exec", "os.posix_spawn"):
        return
    name = getattr(arguments[0], "co_filename", None) if event == "exec" else str(arguments[0])
    if name is not None and name.startswith(checkout) and "/shop/" not in name:
        busy.append(1)
        open(marks + "/" + event + " " + name[len(checkout):].replace("/", "-"), "w").close()
        busy.clear()

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("distutils", "pip", "shared"):
            import setuptools

sys.meta_path.insert(0, Finder)
sys.addaudithook(hook)
"""


@dataclass(frozen=True)
class Checkout:
    folder: Path
    marks: Path
    own: Path

    def run(self, line: list[str]) -> "subprocess.CompletedProcess[str]":
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
        environment.update(PYTHONPATH=str(self.own), GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
        return subprocess.run(
            line, cwd=self.folder, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=120
        )

    def sprung(self) -> set[str]:
        found = {mark.name for mark in self.marks.iterdir()}
        for mark in self.marks.iterdir():
            mark.unlink()
        return found


def imported_by_dash_m(tmp_path: Path) -> set[str]:
    """Return what ``python -m`` itself imports before the first line of any program: nobody can mend that."""
    (tmp_path / "clean" / "program").mkdir(parents=True)
    (tmp_path / "clean" / "program" / "__init__.py").write_text("import sys\nprint(*sys.modules)\n")
    (tmp_path / "clean" / "program" / "__main__.py").write_text("")
    line = [sys.executable, "-m", "program"]
    done = subprocess.run(line, cwd=tmp_path / "clean", capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def installed_modules() -> set[str]:
    files = (file for found in importlib.metadata.distributions() for file in found.files or ())
    names = {file.parts[0].removesuffix(".py") for file in files if file.suffix == ".py"}
    return {name for name in names if name.isidentifier()} | {"setuptools", "pip", "pkg_resources", "tomli", "tomli_w"}


@pytest.fixture(params=["script", "module"])
def checkout(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Checkout, list[str]]]:
    """A hostile checkout, and how extreg is called there."""
    made = Checkout(tmp_path / "checkout", tmp_path / "marks", tmp_path / "own")
    for folder in (made.folder / "shop", made.folder / "shared", made.folder / "src", made.marks, made.own):
        folder.mkdir(parents=True)
    names = set(sys.stdlib_module_names) | installed_modules() | {"sitecustomize", "usercustomize", "setuptools"}
    names -= {"extreg", "__main__"}
    if request.param == "module":
        names -= imported_by_dash_m(tmp_path)
        line = [sys.executable, "-m", "extreg"]
    else:
        script = shutil.which("extreg", path=str(Path(sys.executable).parent))
        if script is None:
            pytest.skip("no script of extreg beside this Python")
        line = [script]
    for name in names:
        for folder in (made.folder, made.folder / "src"):
            (folder / f"{name}.py").write_text(TRAP.format(marks=str(made.marks)))
    own = SITECUSTOMIZE.format(checkout=str(made.folder), marks=str(made.marks))
    (made.own / "sitecustomize.py").write_text(own)
    models = "class Order: pass\nclass Basket: pass\nclass Line: pass\n"
    (made.folder / "shop" / "__init__.py").write_text(LOUD.format(marks=str(made.marks)))
    (made.folder / "shop" / "models.py").write_text(models)
    (made.folder / "shared" / "__init__.py").write_text(TRAP.format(marks=str(made.marks)))
    (made.folder / "shared" / "registry.toml").write_text('format = 1\n\n[codes]\n5000 = "shared:Thing"\n')
    (made.folder / "registry.toml").write_text(REGISTRY)
    (made.folder / "conflict.toml").write_text(CONFLICT)
    (made.folder / "old.toml").write_text('format = 1\n\n[codes]\n4711 = "shop.models:Order"\n')
    (made.folder / "a.pickle").write_bytes(pickle.dumps([Path], 4))
    (made.folder / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    yield made, line
    assert made.sprung() == set()


# Every command, with the exit code that shows that it got to its end; what it says that it imports comes after.
LINES: tuple[tuple[int, str, str], ...] = (
    (0, "init --registry fresh.toml", ""),
    (0, "add --no-import shop.models:Line", ""),
    (0, "add --registry old.toml shop.models:Basket", "shop"),
    (1, "add shop.models:Ordre", "shop"),
    (1, "add nothing_of_that_name:X", ""),
    (0, "promote 4713", ""),
    (0, "demote 4713", ""),
    (0, "retire 4713", ""),
    (0, "move --no-import 4712 nowhere:Elsewhere", ""),
    (0, "move --registry old.toml 4711 shop.models:Line", "shop"),
    (0, "alias 4712 nowhere:Other", ""),
    (0, "move --no-import --module nowhere somewhere", ""),
    (1, "move --module somewhere nothing_of_that_name", ""),
    (0, "list", ""),
    (0, "list --format json", ""),
    (0, "show 4711", ""),
    (1, "diff old.toml registry.toml", ""),
    (2, "diff main", ""),
    (0, "compile --registry old.toml", ""),
    (1, "compile --check", ""),
    (0, "compile", ""),
    (1, "lint --format json", ""),
    (1, "lint --installed --fix --format sarif", ""),
    (1, "lint --diff", ""),
    (2, "lint --history", ""),
    (1, "lint --import", "shop"),
    (0, "rule reassigned-code", ""),
    (0, "schema", ""),
    (0, "scan a.pickle", ""),
    (2, "scan a.pickle registry.toml --jobs 2 --format json", ""),
    (0, "dis a.pickle", ""),
    (0, "suggest a.pickle --apply", ""),
    (0, "rewrite --to codes a.pickle", ""),
    (1, "jar add a.pickle", ""),
    (0, "jar list", ""),
    (2, "jar check", ""),
    (0, "scan a.pickle --journal census.json", ""),
    (0, "census merge census.json", ""),
    (0 if find_spec("shtab") else 2, "completion bash", ""),
    (1, "autoload status", ""),
    (0, "run -- true", ""),
    (1, "doctor", ""),
    (1, "merge-driver old.toml registry.toml conflict.toml registry.toml", ""),
    (0, "resolve --registry conflict.toml", ""),
    (2, "git-setup --check", ""),
    (2, "no-such-command", ""),
    (0, "demo", ""),
)


def test_no_command_runs_anything_of_the_checkout(checkout: tuple[Checkout, list[str]]) -> None:
    made, line = checkout
    wrong = []
    for code, words, imported in LINES:
        done = made.run([*line, *words.split()])
        sprung = made.sprung()
        if done.returncode != code or "Traceback" in done.stderr or sprung != set(imported.split()):
            wrong.append((words, done.returncode, sprung, done.stdout[-200:], done.stderr[-500:]))
    assert wrong == [], "\n".join(map(str, wrong))


def test_every_command_is_tried() -> None:
    tried = {words.partition(" ")[0] for _, words, _ in LINES}
    assert {command.name for command in COMMANDS} <= tried


@pytest.mark.parametrize("package", ["distutils", "pip", "shared.deeper", "distutils.command"])
def test_an_included_package_is_looked_for_and_nothing_else_is_asked(
    package: str, checkout: tuple[Checkout, list[str]]
) -> None:
    """setuptools' finder, asked for distutils, imports the first setuptools on the path."""
    made, line = checkout
    (made.folder / "registry.toml").write_text(f'format = 1\ninclude = ["{package}"]\n\n[codes]\n')
    for words in ("lint", "scan a.pickle", "suggest a.pickle", "compile", "compile --check"):
        done = made.run([*line, *words.split()])
        assert (done.returncode, made.sprung()) == (2, set()), done.stderr
        assert f"package '{package}'" in done.stderr


def test_a_module_that_a_code_names_is_looked_for_likewise(checkout: tuple[Checkout, list[str]]) -> None:
    made, line = checkout
    rows = '300 = "distutils.core:setup"\n301 = "pip:main"\n302 = "shared.deeper:Thing"\n'
    (made.folder / "registry.toml").write_text(f"format = 1\n\n[codes]\n{rows}")
    done = made.run([*line, "lint"])
    assert (done.returncode, made.sprung()) == (1, set()), done.stderr
    assert "missing-target" in done.stdout
