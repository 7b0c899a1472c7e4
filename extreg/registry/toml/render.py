"""A registry as text: the canonical form that `init` writes and that `Registry.parse` reads back."""

from collections.abc import Mapping
from typing import Any

import tomli_w

from extreg.registry.model import Registry
from extreg.registry.ranges import BUILT_IN, Range
from extreg.registry.toml.schema import FORMAT


def render(registry: Registry) -> str:
    """Return the canonical text of `registry`; ``Registry.parse(render(r)) == r``."""
    text = row("format", FORMAT) + "\n"
    if registry.former_names:
        text += row("former-names", True) + "\n"
    if registry.include:
        text += row("include", registry.include) + "\n"
    for name, span in registry.ranges.items():
        if BUILT_IN.get(name) != span:
            text += _table(f"ranges.{key(name)}", _range(span))
    for name, rows in registry.tables.items():
        if rows or name == "codes":
            text += _table(name, rows)
        if name == "load-only" and registry.moved:
            text += _table("moved", registry.moved)
    named: dict[str, Mapping[Any, object]] = {"aliases": registry.aliases, "renamed": registry.renamed}
    for name, others in {**named, "reducers": registry.reducers}.items():
        text += _table(name, others) if others else ""
    return text


def row(code: int | str, value: object) -> str:
    """Return one line without its end: ``240 = "shop.money:Money"``."""
    if isinstance(value, tuple):
        return f"{key(str(code))} = [{', '.join(map(string, value))}]"
    return tomli_w.dumps({str(code): value}).rstrip("\n")


def string(value: str) -> str:
    """Return `value` as a TOML string."""
    return tomli_w.dumps({"k": value})[len("k = ") : -1]


def key(name: str) -> str:
    """Return `name` as a TOML key."""
    return tomli_w.dumps({name: 0})[: -len(" = 0\n")]


def _table(name: str, rows: Mapping[Any, object]) -> str:
    return "\n".join([f"\n[{name}]", *(row(code, value) for code, value in rows.items())]) + "\n"


def _range(span: Range) -> dict[str, object]:
    data: dict[str, object] = {"first": span.first, "last": span.last, "allocate": span.allocate}
    return {**data, "modules": span.modules} if span.modules else data
