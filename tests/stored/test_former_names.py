"""Former and other names in stored pickles: rewrite puts today's code there; scan, dis and suggest tell them."""

import copyreg
import io
import json
import os
import pickle
import re
import subprocess
import sys
import types
from contextlib import suppress

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


TINS = [
    pytest.param(b"\x80\x04\x8c\x0bformer_shop\x94\x8c\x03Tin\x94\x93\x94.", id="protocol 4"),
    pytest.param(b"\x80\x04\x8c\x0bformer_shop\x94\x8c\x03Tin\x94\x93\x94h\x00h\x01\x87.", id="its strings again"),
    pytest.param(b"\x80\x02cformer_shop\nTin\nq\x00.", id="protocol 2"),
]


@pytest.mark.parametrize("data", TINS)
def test_a_former_name_of_what_is_load_only_becomes_the_name_of_today(models, data) -> None:
    models.Tin = type("Tin", (), {})
    registry = Registry.parse(REGISTRY)
    with pytest.raises(ModuleNotFoundError):
        pickle.loads(data)
    done = rewrite(data, registry, to="codes")
    assert (done.changed, done.references, done.left) == (1, 1, {})
    assert done.data == to_codes(data, registry)
    assert b"former_models" in done.data
    loaded = pickle.loads(done.data)
    assert loaded in (models.Tin, (models.Tin, "former_shop", "Tin"))
    assert to_codes(done.data, registry) == done.data


def test_it_does_so_beside_names_that_get_a_code(models) -> None:
    models.Tin = type("Tin", (), {})
    registry = Registry.parse(REGISTRY)
    data = b"\x80\x04\x8c\x0bformer_shop\x94\x8c\x05Order\x94\x93\x94h\x00\x8c\x03Tin\x94\x93\x94\x86."
    done = rewrite(data + data, registry, to="codes")
    assert (done.pickles, done.changed, done.references, done.left) == (2, 2, 4, {})
    file = io.BytesIO(done.data)
    assert [pickle.load(file), pickle.load(file)] == [(models.Order, models.Tin)] * 2


def test_what_has_no_code_or_stands_in_an_old_pickle_is_left_as_it_is() -> None:
    registry = Registry.parse(REGISTRY)
    for data, reason in (
        (b"\x80\x04\x8c\x0bformer_shop\x8c\x04Nail\x93.", "no live code"),
        (b"\x80\x04\x8c\x0dformer_models\x8c\x03Tin\x93.", "no live code"),
        (b"cformer_shop\nTin\n.", "no codes below protocol 2"),
        (b"\x80\x04(iformer_shop\nTin\n.", "a former name in an INST"),
    ):
        done = rewrite(data, registry, to="codes")
        assert (done.data, done.left) == (data, {reason: 1})
        assert to_codes(data, registry) == data


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
    assert shown.stderr.count("found says that the name is there, and does not promise that a pickle loads") == 1
    assert not (folder / "imported").exists()
    (folder / "old.pkl").write_bytes(b"\x80\x02cformer_orders\nOrder\n.")
    assert run_extreg("scan", "old.pkl", "--resolve").returncode == 0
    (folder / "old.pkl").write_bytes(b"\x80\x02cnowhere\nThing\n.")
    assert "promise" not in run_extreg("scan", "old.pkl", "--resolve").stderr


UNTOLD = {
    "former_kinds:Made": ("found", None),
    "former_kinds:Unmade": ("gone", "former_kinds has no 'Unmade'"),
    "former_kinds:numbers": ("found", None),  # no pickle would be made of it, and it is there all the same
    "former_exits:X": ("unimportable", "importing former_exits ends the process (exit code 3)"),
    "former_raises:X": ("unimportable", "importing former_raises fails: KeyError: 'no \\x1b[2J'"),
    "former_raises:Y": ("unimportable", "importing former_raises fails: KeyError: 'no \\x1b[2J'"),
    "zlib:compress": ("found", None),
    "former_plain:Bag": ("found", None),
    "former_plain:Bug": ("gone", "former_plain has no 'Bug'"),
}


