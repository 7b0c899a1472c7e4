"""Former and other names under `loads` and `dumps`."""

import os
import pickle
import sys
import types

import pytest

import extreg
from extreg.errors import ForbiddenGlobalError
from extreg.registry.model import Registry

TEXT = """
format = 1
[codes]
300 = "snew:Box"
301 = "snewest:Lid"
[load-only]
302 = "snew:Bag"
[retired]
303 = "snew:Gone"
[moved]
300 = ["sold:Box"]
302 = ["sold:Bag"]
303 = ["sold:Gone"]
[aliases]
300 = ["_sfast:Box"]
[renamed]
"sutil:Lid" = "snew:Lid"
"snew:Lid" = "snewest:Lid"
"swhole" = "snew"
"sother:system" = "os:system"
"""


@pytest.fixture
def new():
    module = sys.modules["snew"] = types.ModuleType("snew")
    for name in ("Box", "Bag", "Lid", "Gone"):
        setattr(module, name, type(name, (), {"__module__": "snew"}))
    yield module
    del sys.modules["snew"]


@pytest.fixture
def registry():
    return Registry.parse(TEXT)


def forms(target):
    module, _, name = target.partition(":")
    for protocol in range(6):
        head = b"\x80%c" % protocol if protocol > 1 else b""
        yield head + f"c{module}\n{name}\n.".encode()
        if protocol >= 4:
            yield head + b"".join(b"\x8c%c%s" % (len(text), text.encode()) for text in (module, name)) + b"\x93."


@pytest.mark.parametrize("check", ["before", "each"])
@pytest.mark.parametrize("times", [1, 50])
def test_what_is_permitted_is_permitted_under_all_its_names(times, check, new, registry):
    for target, found in (
        ("snew:Box", new.Box),
        ("sold:Box", new.Box),
        ("_sfast:Box", new.Box),
        ("swhole:Box", new.Box),
        ("sold:Bag", new.Bag),
        # Its newest name is not here, because the library is older.
        ("snewest:Lid", new.Lid),
        ("sutil:Lid", new.Lid),
        ("snew:Lid", new.Lid),
    ):
        for data in forms(target):
            for _ in range(times):
                assert extreg.loads(data, registry, check=check) is found
    assert extreg.loads(b"\x80\x04\x83\x2d\x01.", registry, check=check) is new.Lid


@pytest.mark.parametrize("check", ["before", "each"])
def test_nothing_else_is(check, new, registry):
    for target in (
        "sold:Gone",
        "snew:Gone",
        "sother:system",
        "os:system",
        "swhole:Gone",
        "sold:Box.__init__",
        "swhole:os",
    ):
        for data in forms(target):
            with pytest.raises(ForbiddenGlobalError):
                extreg.loads(data, registry, check=check)
    assert not hasattr(new, "os")
    assert os.system  # it was not called: nothing was


def test_a_former_name_is_not_asked_for_where_the_new_one_is_gone(new, registry):
    """Something else may have it by now."""
    sys.modules["sold"] = types.ModuleType("sold")
    sys.modules["sold"].Box = os.system
    del new.Box
    try:
        for data in (*forms("sold:Box"), *forms("snew:Box")):
            with pytest.raises(AttributeError):
                extreg.loads(data, registry)
    finally:
        del sys.modules["sold"]


@pytest.mark.parametrize("protocol", range(6))
def test_an_alias_is_dumped_as_the_same_code(protocol, new, registry):
    """On a Python that gives the object its other name."""
    fast = sys.modules["_sfast"] = types.ModuleType("_sfast")
    fast.Box = new.Box
    new.Box.__module__ = "_sfast"
    try:
        data = extreg.dumps(new.Box, registry, protocol)
        assert (b"\x83\x2c\x01" in data) == (protocol >= 2)
        for optimize in (False, True):
            assert extreg.loads(extreg.dumps(new.Box, registry, protocol, optimize=optimize), registry) is new.Box
    finally:
        del sys.modules["_sfast"]


def test_a_registry_without_names_asks_nothing(new):
    registry = Registry(codes={300: "snew:Box"})
    with pytest.raises(ForbiddenGlobalError):
        extreg.loads(next(forms("sold:Box")), registry)
    assert extreg.loads(pickle.dumps(new.Box), registry) is new.Box
