"""The layers: a module imports from its own layer or an earlier one, never from a later one."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

import extreg

PACKAGE = Path(extreg.__file__).parent

# In this order; a name ending in a dot stands for everything below it.
LAYERS = (
    ("extreg.errors", "extreg.printable", "extreg.lazy", "extreg.process"),
    ("extreg.ledger.",),
    ("extreg.importhook",),
    ("extreg.registry.",),
    ("extreg.text.", "extreg.pickles."),
    ("extreg.reduce.",),
    ("extreg.rules.",),
    ("extreg.startup.", "extreg.files.", "extreg.scoped.", "extreg.testing."),
    ("extreg",),
    ("extreg.cli.", "extreg.__main__"),
)

# The doors: modules that may reach a later layer, but only within a function or under TYPE_CHECKING; and why.
DOORS = {
    "extreg.registry.model": "Registry.parse and Registry.load are where users look for them",
}

# What a module may name in its annotations without importing it when it runs: the value that is handed through.
IN_ANNOTATIONS = {"extreg.registry.model"}

STARTUP_MAY_IMPORT = {"copyreg", "os", "sys", "marshal", "_thread", "_imp", "builtins", "time"}

FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(file: Path) -> str:
    parts = [PACKAGE.name, *file.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in FILES}


def layer_of(module: str) -> int:
    found = [
        number
        for number, members in enumerate(LAYERS)
        if any(module == member or (member.endswith(".") and f"{module}.".startswith(member)) for member in members)
    ]
    assert len(found) == 1, f"{module} is in no layer: add it to LAYERS"
    return found[0]


def imports(tree: ast.AST, kind: str = "top") -> Iterator[tuple[str, str]]:
    """Yield every imported module and its kind: "top", "function", or "types" (under TYPE_CHECKING)."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, kind) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield from ((known(node.module, alias.name), kind) for alias in node.names)
        elif is_type_checking(node):
            yield from imports(ast.Module(node.body, []), "types")
            yield from imports(ast.Module(node.orelse, []), kind)
        else:
            function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from imports(node, "function" if function else kind)


def known(module: str, name: str) -> str:
    """Return the module that `from module import name` gives: a submodule, or the module itself."""
    return f"{module}.{name}" if f"{module}.{name}" in MODULES else module


def is_type_checking(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def parsed(module: str) -> ast.AST:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def is_ours(module: str) -> bool:
    return module.partition(".")[0] == PACKAGE.name


# What a start runs when all is well, with the modules that come in when something happens later.
WARM = {"extreg", "extreg.startup", "extreg.importhook", "extreg.lazy"} | {
    f"extreg.startup.{name}" for name in ("archives", "cache", "changes", "packages", "strangers", "watch")
}


def is_startup(module: str) -> bool:
    return module in WARM or f"{module}.".startswith("extreg.ledger.")


def test_there_are_modules() -> None:
    assert len(MODULES) > 30
    assert {layer_of(module) for module in MODULES} == set(range(len(LAYERS)))


def later(module: str) -> Iterator[tuple[str, str]]:
    """Yield the imports of `module` from later layers."""
    own = layer_of(module)
    return ((name, kind) for name, kind in imports(parsed(module)) if is_ours(name) and layer_of(name) > own)


def allowed(module: str, imported: str, kind: str) -> bool:
    if module in DOORS:
        return kind != "top"
    return kind == "types" and imported in IN_ANNOTATIONS


@pytest.mark.parametrize("module", MODULES)
def test_imports_stay_in_their_layer_or_above(module: str) -> None:
    """Within functions too; the doors alone reach further, and never at their top."""
    assert [name for name, kind in later(module) if not allowed(module, name, kind)] == []


@pytest.mark.parametrize("module", DOORS)
def test_a_door_is_used(module: str) -> None:
    """A door that leads nowhere is to be taken off the list."""
    assert list(later(module))


@pytest.mark.parametrize("module", [module for module in MODULES if is_startup(module)])
def test_start_up_imports_nothing_heavy(module: str) -> None:
    """What stands at the top of a start-up module is paid for on every start of every program."""
    at_top = {name for name, kind in imports(parsed(module)) if kind == "top"}
    assert {name for name in at_top if not is_startup(name)} <= STARTUP_MAY_IMPORT


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import os", [("os", "top")]),
        ("from extreg import errors", [("extreg.errors", "top")]),
        ("from extreg.errors import Problem", [("extreg.errors", "top")]),
        ("def f():\n    if x:\n        import extreg.cli.main", [("extreg.cli.main", "function")]),
        ("if TYPE_CHECKING:\n    import typing\nelse:\n    import re", [("typing", "types"), ("re", "top")]),
        ("try:\n    import tomli\nexcept ImportError:\n    import tomllib", [("tomli", "top"), ("tomllib", "top")]),
        ("class C:\n    import re", [("re", "top")]),
    ],
)
def test_imports_are_seen(source: str, expected: list[tuple[str, str]]) -> None:
    assert list(imports(ast.parse(source))) == expected
