"""Retired codes explain themselves: what is raised, by whom, and what stands in copyreg for it."""

import copyreg
import io
import pickle
import subprocess
import sys
from collections import OrderedDict

import pytest

import extreg
from extreg.startup.changes import set_aside

FILE = """
[codes]
240 = "collections:OrderedDict"
[retired]
7 = "shop.legacy:Cart"
9120 = "shop.legacy:Cart.Line"
70000 = "shop.legacy:Basket"
"""
TARGETS = {7: "shop.legacy:Cart", 9120: "shop.legacy:Cart.Line", 70000: "shop.legacy:Basket"}
OPCODES = {7: b"\x82\x07", 9120: b"\x83\xa0\x23", 70000: b"\x84\x70\x11\x01\x00"}
ROW = ("extreg.retired", "9120 was shop/legacy:Cart/Line and is retired: see `extreg show 9120`")


class Plain(pickle.Unpickler):
    """A subclass, which C treats otherwise than its own."""


class Asking(pickle._Unpickler):
    """One that has a `find_class`, and asks the one that it had."""

    def find_class(self, module, name):
        return super().find_class(module, name)


def bytes_of(code, protocol):
    return (bytes((0x80, protocol)) if protocol >= 2 else b"") + OPCODES[code] + b"."


@pytest.mark.parametrize("unpickler", [pickle.Unpickler, pickle._Unpickler, Plain, Asking])
@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("code", TARGETS)
def test_whatever_loads_a_retired_code_is_told_so(write, unpickler, protocol, code):
    path = write(FILE)
    extreg.install(path)
    for _ in range(2):  # nothing was cached by the first
        with pytest.raises(extreg.RetiredCodeError) as caught:
            unpickler(io.BytesIO(bytes_of(code, protocol))).load()
        assert copyreg._extension_cache == {}
    error = caught.value
    assert isinstance(error, pickle.UnpicklingError)
    assert isinstance(error, ValueError)
    line = path.read_text().splitlines().index(f'{code} = "{TARGETS[code]}"') + 1
    assert (error.code, error.target, error.place) == (code, TARGETS[code], f"{path}:{line}")
    assert f"extension code {code} is retired ({path}:{line}); it meant {TARGETS[code]}" in str(error)
    assert f"extreg --registry {path} show {code}" in error.hint


def test_in_a_process_of_its_own_cold_and_warm(write, monkeypatch):
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    path = write(FILE)
    program = f"import pickle, extreg; extreg.install({str(path)!r}); pickle.loads({bytes_of(9120, 4)!r})"
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        last = done.stderr.strip().splitlines()[-2:]
        assert last[0].startswith(f"extreg.errors.RetiredCodeError: extension code 9120 is retired ({path}:")
        assert last[1].startswith("hint: `extreg --registry ")
    offered = last[1].split("`")[1].split()
    done = subprocess.run([sys.executable, "-m", *offered], capture_output=True, text=True, check=True, cwd=path.parent)
    assert "shop.legacy:Cart.Line" in done.stdout


def test_copyreg_says_it_to_whoever_wants_the_code(write):
    extreg.install(write(FILE))
    with pytest.raises(ValueError, match="9120 was shop/legacy:Cart/Line and is retired: see `extreg show 9120`"):
        copyreg.add_extension("shop", "New", 9120)


