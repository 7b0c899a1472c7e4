"""A module that tests put classes into, as if it were a release of some program."""

import copyreg
import sys
import types

import pytest


@pytest.fixture
def release():
    """Publish a class as ``shop:NAME``; publishing again is the next release of it."""
    module = types.ModuleType("shop")
    sys.modules["shop"] = module

    def publish(cls, name=None):
        cls.__module__ = "shop"
        cls.__qualname__ = cls.__name__ = name or cls.__name__
        setattr(module, cls.__name__, cls)
        return cls

    yield publish
    del sys.modules["shop"]


@pytest.fixture
def coded():
    """Give a class published as ``shop:NAME`` a live code for the test."""
    given = []

    def give(name, code):
        copyreg.add_extension("shop", name, code)
        given.append(("shop", name, code))

    yield give
    for row in given:
        copyreg.remove_extension(*row)