@pytest.mark.slow
def test_scan_imports_where_the_sources_do_not_tell(run_extreg, registry_file) -> None:
    folder = registry_file.parent
    registry_file.write_text(REGISTRY)
    made = "globals()['M' + 'ade'] = globals()['X' + ''] = "
    (folder / "former_kinds.py").write_text(f"print('heard')\n{made}int\nglobals()['num' + 'bers'] = [1]\n")
    (folder / "former_exits.py").write_text(f"import os\n{made}1\nos._exit(3)")
    (folder / "former_raises.py").write_text(f"{made}1\nglobals()['Y' + ''] = 1\n{{}}['no \x1b[2J']\n")
    (folder / "former_plain.py").write_text("open('imported', 'w')\nclass Bag: pass\n")
    data = b"".join(b"c%s\n%s\n" % tuple(name.encode().split(b":")) for name in UNTOLD)
    (folder / "old.pkl").write_bytes(b"\x80\x03(" + data + b"l.")
    done = run_extreg("scan", "old.pkl", "--import", "--format", "json")
    assert done.returncode == 1
    rows = json.loads(done.stdout)["globals"]
    assert {f"{row['module']}:{row['name']}": (row["today"], row["why"]) for row in rows} == UNTOLD
    shown = run_extreg("scan", "old.pkl", "--import")
    assert shown.returncode == 1
    assert "heard" not in shown.stdout + shown.stderr
    assert "\x1b" not in shown.stderr
    assert [line for line in shown.stderr.splitlines() if line.startswith("unimportable:")] == [
        f"unimportable: {UNTOLD['former_exits:X'][1]}",
        f"unimportable: {UNTOLD['former_raises:X'][1]}",
    ]
    assert not (folder / "imported").exists(), "what the sources tell needs no import"
    untold = run_extreg("scan", "old.pkl", "--resolve", "--format", "json")
    kinds = {f"{row['module']}:{row['name']}": row["today"] for row in json.loads(untold.stdout)["globals"]}
    assert kinds == {name: kind if "plain" in name else "cannot tell" for name, (kind, _) in UNTOLD.items()}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")
def test_scan_says_what_it_is_importing(registry_file) -> None:
    import pty

    folder = registry_file.parent
    registry_file.write_text(REGISTRY)
    (folder / "former_slow.py").write_text("import time\ntime.sleep(2.5)\nglobals()['X' + ''] = 1\n")
    (folder / "old.pkl").write_bytes(b"\x80\x02cformer_slow\nX\n.")
    primary, secondary = pty.openpty()
    command = [sys.executable, "-m", "extreg", "scan", "old.pkl", "--import"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=secondary, text=True, timeout=60)
    os.close(secondary)
    said = b""
    with suppress(OSError):  # the end of it, on Linux
        while chunk := os.read(primary, 1000):
            said += chunk
    os.close(primary)
    assert done.returncode == 0, said
    assert b"\rimporting former_slow, 1 s" in said
    assert said.index(b"\r  ") > said.index(b"importing"), "and takes it away"


@pytest.mark.parametrize("target", OLD)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_names_of_today_take_the_place_of_former_ones(models, protocol, target) -> None:
    data = by_name(target, protocol, models)
    registry = Registry.parse(REGISTRY)
    done = rewrite(data, registry, to="names", renamed=target.startswith("former_older"))
    assert done.changed == (target != "former_models:Order")
    assert not done.refused
    first, kind, text, again = pickle.loads(done.data)
    assert type(first) is kind is (models.Bag if "Bag" in target else models.Order)
    assert (first.n, text, again) == (7, "former_shop", first)
    assert to_names(done.data, registry) == done.data


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_codes_and_former_names_in_one_pickle_become_names(models, protocol) -> None:
    registry = Registry.parse(REGISTRY)
    coded = pickle.dumps([models.Order, models.Order, models.Bag], protocol)
    assert b"former_models" not in coded
    row = by_name("former_shop:Order", protocol, models) + coded + by_name("former_fast:Bag", protocol, models)
    done = rewrite(row, registry, to="names", independent=True)
    assert (done.pickles, done.changed, done.refused) == (3, 3, {})
    file = io.BytesIO(done.data)
    loaded = [pickle.load(file) for _ in range(3)]
    assert [found[1] for found in loaded] == [models.Order, models.Order, models.Bag]
    assert rewrite(rewrite(row, registry, to="codes").data, registry, to="names").changed == 3