def test_no_other_name_can_be_had_from_the_module(write):
    extreg.install(write(FILE))
    with pytest.raises(extreg.RetiredCodeError):
        pickle.loads(bytes_of(7, 4))
    module = sys.modules["extreg.retired"]
    inside = object.__getattribute__(module, "__dict__")
    names = {*inside, *dir(module), *dir(type(module)), "9120", "7 was", "0", "9" * 5000, "\u0663 was", ROW[1] + "x"}
    names |= {f"{name}.__class__" for name in names} | {f"{name}.__globals__" for name in names}
    names |= {f"{name}.get" for name in names if "." not in name}
    for name in sorted(names):
        text = name.encode("utf-8")
        by_name = b"\x80\x04\x8c\x0eextreg.retired" + b"X" + len(text).to_bytes(4, "little") + text + b"\x93."
        for loads in (pickle.loads, pickle._loads):
            for protocol in (3, 4):
                data = by_name[:1] + bytes((protocol,)) + by_name[2:]
                try:
                    found = loads(data)
                except AttributeError:
                    continue
                # What is left are texts and None, and under protocol 4 the type of either.
                assert isinstance(found, (str, type(None))) or found in (str, type(None)), name
    assert not hasattr(module, "__wrapped__")
    assert copyreg._extension_cache == {}


