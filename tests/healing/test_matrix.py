"""A class moves: every pickle from before and after, by name and by code, loads in each of the three ways."""

import copyreg
import importlib
import pickle
import sys

import pytest

import extreg
from extreg.pickles import to_codes, to_names

BEFORE = 'format = 1\n[codes]\n300 = "mshop.models:Order"\n'
AFTER = """
format = 1
former-names = true
[codes]
300 = "mshop.orders:Order"
[moved]
300 = ["mshop.models:Order"]
"""
SOURCE = """
class Order:
    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        return type(self) is type(other) and vars(self) == vars(other)
"""


@pytest.fixture
def moved(tmp_path, monkeypatch):
    """Return pickles of an order by how and when they were written, its registry, and the order of today."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mshop").mkdir()
    (tmp_path / "mshop" / "__init__.py").touch()
    pickles = {}

    def write(when, name, text):
        (tmp_path / "mshop" / f"{name}.py").write_text(SOURCE)
        importlib.invalidate_caches()
        order = importlib.import_module(f"mshop.{name}").Order(7)
        registry = extreg.Registry.parse(text)
        for protocol in range(6):
            pickles[f"by name {when}", protocol] = pickle.dumps([order, type(order), order], protocol)
            pickles[f"by code {when}", protocol] = extreg.dumps([order, type(order), order], registry, protocol)
        return order, registry

    write("before", "models", BEFORE)
    (tmp_path / "mshop" / "models.py").unlink()
    for name in [name for name in sys.modules if name.partition(".")[0] == "mshop"]:
        del sys.modules[name]
    order, registry = write("after", "orders", AFTER)
    yield pickles, registry, order
    for name in [name for name in sys.modules if name.partition(".")[0] == "mshop"]:
        del sys.modules[name]


def test_plain_pickle_with_former_names(moved):
    pickles, registry, order = moved
    with extreg.install(registry):
        for which, data in pickles.items():
            one, kind, other = pickle.loads(data)
            assert one is other, which
            assert (one, kind) == (order, type(order)), which
    assert not copyreg._extension_cache


@pytest.mark.parametrize("check", ["before", "each"])
def test_loads_under_the_registry(moved, check):
    pickles, registry, order = moved
    for which, data in pickles.items():
        assert extreg.loads(data, registry, check=check) == [order, type(order), order], which


@pytest.mark.parametrize("rewrite", [to_codes, to_names])
def test_plain_pickle_after_a_rewrite(moved, rewrite):
    """Under protocols 0 and 1 there are no codes: what is there by name stays as it is."""
    pickles, registry, order = moved
    with extreg.install(registry, former_names=False):
        for (which, protocol), data in pickles.items():
            if rewrite is to_codes and protocol < 2 and which.endswith("before"):
                continue
            assert pickle.loads(rewrite(data, registry)) == [order, type(order), order], (which, protocol)
