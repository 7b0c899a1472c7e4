"""What `extreg.reduce.versioned` was told about a class."""

import ast
from collections.abc import Sequence

from extreg.shapes.lineage import Member
from extreg.shapes.shape import Names, Version
from extreg.targets.reach import dotted_name

# Calls of these put no name into a state that is not spelt beside them.
_HARMLESS = ("dict", "list", "set", "tuple", "str", "int", "float", "bool", "len")


def version(lineage: Sequence[Member]) -> Version | None:
    """Return what the first class of a lineage that is decorated was told, None where none is."""
    member = next((member for member in lineage if member.versioned is not None), None)
    if member is None or member.versioned is None:
        return None
    call = member.versioned
    given = dict(zip(("version", "migrations", "unversioned"), call.args, strict=False))
    given.update({word.arg: word.value for word in call.keywords if word.arg is not None})
    number = _number(given.get("version"))
    unversioned = _number(given["unversioned"]) if "unversioned" in given else 1
    writes = _number(given["write"]) if "write" in given else number
    migrations = given.get("migrations")
    names: dict[int, Names | None] = {}
    steps: tuple[int, ...] | None = ()
    if isinstance(migrations, ast.Dict):
        numbers = [_number(key) for key in migrations.keys]
        known = [one for one in numbers if one is not None]
        steps = tuple(known) if len(known) == len(numbers) else None
        names = {
            one: _mentioned(member, value)
            for one, value in zip(numbers, migrations.values, strict=True)
            if one is not None
        }
    elif migrations is not None:
        steps = None
    return Version(number, unversioned, writes, steps, names, back="write" in given)


def _number(node: ast.expr | None) -> int | None:
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _mentioned(member: Member, node: ast.expr) -> Names | None:
    """Return the constants and keywords in a migration; None where it is not to be read here, or calls what is not."""
    body: ast.AST = node
    if isinstance(node, ast.Name) and member.module is not None:
        bound = member.module.body.names.get(node.id, [])
        if len(bound) != 1 or not isinstance(bound[0].node, ast.FunctionDef):
            return None
        body = bound[0].node
    elif not isinstance(node, ast.Lambda):
        return None
    found: set[str] = set()
    for one in ast.walk(body):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            found.add(one.value)
        elif isinstance(one, ast.keyword):
            found.add(one.arg or "")
        elif isinstance(one, ast.Call) and not (
            isinstance(one.func, ast.Attribute) or dotted_name(one.func) in _HARMLESS
        ):
            return None
    return frozenset(found)