def test_the_module_does_not_disturb_those_who_walk_all_modules(write):
    extreg.install(write(FILE))
    with pytest.raises(extreg.RetiredCodeError):
        pickle.loads(bytes_of(7, 4))
    program = (
        "import sys, pickle, inspect, types, extreg, extreg.retired, importlib, pkgutil, unittest, warnings\n"
        "module = sys.modules['extreg.retired']\n"
        "assert isinstance(module, types.ModuleType) and inspect.ismodule(module), repr(module)\n"
        "assert extreg.retired is module and importlib.import_module('extreg.retired') is module\n"
        "inspect.getmodule(compile('', 'nowhere', 'exec'))\n"
        "with unittest.TestCase().assertWarns(UserWarning): warnings.warn('x')\n"
        "def f(): pass\n"
        "f.__module__ = None\n"
        "assert pickle.whichmodule(f, 'f') == '__main__'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# Owners


def test_rows_are_counted_and_go_with_the_last_owner(write):
    one = extreg.install(write('[retired]\n9120 = "shop.legacy:Cart.Line"'))
    two = extreg.install(write('[retired]\n9120 = "shop.legacy:Cart.Line"\n8 = "a:B"', "two.toml"))
    one.uninstall()
    assert copyreg._inverted_registry[9120] == ROW
    two.uninstall()
    assert copyreg._inverted_registry == copyreg._extension_registry == {}


def test_of_two_that_know_it_by_different_targets_the_first_has_the_word(write):
    one = extreg.install(write('[retired]\n7 = "a:Old"'))
    extreg.install(write('[retired]\n7 = "a:Older"', "two.toml"))
    with pytest.raises(extreg.RetiredCodeError, match="meant a:Old\n"):
        pickle.loads(bytes_of(7, 2))
    one.uninstall()
    with pytest.raises(extreg.RetiredCodeError, match="meant a:Older\n"):
        pickle.loads(bytes_of(7, 2))


@pytest.mark.parametrize("retired_first", [True, False])
@pytest.mark.parametrize("table", ["codes", "load-only"])
def test_what_still_loads_for_another_owner_goes_on_loading(write, table, retired_first):
    texts = ['[retired]\n9120 = "collections:OrderedDict"', f'[{table}]\n9120 = "collections:OrderedDict"']
    paths = [write(text, f"{number}.toml") for number, text in enumerate(texts)]
    both = [extreg.install(path) for path in (paths if retired_first else reversed(paths))]
    assert pickle.loads(bytes_of(9120, 4)) is OrderedDict
    loading = both[1] if retired_first else both[0]
    loading.uninstall()
    assert copyreg._extension_registry == copyreg._extension_cache == {}
    with pytest.raises(extreg.RetiredCodeError):
        pickle.loads(bytes_of(9120, 4))


def test_reload_retires_and_takes_it_back(write):
    path = write('[load-only]\n9120 = "collections:OrderedDict"')
    installation = extreg.install(path)
    assert pickle.loads(bytes_of(9120, 4)) is OrderedDict
    write('[retired]\n9120 = "collections:OrderedDict"')
    assert installation.reload() == {9120}
    with pytest.raises(extreg.RetiredCodeError):
        pickle.loads(bytes_of(9120, 4))
    write('[load-only]\n9120 = "collections:OrderedDict"')
    assert installation.reload() == {9120}
    assert pickle.loads(bytes_of(9120, 4)) is OrderedDict


# Code outside extreg


def test_a_retired_code_that_others_use_is_a_conflict(write):
    copyreg.add_extension("collections", "OrderedDict", 9120)
    stood = dict(copyreg._inverted_registry)
    path = write(FILE.replace("240", "300").replace("collections:OrderedDict", "decimal:Decimal"))
    with pytest.raises(extreg.ConflictError) as caught:
        extreg.install(path)
    (found,) = caught.value.conflicts
    assert (found.code, found.target, found.held) == (9120, TARGETS[9120], "9120 = collections:OrderedDict")
    assert found.wanted_by.endswith(", retired")
    assert copyreg._inverted_registry == stood
    with extreg.install(path, on_conflict="keep"):
        assert pickle.loads(bytes_of(9120, 4)) is OrderedDict
        with pytest.raises(extreg.RetiredCodeError):
            pickle.loads(bytes_of(7, 4))
    with extreg.install(path, on_conflict="replace"):
        assert copyreg._inverted_registry[9120] == ROW
        assert b"collections" in pickle.dumps(OrderedDict(), 4)  # by name: a code that is dumped can be loaded
        with pytest.raises(extreg.RetiredCodeError):
            pickle.loads(bytes_of(9120, 4))
    assert copyreg._inverted_registry == stood
    assert copyreg._extension_registry == {("collections", "OrderedDict"): 9120}


def test_others_who_still_load_the_retired_target_are_left_alone(write):
    copyreg.add_extension("collections", "OrderedDict", 9120)
    with extreg.install(write('[retired]\n9120 = "collections:OrderedDict"')):
        assert pickle.loads(bytes_of(9120, 4)) is OrderedDict
    assert copyreg._inverted_registry == {9120: ("collections", "OrderedDict")}


def test_a_find_class_that_answers_for_every_name_poisons_the_cache_and_clearing_it_cures(write):
    """As with any code."""

    class Answering(pickle.Unpickler):
        def find_class(self, module, name):
            return str

    extreg.install(write(FILE))
    assert Answering(io.BytesIO(bytes_of(7, 4))).load() is str
    assert copyreg._extension_cache == {7: str}
    extreg.clear_cache()
    with pytest.raises(extreg.RetiredCodeError):
        pickle.loads(bytes_of(7, 4))


# What else there is


def test_nobody_is_told_of_a_reload_when_the_module_is_first_imported(write):
    told = []
    sys.modules.pop("extreg.retired", None)
    with extreg.install(write(FILE), watch_reloads=True), extreg.on_clear(told.append):
        with pytest.raises(extreg.RetiredCodeError):
            pickle.loads(bytes_of(7, 4))
        assert told == []


def test_a_registry_value_says_what_it_can(write):
    extreg.install(extreg.Registry.load(write(FILE)))
    with pytest.raises(extreg.RetiredCodeError) as caught:
        pickle.loads(bytes_of(9120, 5))
    assert str(caught.value) == "extension code 9120 is retired (a Registry value); it meant shop.legacy:Cart.Line"


def test_a_row_whose_installation_is_forgotten_says_what_its_name_does(write):
    extreg.install(write(FILE))
    restore = set_aside(keep=False)
    try:
        with pytest.raises(extreg.RetiredCodeError, match=r"code 9120 is retired; it meant shop\.legacy:Cart\.Line"):
            pickle.loads(bytes_of(9120, 5))
    finally:
        restore()


def test_the_registry_and_its_fingerprint_are_as_they_were(write):
    path = write(FILE)
    installation = extreg.install(path)
    registry = extreg.Registry.load(path)
    assert installation.registry == registry
    assert installation.fingerprint == registry.fingerprint
    assert repr(installation).endswith(": 1 live, 0 load-only>")
