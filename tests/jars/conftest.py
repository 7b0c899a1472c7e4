"""A project with a registry, classes that change, and pickles of them."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

SHOP = """
from dataclasses import dataclass, field


@dataclass
class Line:
    product: str
    amount: float = 1.0


class Order:
    def __init__(self, number, lines):
        self.number = number
        self.lines = lines


class Money:
    __slots__ = ("amount", "currency")

    def __init__(self, amount, currency):
        self.amount, self.currency = amount, currency


class Odd:
    def __setstate__(self, state):
        exec(state["does"])
"""

REGISTRY = """\
format = 1

[codes]
300 = "shop:Line"
301 = "shop:Order"
302 = "shop:Money"
303 = "shop:Odd"
"""

MAKE = """
import pickle, sys, extreg
from shop import *
with extreg.install("registry.toml"):
    found = eval(sys.argv[1])
    sys.stdout.buffer.write(pickle.dumps(found, int(sys.argv[2])))
"""


class Project:
    """A folder with a registry and a module, in which commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jar = folder / "tests" / "jar"
        self.write("shop.py", SHOP)
        self.write("registry.toml", REGISTRY)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        # The source of a module is read again only if its time or size has changed.
        self.write(name, text.replace(old, new) + "\n# changed\n")

    def dump(self, file: str, expression: str, protocol: int = 4) -> Path:
        """Write to `file` the pickle of what an `expression` means in the module."""
        done = subprocess.run(
            [sys.executable, "-c", MAKE, expression, str(protocol)], cwd=self.folder, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        (self.folder / file).write_bytes(done.stdout)
        return self.folder / file

    def odd(self, file: str, does: str) -> Path:
        """Write to `file` the pickle of an object that runs Python code when it is loaded."""
        state = pickle.dumps({"does": does}, 2)[2:-1]
        data = b"\x80\x02\x83\x2f\x01)\x81" + state + b"b."
        (self.folder / file).write_bytes(data)
        return self.folder / file

    def run(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "extreg", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    def records(self) -> "list[Path]":
        return sorted(self.jar.glob("*.toml"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)
