"""Of no public name of the standard library does lint say anything that `lint --import` refutes."""

import json
import subprocess
import sys

import pytest

from extreg.targets.child import import_answers
from extreg.targets.trees import Sources

pytestmark = pytest.mark.slow

# Modules that open a browser, a window or a network, or are no library.
COLLECT = """
import importlib, json, os, pkgutil, sys, warnings
warnings.simplefilter("ignore")
answer = os.dup(1)
os.dup2(2, 1)
left_out = {"antigravity", "ensurepip", "idlelib", "lib2to3", "test", "tests", "this", "turtle", "turtledemo"}
left_out.add("__main__")

def modules():
    for name in sorted(sys.stdlib_module_names - left_out):
        try:
            module = importlib.import_module(name)
        except BaseException:
            continue
        yield name, module
        for found in pkgutil.walk_packages(getattr(module, "__path__", ()), name + ".", onerror=lambda name: None):
            if not left_out & set(found.name.split(".")):
                try:
                    yield found.name, importlib.import_module(found.name)
                except BaseException:
                    continue

targets = set()
for name, module in modules():
    for key in dir(module):
        if key.isidentifier() and not key.startswith("_"):
            targets.add(f"{name}:{key}")
            value = getattr(module, key, None)
            inner = vars(value).items() if isinstance(value, type) else ()
            targets |= {f"{name}:{key}.{nested}" for nested, kind in list(inner) if isinstance(kind, type)}
os.write(answer, json.dumps(sorted(targets)).encode())
os._exit(0)
"""


def test_no_public_name_is_refuted(tmp_path) -> None:
    done = subprocess.run([sys.executable, "-c", COLLECT], capture_output=True, check=True, cwd=tmp_path)
    targets = json.loads(done.stdout)
    assert len(targets) > 5000
    sources = Sources([tmp_path])
    said = sources.answers(targets)
    true = import_answers(targets, sources.path)
    refuted = {
        target: (answer, true[target])
        for target, answer in said.items()
        if answer.kind in ("missing", "reexported")
        and true[target].kind != "unimportable"
        and (answer.kind, answer.target) != (true[target].kind, true[target].target)
    }
    assert not refuted
    assert any(answer.kind == "reexported" for answer in said.values())