def test_operands_that_the_memo_is_asked_for_stay(models) -> None:
    """The module's name is data too, and the operand of a class that has not moved."""
    registry = Registry.parse(REGISTRY)
    data = b"\x80\x04(\x8c\x0bformer_shop\x94\x8c\x05Order\x94\x93\x94h\x00h\x01h\x00h\x01\x93h\x02t."
    done = rewrite(data, registry, to="names")
    assert (done.changed, done.references) == (1, 2)
    assert pickle.loads(done.data) == (models.Order, "former_shop", "Order", models.Order, models.Order)


def test_what_renamed_modules_make_of_a_name_takes_a_wish() -> None:
    registry = Registry.parse(REGISTRY + '"former_box:Box" = "former_older:Box"\n')
    exact = b"\x80\x04\x8c\x0aformer_box\x8c\x03Box\x93."
    assert b"former_older" in to_names(exact, registry)
    assert b"former_shop" in rewrite(exact, registry, to="names", renamed=True).data
    data = b"\x80\x04\x8c\x0cformer_older\x8c\x03Box\x93."
    assert to_names(data, registry) == data
    assert b"former_shop" in rewrite(data, registry, to="names", renamed=True).data
    assert to_names(b"\x80\x04\x8c\x0cformer_older\x8c\x05Order\x93.", registry).count(b"former_models") == 0


def test_a_nested_name_of_today_is_written_as_each_protocol_finds_it() -> None:
    registry = Registry.parse(REGISTRY)
    assert b"cformer_models\nLine\n" in to_names(b"\x80\x02cformer_shop\nPart\n.", registry)
    done = rewrite(b"(iformer_shop\nOrder\n.", registry, to="names")
    assert done.left == {"a former name in an INST": 1}


def test_rewrite_writes_names_of_today_into_files(run_extreg, stored) -> None:
    before = stored.read_bytes()
    assert run_extreg("rewrite", "--to", "names", "old.pkl").returncode == 0
    assert stored.read_bytes() == before  # former_older is a renamed module
    done = run_extreg("rewrite", "--to", "codes", "--renamed", "old.pkl")
    assert (done.returncode, stored.read_bytes()) == (2, before)
    assert run_extreg("rewrite", "--to", "names", "--renamed", "old.pkl").returncode == 0
    shown = run_extreg("scan", "old.pkl").stdout
    assert "former_models:Order\n" in shown
    assert "former_shop:Box\n" in shown
    assert "now" not in shown


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_that_share_a_memo_go_on_sharing_it(models, protocol, monkeypatch) -> None:
    past = types.ModuleType("former_shop")
    past.Order = type("Order", (), {"__module__": "former_shop", "__qualname__": "Order"})
    file = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "former_shop", past)
        pickler = pickle.Pickler(file, protocol)
        item = past.Order()
        pickler.dump([item, "former_shop", models.Bag])
        pickler.dump([item, past.Order, models.Bag, "Order"])
    data = file.getvalue()
    done = rewrite(data, Registry.parse(REGISTRY), to="names")
    unpickler = pickle.Unpickler(io.BytesIO(done.data))
    first, second = unpickler.load(), unpickler.load()
    assert first[0] is second[0]
    assert type(first[0]) is second[1] is models.Order
    assert (first[1:], second[2:]) == (["former_shop", models.Bag], [models.Bag, "Order"])
    assert done.changed == 2
    assert b"former_models" in done.data
