"""Looking targets up in sources: every file once, and never wrong where it says anything."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from extreg.startup import package_registry
from extreg.targets.trees import Sources, project_files


def answers(folder: Path, *targets: str):
    return {target: tuple(answer)[:2] for target, answer in Sources([folder]).answers(targets).items()}


@pytest.fixture
def tree(tmp_path: Path):
    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return tmp_path

    return write


def test_each_file_is_read_and_parsed_at_most_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import extreg.targets.trees as module

    parsed: list[str] = []
    real = module.parse
    monkeypatch.setattr(module, "parse", lambda source: parsed.append(source) or real(source))
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("from .a import *\nfrom .b import B\n")
    (tmp_path / "pkg" / "a.py").write_text("from .b import *\nimport copyreg\n\ncopyreg.add_extension('x', 'y', 1)\n")
    (tmp_path / "pkg" / "b.py").write_text("from . import a\n\n\nclass B:\n    pass\n")
    sources = Sources([tmp_path])
    sources.answers([f"pkg{part}:{name}" for part in ("", ".a", ".b") for name in ("A", "B", "C", "a")])
    assert len(sources.calls(project_files(tmp_path))) == 1
    sources.answers(["pkg.a:B", "pkg:Nope"])
    assert sources.visited
    assert set(sources.visited.values()) == {1}
    assert len(parsed) == len(set(parsed))
    assert len([path for path in sources.visited if path.startswith(str(tmp_path))]) == 3


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("class X: pass", ("found", "")),
        ("if flag:\n    class X: pass\nelse:\n    class X: pass", ("found", "")),
        ("from json import JSONDecoder as X", ("reexported", "json.decoder:JSONDecoder")),
        ("import json as j\nX = j.JSONDecoder", ("reexported", "json.decoder:JSONDecoder")),
        ("import json.decoder\nX = json.decoder.JSONDecoder", ("reexported", "json.decoder:JSONDecoder")),
        ("X = dict", ("reexported", "builtins:dict")),
        ("class Y: pass\nX = Y", ("reexported", "m:Y")),
        ("class X: pass\ndel X", ("missing", "")),
        ("X: int", ("missing", "")),
        ("def f():\n    class X: pass", ("missing", "")),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from json import JSONDecoder as X", ("missing", "")),
        ("from enum import Enum\nX = Enum('X', 'a b')", ("found", "")),
        ("from collections import namedtuple\nX = namedtuple('Y', 'a b')", ("unknown", "")),
        ("try:\n    from json import JSONDecoder as X\nexcept ImportError:\n    X = None", ("unknown", "")),
        ("X = make()", ("unknown", "")),
        ("for X in (): pass", ("unknown", "")),
        ("with open('f') as X: pass", ("unknown", "")),
        ("match 1:\n    case X: pass", ("unknown", "")),
        ("exec('X = 1')", ("unknown", "")),
        ("def __getattr__(name): ...", ("unknown", "")),
        ("globals()['X'] = 1", ("unknown", "")),
        ("import sys\nsetattr(sys.modules[__name__], 'X', 1)", ("unknown", "")),
        ("from nowhere_at_all import *", ("unknown", "")),
        ("from m import X", ("unknown", "")),
        ("X = X", ("unknown", "")),
        ("@decorated\nclass Y: pass\nX = Y", ("unknown", "")),
        ("from functools import total_ordering\n@total_ordering\nclass Y: pass\nX = Y", ("reexported", "m:Y")),
        ("class Y:\n    __qualname__ = 'X'\nX = Y", ("unknown", "")),
        ("class Y: pass\nY.__name__ = Y.__qualname__ = 'X'\nX = Y", ("unknown", "")),
    ],
)
def test_what_a_module_binds(tree, source: str, expected: tuple[str, str]) -> None:
    kind, target = answers(tree(m=source), "m:X")["m:X"]
    assert (kind, target) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("class X:\n    class L: pass", ("found", "")),
        ("class X:\n    pass", ("missing", "")),
        ("class X(object):\n    pass", ("missing", "")),
        ("class B:\n    class L: pass\nclass X(B):\n    pass", ("reexported", "m:B.L")),
        ("class B:\n    pass\nclass X(B):\n    pass", ("missing", "")),
        ("class X(unknown()):\n    pass", ("unknown", "")),
        ("class X(metaclass=M):\n    pass", ("unknown", "")),
        ("class X:\n    pass\nX.L = dict", ("unknown", "")),
        ("class L: pass\nclass X:\n    L = L", ("reexported", "m:L")),
        ("class X(X):\n    pass", ("unknown", "")),
    ],
)
def test_what_a_class_holds(tree, source: str, expected: tuple[str, str]) -> None:
    kind, target = answers(tree(m=source), "m:X.L")["m:X.L"]
    if expected != ("reexported", "m:L"):
        assert (kind, target) == expected
    else:  # an alias in a class of something outside: cannot tell is allowed, wrong is not
        assert (kind, target) in (expected, ("unknown", ""))


def test_looking_up_imports_nothing(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text("raise SystemExit('imported')\n")
    program = (
        "import sys; from pathlib import Path; from extreg.targets.trees import Sources;"
        "before = set(sys.modules);"
        "print(Sources([Path(sys.argv[1])]).answers(['loud:X', 'xml.dom.minidom:Node', 'email.mime.text:MIMEText']));"
        "new = set(sys.modules) - before; assert not new & {'loud', 'xml', 'xml.dom', 'email.mime'}, new"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "kind='missing'" in done.stdout


def test_the_nearest_name_is_the_hint(tree) -> None:
    found = Sources([tree(m="class Order: pass")]).answers(["m:Ordr"])["m:Ordr"]
    assert found.hint.startswith("did you mean Order?")


def test_hidden_folders_and_environments_are_no_part_of_a_project(tmp_path: Path) -> None:
    for name in (".hidden/a.py", "venv/b.py", "pkg/c.py", "node_modules/d.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("")
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    assert [path.name for path in project_files(tmp_path)] == ["c.py"]


@pytest.mark.parametrize("place", ["shop", "shop/__init__.py"])
def test_an_editable_install_is_read_from_its_finder_which_is_not_asked(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Setuptools' finders hold the folder of each package, those of `editables` its ``__init__.py``."""

    class Finder:
        def __init__(self) -> None:
            places = {"shop": place, "odd": "strange"}
            self.redirections = {name: str(tmp_path / "elsewhere" / place) for name, place in places.items()}

        def find_spec(self, *_: object) -> None:
            raise AssertionError("a foreign finder was asked")

    (tmp_path / "elsewhere" / "shop").mkdir(parents=True)
    (tmp_path / "elsewhere" / "shop" / "__init__.py").write_text("class Order: pass\n")
    (tmp_path / "elsewhere" / "shop" / "registry.toml").write_text("format = 1\n\n[codes]\n")
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    sources = Sources([tmp_path / "project"])
    found = sources.answers(["shop:Order", "shop:Ordre", "odd:Order", "really_nowhere:Order"])
    assert [answer.kind for answer in found.values()] == ["found", "missing", "unknown", "missing"]
    assert package_registry("shop", sources.path) == str(tmp_path / "elsewhere" / "shop" / "registry.toml")


@pytest.mark.slow
def test_what_lint_knows_does_not_depend_on_how_pytest_was_called(tmp_path: Path) -> None:
    """Pytest's finder keeps the names on its command line in a table: they are no modules that it finds by itself."""
    for name in ("shop", "spec"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("class Order: pass\n")
    (tmp_path / "shop" / "test_codes.py").write_text(
        "import extreg\n\ndef test_codes():\n    assert [f.rule for f in extreg.lint('registry.toml')] == []\n"
    )
    (tmp_path / "registry.toml").write_text('format = 1\n\n[codes]\n300 = "shop:Order"\n301 = "spec:Order"\n')
    for asked, gone in (("shop:Order", "shop:Gone"), ("spec:Order", "spec:Gone")):
        text = (tmp_path / "registry.toml").read_text()
        for there, seen in ((text, "1 passed"), (text.replace(asked, gone), "'missing-target'")):
            (tmp_path / "registry.toml").write_text(there)
            run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "shop"]
            done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert seen in done.stdout, done.stdout + done.stderr
        (tmp_path / "registry.toml").write_text(text)
