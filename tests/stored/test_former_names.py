"""Former and other names in stored pickles: rewrite puts today's code there; scan, dis and suggest tell them."""

import copyreg
import json
import pickle
import re
import sys
import types

import pytest

from extreg import Registry
from extreg.pickles import to_codes, to_names
from extreg.pickles.pricing import price
from extreg.pickles.rewriting.rewriter import rewrite

REGISTRY = """\
format = 1

[codes]
300 = "former_models:Order"
301 = "former_models:Line.Part"
302 = "former_models:Bag"

[load-only]
310 = "former_models:Tin"

[moved]
300 = ["former_shop:Order", "former_orders:Order"]
301 = ["former_shop:Part"]
310 = ["former_shop:Tin"]

[aliases]
302 = ["former_fast:Bag"]

[renamed]
"former_older" = "former_shop"
"""
OLD = ("former_shop:Order", "former_orders:Order", "former_older:Order", "former_fast:Bag", "former_models:Order")


@pytest.fixture
def models(monkeypatch):
    """Return the module of today; those of the past are not there."""

    class Order:
        pass

    class Bag:
        pass

    module = types.ModuleType("former_models")
    for kind in (Order, Bag):
        kind.__module__, kind.__qualname__ = "former_models", kind.__name__
        setattr(module, kind.__name__, kind)
    monkeypatch.setitem(sys.modules, "former_models", module)
    for key, code in ((("former_models", "Order"), 300), (("former_models", "Bag"), 302)):
        copyreg.add_extension(*key, code)
    yield module
    for key, code in ((("former_models", "Order"), 300), (("former_models", "Bag"), 302)):
        copyreg.remove_extension(*key, code)


def by_name(target, protocol, models):
    """Return a pickle of an instance and its class, written when the class was called `target`."""
    module, name = target.split(":")
    kind = type(name, (), {"__module__": module, "__qualname__": name})
    past = types.ModuleType(module)
    setattr(past, name, kind)
    item = kind()
    item.n = 7
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module, past)
        if target == "former_models:Order":
            copyreg.remove_extension(module, name, 300)
        try:
            return pickle.dumps([item, kind, "former_shop", item], protocol)
        finally:
            if target == "former_models:Order":
                copyreg.add_extension(module, name, 300)


@pytest.mark.parametrize("target", OLD)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_from_before_a_move_loads_once_it_is_rewritten(models, protocol, target) -> None:
    data = by_name(target, protocol, models)
    if target != "former_models:Order":
        with pytest.raises(ModuleNotFoundError):
            pickle.loads(data)
    registry = Registry.parse(REGISTRY)
    done = rewrite(data, registry, to="codes")
    assert done.changed == 1
    assert len(done.data) <= len(data)
    first, kind, text, again = pickle.loads(done.data)
    assert type(first) is kind is (models.Bag if "Bag" in target else models.Order)
    assert (first.n, text, again) == (7, "former_shop", first)
    assert to_codes(done.data, registry) == done.data
    named = to_names(done.data, registry)
    assert b"former_models" in named
    assert type(pickle.loads(named)[0]) is kind


def test_what_has_no_live_code_today_is_left_as_it_is() -> None:
    registry = Registry.parse(REGISTRY)
    data = b"\x80\x04\x8c\x0bformer_shop\x8c\x03Tin\x93."
    done = rewrite(data, registry, to="codes")
    assert (done.data, done.left) == (data, {"no live code": 1})


def test_a_nested_name_of_today_gets_no_code_below_protocol_4() -> None:
    registry = Registry.parse(REGISTRY)
    done = rewrite(b"\x80\x02cformer_shop\nPart\n.", registry, to="codes")
    assert done.left == {"a nested name below protocol 4": 1}
    assert to_codes(b"\x80\x04\x8c\x0bformer_shop\x8c\x04Part\x93.", registry) == b"\x80\x04\x83\x2d\x01."


def test_a_name_that_led_to_two_places_is_left_as_it_is() -> None:
    registry = Registry(codes={300: "a:X", 301: "b:X"}, moved={300: ("old:X",), 301: ("old:X",)})
    data = b"\x80\x04\x8c\x03old\x8c\x01X\x93."
    assert to_codes(data, registry) == data


