"""Whether `extreg lint` ever says what `extreg lint --import` refutes, and whether its `--fix` ever makes that worse.

For each package every public class and function is a target, under every name by which a module of the package
shows it: what lint says of them without importing anything is held against what an import knows.  Then each object
gets a code under one of these names, a re-export where there is one; `lint --import --fix` moves what it confirms, and
is asked again.

    python -m venv v && v/bin/pip install -e . numpy scikit-image sqlalchemy django attrs pydantic networkx protobuf \
        google-cloud-storage sphinx zope.interface matplotlib pandas
    v/bin/python benchmarks/lint_refuted.py numpy skimage sqlalchemy django attr pydantic networkx google.protobuf \
        google.cloud.storage sphinx zope.interface matplotlib pandas
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from lint_accuracy import SITE_CUSTOMIZE

from extreg.linter.finding import Finding
from extreg.linter.fix import fixed
from extreg.linter.run import Run, Wishes
from extreg.targets.child import import_answers
from extreg.targets.lookup import Answer
from extreg.targets.trees import Sources

COLLECT = """
import importlib, json, os, pkgutil, sys, types, warnings
warnings.simplefilter("ignore")
package = sys.argv[1]
answer = os.dup(1)
os.dup2(2, 1)

def names():
    yield package
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, package + ".", onerror=lambda name: None):
        if not {"tests", "testing", "conftest", "__main__"} & set(found.name.split(".")):
            yield found.name

exported = []
modules = names()
while True:
    try:
        name = next(modules)
        module = importlib.import_module(name)
        shown = [(key, getattr(module, key)) for key in dir(module) if not key.startswith("_")]
    except StopIteration:
        break
    except BaseException:
        continue
    for key, value in shown:
        kinds = (type, types.FunctionType, types.BuiltinFunctionType)
        if key.isidentifier() and isinstance(value, kinds) and isinstance(value.__module__, str):
            exported.append([f"{name}:{key}", f"{value.__module__}:{value.__qualname__}"])
os.write(answer, json.dumps(exported).encode())
os._exit(0)
"""


def refuted(said: Answer, true: Answer) -> bool:
    """Whether an import knows better than what lint said; of what cannot be imported here it knows nothing."""
    if said.kind not in ("missing", "reexported") or true.kind == "unimportable":
        return False
    return said.kind != true.kind or (said.kind == "reexported" and said.target != true.target)


def findings(run: Run) -> Counter[int]:
    wrong: Counter[int] = Counter()
    for found in run.findings():
        wrong[_code(run, found)] += 1
    return wrong


def _code(run: Run, found: Finding) -> int:
    return next(row.code for row in run.context.document.rows if row.line == found.line and row.table != "retired")


def worse(path: Path, targets: list[str]) -> tuple[int, list[int]]:
    """Return how many codes `--fix` moved, and those with more findings than before."""
    rows = "".join(f'{code} = "{target}"\n' for code, target in enumerate(targets, 1000))
    path.write_text(f"format = 1\n\n[codes]\n{rows}", encoding="utf-8")
    rules = ("missing-target", "reexported-target", "unimportable-target", "unpicklable-target")
    wishes = Wishes(imports=True, select=rules)
    run = Run(path, wishes)
    before = findings(run)
    after = fixed(run.context, run.findings())
    if after == run.context.document.text:
        return 0, []
    path.write_text(after, encoding="utf-8")
    again = Run(path, wishes)
    then = findings(again)
    moved = len(again.context.document.tables.moved)
    return moved, [code for code in then if then[code] > before[code]]


def look_at(package: str, folder: Path) -> int:
    done = subprocess.run([sys.executable, "-c", COLLECT, package], capture_output=True, check=True, cwd=folder)
    exported: list[tuple[str, str]] = json.loads(done.stdout)
    targets = sorted({target for target, _ in exported})
    sources = Sources([folder])
    start = time.perf_counter()
    said = sources.answers(targets)
    seconds = time.perf_counter() - start
    true = import_answers(targets, sources.path)
    wrong = [target for target in targets if refuted(said[target], true[target])]
    counts = dict(Counter(answer.kind for answer in said.values()))
    names = {own: target for target, own in sorted(exported, key=lambda pair: pair[0] != pair[1])}
    moved, bad = worse(folder / "registry.toml", sorted(set(names.values())))
    print(
        f"{package:22} {len(targets):6} targets, said: {counts}, refuted {len(wrong)}; {seconds:6.1f} s;"
        f" --import --fix of {len(names)} codes moved {moved}, worse {len(bad)}",
        flush=True,
    )
    for target in wrong[:10]:
        print("   refuted:", target, said[target], "| import:", true[target])
    return len(wrong) + len(bad)


def main(packages: list[str]) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sitecustomize.py").write_text(SITE_CUSTOMIZE)
        (folder / "pyproject.toml").write_text("")
        os.chdir(folder)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
        return 1 if sum([look_at(package, folder) for package in packages]) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
