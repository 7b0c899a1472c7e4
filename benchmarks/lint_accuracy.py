"""How much `extreg lint` sees without importing anything, held against `extreg lint --import`.

For each package three registries are made, which give codes to

- own: every public class under the name by which pickle knows it,
- exported: every public class under every name by which a module of the package shows it, re-exports included,
- wrong: the first with one slip in each target: a letter too many or too few, another module.

Reported are the findings of lint with the import (what is true), how many of them lint finds without it, and how many
it finds that the import refutes, which must be none.

    python -m venv v && v/bin/pip install -e . networkx sympy django sqlalchemy pydantic
    v/bin/python benchmarks/lint_accuracy.py networkx sympy django sqlalchemy pydantic
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from extreg import lint
from extreg.linter.finding import Finding

STATIC = ("missing-target", "reexported-target")
BY_IMPORT = (*STATIC, "unimportable-target", "unpicklable-target")

COLLECT = """
import importlib, json, os, pkgutil, sys, warnings
warnings.simplefilter("ignore")
package = sys.argv[1]
answer = os.dup(1)
os.dup2(2, 1)

def names():
    yield package
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, package + ".", onerror=lambda name: None):
        if not {"tests", "testing", "__main__"} & set(found.name.split(".")):
            yield found.name

own, exported = set(), set()
modules = names()
while True:
    try:
        name = next(modules)
        module = importlib.import_module(name)
    except StopIteration:
        break
    except BaseException:
        continue
    for key, value in list(vars(module).items()):
        if key.startswith("_") or not isinstance(value, type) or not isinstance(value.__module__, str):
            continue
        if value.__module__.partition(".")[0] == package and "<" not in value.__qualname__:
            exported.add(f"{name}:{key}")
            own.add(f"{value.__module__}:{value.__qualname__}")
os.write(answer, json.dumps([sorted(own), sorted(exported)]).encode())
os._exit(0)
"""

# Some packages are importable only once they are set up; every child process runs this when it starts.
SITE_CUSTOMIZE = """
try:
    import django
    from django.conf import settings

    names = ["admin", "auth", "contenttypes", "messages", "sessions", "sites", "flatpages", "redirects", "staticfiles"]
    settings.configure(INSTALLED_APPS=[f"django.contrib.{name}" for name in names], STATIC_URL="s/", SECRET_KEY="x")
    django.setup()
except ImportError:
    pass
"""


def collect(package: str, folder: Path) -> tuple[list[str], list[str]]:
    done = subprocess.run([sys.executable, "-c", COLLECT, package], capture_output=True, check=True, cwd=folder)
    own, exported = json.loads(done.stdout)
    return own, exported


def slips(targets: list[str], seed: str) -> list[str]:
    chance = random.Random(seed)
    wrong = []
    for target in targets:
        module, _, name = target.partition(":")
        elsewhere = chance.choice(targets).partition(":")[0]
        wrong.append(
            chance.choice([f"{module}:{name}s", f"{module}:{name[:-1]}", f"{module}x:{name}", f"{elsewhere}:{name}"])
        )
    return [target for target in wrong if not target.endswith(":")]


def findings(path: Path, imports: bool) -> tuple[dict[int, Finding], float]:
    start = time.perf_counter()
    found = lint(path, imports=imports, select=BY_IMPORT if imports else STATIC)
    return {finding.line or 0: finding for finding in found}, time.perf_counter() - start


def compare(package: str, kind: str, targets: list[str], folder: Path) -> tuple[int, int, int]:
    path = folder / "registry.toml"
    lines = [f'{code} = "{target}"' for code, target in enumerate(sorted(set(targets)), 1000)]
    path.write_text("\n".join(["format = 1", "[codes]", *lines, ""]), encoding="utf-8")
    static, seconds = findings(path, False)
    imported, import_seconds = findings(path, True)
    true = {line: finding for line, finding in imported.items() if finding.rule in STATIC}
    refuted = [
        finding
        for line, finding in static.items()
        if (seen := imported.get(line)) is None
        or (seen.rule != "unimportable-target" and seen.rule != finding.rule)
        or (seen.rule == finding.rule == "reexported-target" and seen.message != finding.message)
    ]
    hits = [line for line, finding in true.items() if line in static and static[line].rule == finding.rule]
    share = f"{len(hits) / len(true):7.1%}" if true else "      -"
    other = Counter(finding.rule for finding in imported.values() if finding.rule not in STATIC)
    print(
        f"{package:12} {kind:9} {len(lines):6} codes   import finds {len(true):5}, lint alone {len(hits):5} {share}   "
        f"refuted {len(refuted)}   {seconds:5.1f} s against {import_seconds:5.1f} s   {dict(other) or ''}",
        flush=True,
    )
    for finding in refuted[:10]:
        print("   refuted:", finding, "| import:", imported.get(finding.line or 0))
    if os.environ.get("MISSED"):
        for line in [line for line in true if line not in hits][: int(os.environ["MISSED"])]:
            print("   missed:", true[line])
    return len(true), len(hits), len(refuted)


def main(packages: list[str]) -> int:
    totals = {kind: [0, 0, 0] for kind in ("own", "exported", "wrong")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sitecustomize.py").write_text(SITE_CUSTOMIZE)
        (folder / "pyproject.toml").write_text("")
        os.chdir(folder)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
        for package in packages:
            own, exported = collect(package, folder)
            for kind, targets in (("own", own), ("exported", exported), ("wrong", slips(own, package))):
                counts = compare(package, kind, targets, folder)
                totals[kind] = [sum(pair) for pair in zip(totals[kind], counts, strict=True)]
    for kind, (found, hits, refuted) in totals.items():
        share = f" ({hits / found:.1%})" if found else ""
        print(f"all {kind}: import finds {found}, lint alone {hits}{share}, refuted {refuted}")
    # What the sources cannot tell is passed over; most slips of the pen are still seen.
    found, hits, _ = totals["wrong"]
    return 1 if any(counts[2] for counts in totals.values()) or hits < 0.75 * found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