@pytest.fixture
def stored(registry_file):
    registry_file.write_text(REGISTRY)
    path = registry_file.parent / "old.pkl"
    path.write_bytes(b"\x80\x04\x8c\x0cformer_older\x8c\x05Order\x93\x8c\x0cformer_older\x8c\x03Box\x93\x86.")
    return path


def test_scan_says_what_a_name_is_called_today(run_extreg, stored) -> None:
    done = run_extreg("scan", "old.pkl")
    assert done.returncode == 0
    assert " 300  former_older:Order, now former_models:Order" in done.stdout
    assert "former_older:Box, now former_shop:Box" in done.stdout
    found = json.loads(run_extreg("scan", "old.pkl", "--format", "json").stdout)["globals"]
    assert [(row["name"], row["current"], row["code"]) for row in found] == [
        ("Box", "former_shop:Box", None),
        ("Order", "former_models:Order", 300),
    ]


def test_dis_says_what_a_name_is_called_today(run_extreg, stored) -> None:
    shown = run_extreg("dis", "old.pkl").stdout
    assert "former_older:Order [now former_models:Order] [code 300]" in shown
    assert "former_older:Box [now former_shop:Box]\n" in shown


def test_suggest_counts_a_former_name_for_its_current_one(run_extreg, stored) -> None:
    done = run_extreg("suggest", "old.pkl", "--format", "json")
    proposals = json.loads(done.stdout)["proposals"]
    assert [item["target"] for item in proposals] == ["former_shop:Box"]
    run_extreg("suggest", "old.pkl", "--apply")
    assert run_extreg("rewrite", "--to", "codes", "old.pkl").returncode == 0
    assert b"former" not in stored.read_bytes()
    assert run_extreg("suggest", "old.pkl").stdout.startswith("0 codes save")


@pytest.mark.parametrize("use", ["live", "scoped"])
def test_prices_of_former_names_add_up(use) -> None:
    one, two = b"\x80\x04\x8c\x03old\x8c\x01X\x93.", b"\x80\x04\x8c\x03new\x8c\x01X\x93."
    (both,) = price([one, two], use=use, today=lambda name: name.replace("old", "new")).proposals
    assert (both.target, both.pickles, both.references) == ("new:X", 2, 2)
    apart = price([one, two], use=use).proposals
    assert len(apart) == 2
    assert both.saved == sum(item.saved for item in apart) > 0


GLOBALS = {
    "former_models:Order": "found",
    "former_orders:Order": "former",
    "former_shop:Tin": "gone",  # which is former_models:Tin now, and not there either
    "former_shim:Bag": "found",
    "nowhere:Thing": "gone",
    "former_odd:Made": "cannot tell",
    "copy_reg:_reconstructor": "found",  # Python 2's name
    "zlib:compress": "cannot tell",
}


def test_scan_resolves_names_without_importing(run_extreg, registry_file) -> None:
    folder = registry_file.parent
    registry_file.write_text(REGISTRY)
    trap = "open('imported', 'w')\n"
    (folder / "former_models.py").write_text(f"{trap}class Order: pass\nclass Bag: pass\n")
    (folder / "former_odd.py").write_text(f"{trap}globals()['M' + 'ade'] = 1\n")
    (folder / "former_shim.py").write_text(f"{trap}from former_models import Bag\n")
    data = b"".join(b"c%s\n%s\n" % tuple(name.encode().split(b":")) for name in GLOBALS)
    (folder / "old.pkl").write_bytes(b"\x80\x02(" + data + b"l.")
    done = run_extreg("scan", "old.pkl", "--resolve", "--format", "json")
    assert done.returncode == 1
    found = {f"{row['module']}:{row['name']}": row["today"] for row in json.loads(done.stdout)["globals"]}
    assert found == GLOBALS
    shown = run_extreg("scan", "old.pkl", "--resolve")
    assert shown.returncode == 1
    assert re.search(r"300  former +former_orders:Order, now former_models:Order", shown.stdout)
    assert not (folder / "imported").exists()
    (folder / "old.pkl").write_bytes(b"\x80\x02cformer_orders\nOrder\n.")
    assert run_extreg("scan", "old.pkl", "--resolve").returncode == 0
