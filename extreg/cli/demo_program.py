"""The small program that `extreg demo` writes into its temporary folder, file by file."""

MODELS = """\
from dataclasses import dataclass


@dataclass
class Line:
    sku: str
    count: int


@dataclass
class Order:
    number: int
    lines: list
"""

MONEY = """\
class Money:
    def __init__(self, amount, currency):
        self.amount = amount
        self.currency = currency

    def __repr__(self):
        return f"Money({self.amount}, {self.currency!r})"
"""

# Prints, for each object: its repr, the size of its pickle by name, and the size of its pickle by code.
DUMP = """\
import json
import pickle
import sys
from pathlib import Path

from shop.models import Line, Order
from shop.money import Money

OBJECTS = [Money(12, "EUR"), Line("tea", 2), Order(7, [Line("tea", 2), Line("mug", 1)])]

by_name = [pickle.dumps(thing) for thing in OBJECTS]

import extreg

installation = extreg.install()
by_code = [pickle.dumps(thing) for thing in OBJECTS]
for thing, data in zip(OBJECTS, by_code):
    assert repr(pickle.loads(data)) == repr(thing)

Path("stored.pickle").write_bytes(by_code[-1])
Path("stored_by_name.pickle").write_bytes(by_name[-1])
rows = [[repr(thing), len(name), len(code)] for thing, name, code in zip(OBJECTS, by_name, by_code)]
json.dump({"installation": repr(installation), "rows": rows}, sys.stdout)
"""

LOAD = """\
import pickle
from pathlib import Path

import extreg

extreg.install()
print("by code:", pickle.loads(Path("stored.pickle").read_bytes()))
try:
    print("by name:", pickle.loads(Path("stored_by_name.pickle").read_bytes()))
except Exception as error:
    print(f"by name: {type(error).__name__}: {error}")
"""

COLLIDE = """\
import copyreg
import sys

import extreg

copyreg.add_extension("other_library", "Invoice", int(sys.argv[1]))
try:
    extreg.install()
except extreg.ConflictError as error:
    print(f"{type(error).__name__}: {error}")
else:
    raise SystemExit("the collision went unnoticed")
print("copyreg is as it was:", copyreg._extension_registry)
"""
