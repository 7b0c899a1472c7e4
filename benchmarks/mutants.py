"""How many faults in a module its tests notice: samples mutants of it, and runs the tests against each.

    python benchmarks/mutants.py extreg/registry/toml/edit.py tests/text --sample 40

Works on a copy of the checkout in a temporary folder.  A mutant survives if all tests pass; each survivor is printed
with its line, for somebody to tell whether it is a fault at all.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

COMPARED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr}
ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 600
Change = Callable[[ast.AST], None]


def changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """Yield what can be done to `node`, each with its name."""
    yield from in_expression(node)
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield "never", lambda n: setattr(n, "test", ast.Constant(value=False))
    if isinstance(node, (ast.If, ast.IfExp)):
        yield "always", lambda n: setattr(n, "test", ast.Constant(value=True))
    if isinstance(node, ast.Return) and node.value is not None:
        yield "return None", lambda n: setattr(n, "value", ast.Constant(value=None))
    for field in ("body", "orelse"):
        body = getattr(node, field, None)
        for nth, statement in enumerate(body if isinstance(body, list) else ()):
            if droppable(statement):
                yield f"drop {field} {nth}", lambda n, f=field, k=nth: getattr(n, f).__setitem__(k, ast.Pass())


def in_expression(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """Yield what can be done to an operator, a constant or a filter."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
        yield "compare", lambda n: n.ops.__setitem__(0, COMPARED[type(n.ops[0])]())
    if isinstance(node, ast.BinOp) and type(node.op) in COMPUTED:
        yield "operator", lambda n: setattr(n, "op", COMPUTED[type(n.op)]())
    if isinstance(node, ast.BoolOp):
        yield "and/or", lambda n: setattr(n, "op", ast.Or() if isinstance(n.op, ast.And) else ast.And())
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield "number", lambda n: setattr(n, "value", n.value + 1)
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield "bool", lambda n: setattr(n, "value", not n.value)
    if isinstance(node, ast.comprehension) and node.ifs:
        yield "unfiltered", lambda n: n.ifs.clear()


def droppable(statement: ast.AST) -> bool:
    """Whether a module is still one without `statement`, which is no documentation."""
    documentation = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return isinstance(statement, (ast.Expr, ast.AugAssign, ast.Raise, ast.Continue, ast.Break)) and not documentation


def mutants(source: str) -> list[tuple[int, str, str]]:
    """Return all mutants of `source`: the line, what was done, and the text."""
    tree = ast.parse(source)
    made = []
    for number, node in enumerate(ast.walk(tree)):
        for nth, (name, _) in enumerate(changes(node)):
            other = copy.deepcopy(tree)
            changed = list(ast.walk(other))[number]
            list(changes(changed))[nth][1](changed)
            text = ast.unparse(ast.fix_missing_locations(other))
            line = getattr(node, "lineno", 0)
            made.append((line, f"{name}: {ast.unparse(node).splitlines()[0][:80]}", text))
    return made


def survives(copy_of: Path, module: str, text: str, tests: list[str]) -> bool:
    """Whether all `tests` pass with `text` for `module`."""
    (copy_of / module).write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(copy_of), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", "-m", "not soak", *tests]
    try:
        done = subprocess.run(
            command, cwd=copy_of, env=environment, capture_output=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module", help="path of the module, from the root of the checkout")
    parser.add_argument("tests", nargs="+", help="what pytest is to run")
    parser.add_argument("--sample", type=int, default=40, help="how many mutants (default: 40)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    found = mutants((ROOT / given.module).read_text())
    sample = random.Random(given.seed).sample(found, min(given.sample, len(found)))
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder, str(job)) for job in range(given.jobs)]
        for one in copies:
            shutil.copytree(ROOT, one, ignore=shutil.ignore_patterns(".git", ".ci", ".venv", "__pycache__"))
        if not survives(copies[0], given.module, (ROOT / given.module).read_text(), given.tests):
            sys.exit("the tests fail without a mutant")
        free = list(copies)

        def lives(mutant: tuple[int, str, str]) -> bool:
            own = free.pop()
            try:
                return survives(own, given.module, mutant[2], given.tests)
            finally:
                free.append(own)

        with ThreadPoolExecutor(given.jobs) as pool:
            lived = list(pool.map(lives, sample))
    survivors = sorted((line, what) for (line, what, _), alive in zip(sample, lived, strict=True) if alive)
    for line, what in survivors:
        print(f"{given.module}:{line}: {what}")
    killed = len(sample) - len(survivors)
    print(f"{given.module}: {killed} of {len(sample)} killed ({len(found)} there are)")


if __name__ == "__main__":
    main()
