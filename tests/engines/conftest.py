"""A program with classes that have codes, in a folder of its own, and how to run things there."""

import os
import subprocess
import sys

import pytest

REGISTRY = 'format = 1\n\n[codes]\n300 = "shop:Order"\n301 = "shop:Line"\n\n[load-only]\n310 = "shop:Basket"\n'
SHOP = """
class Order:
    def __init__(self, number, lines):
        self.number, self.lines = number, lines
    def __eq__(self, other):
        return type(other) is Order and vars(other) == vars(self)

class Line:
    def __init__(self, name):
        self.name = name
    def __eq__(self, other):
        return type(other) is Line and vars(other) == vars(self)

class Basket:
    pass

def order(number):
    return Order(number, [Line(f"line {number}"), Line("another")])

def back(order):
    "What a worker does with an order: it is one, and goes back as one."
    assert type(order) is Order and type(order.lines[0]) is Line, order
    return Order(order.number + 1, order.lines)
"""


@pytest.fixture
def shop(tmp_path):
    """A folder with a registry.toml and a module ``shop`` whose classes have codes."""
    (tmp_path / "registry.toml").write_text(REGISTRY)
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


@pytest.fixture
def python(shop):
    """Run a program in the shop's folder and return the completed process."""

    def run(text, *arguments, timeout=30, **environment):
        program = shop / "program.py"
        program.write_text(text)
        return subprocess.run(
            [sys.executable, str(program), *arguments],
            cwd=shop,
            env={**os.environ, "PYTHONPATH": str(shop), **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run
