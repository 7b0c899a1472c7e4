import copyreg
import sys
import types

import pytest

from extreg.testing import isolated

CODE = 4711


@pytest.fixture(autouse=True)
def no_codes():
    """Each test starts without any extension code, and leaves none."""
    with isolated(empty=True):
        yield


@pytest.fixture
def shop(monkeypatch):
    """A module ``shop`` with the classes Money and Order, and Order.Line within the latter."""
    module = types.ModuleType("shop")
    source = """
class Money:
    def price(self):
        return 1
class Order:
    class Line:
        pass
"""
    exec(source, vars(module))
    monkeypatch.setitem(sys.modules, "shop", module)
    return module


@pytest.fixture
def coded(shop):
    """The same module, with a code for shop:Money."""
    copyreg.add_extension("shop", "Money", CODE)
    return shop
