"""What CI runs: each command line stands in .ci/commands, once, and is run by `.ci/run` and by a session of nox."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINES = ROOT / ".ci" / "commands"
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not LINES.exists(), reason="a source distribution has the tests, and not what runs them"),
]


def commands():
    lines = [line for line in LINES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    pairs = [line.split(": ", 1) for line in lines]
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


def in_noxfile():
    """Return the names that stand in calls of ``run``, and in the loops around them."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "run"]
    loops = [node.iter for node in ast.walk(tree) if isinstance(node, ast.For)]
    constants = [part for node in [*calls, *loops] for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return {constant.value for constant in constants}


def in_script():
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (loop,) = re.findall(r"for part in ([a-z ]+);", text)
    return {*loop.split(), *re.findall(r"\bline=(\w+)$", text, re.MULTILINE), *re.findall(r'\bline="([a-z ]+)"', text)}


def test_nox_runs_every_command():
    assert in_noxfile() == commands().keys()


def test_the_script_runs_all_but_the_benchmarks():
    assert in_script() == commands().keys() - {"bench"}


@pytest.mark.parametrize("file", ["noxfile.py", ".ci/run"])
def test_no_command_line_stands_twice(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    programs = {" ".join(line.split()[:2]) for line in commands().values() if " " in line}
    assert {program for program in programs if program in text} == set()
