"""Placeholders: old data whose codes are retired can be looked at, and written back as it was."""

import copy
import io
import pickle
import subprocess
import sys

import pytest

import extreg
from extreg.scoped import Pickler, Unpickler

SOURCE = """
class Plain: pass
class Listed(list): pass
class Mapped(dict): pass
class Called:
    def __init__(self, *args): self.args = args
    def __reduce__(self): return Called, self.args, {"state": 1}
class Named:
    def __new__(cls, *args, **kwargs): return object.__new__(cls)
    def __getnewargs_ex__(self): return (1, 2), {"key": 3}
class Slotted:
    __slots__ = ("a", "b")
def function(): pass
"""
NAMES = ("Plain", "Listed", "Mapped", "Called", "Named", "Slotted", "function")
LIVE = extreg.Registry(codes={9000 + number: f"oldshop:{name}" for number, name in enumerate(NAMES)})
RETIRED = extreg.Registry(
    codes={400: "collections:OrderedDict"}, retired=dict(LIVE.codes), moved={9000: ("older:Plain",)}
)


@pytest.fixture
def old(monkeypatch):
    """The module as it was, which nobody has any more when data is loaded."""
    import types

    module = types.ModuleType("oldshop")
    exec(SOURCE, vars(module))
    monkeypatch.setitem(sys.modules, "oldshop", module)
    return module


@pytest.fixture
def data(old, monkeypatch):
    """Return what was dumped of `make(module)` under a protocol, with the module gone."""

    def dumped(make, protocol=4, *, optimize=False):
        monkeypatch.setitem(sys.modules, "oldshop", old)
        made = extreg.dumps(make(old), LIVE, protocol, optimize=optimize)
        monkeypatch.delitem(sys.modules, "oldshop")
        assert b"oldshop" not in made
        return made

    return dumped


def plain(old):
    made = old.Plain()
    made.money, made.itself = [1, 2], made
    return made


def listed(old):
    made = old.Listed([1, 2, 3])
    made.note = "x"
    return made


def mapped(old):
    made = old.Mapped({"a": 1})
    made["itself"] = made
    return made


def slotted(old):
    made = old.Slotted()
    made.a, made.b = 1, 2
    return made


MAKERS = {
    "plain": plain,
    "listed": listed,
    "mapped": mapped,
    "called": lambda old: old.Called(1, "two"),
    "slotted": slotted,
    "many": lambda old: [old.Plain(), {1: old.Plain, 2: old.function}, old.Listed(range(2000)), {old.Plain()}],
}


@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", MAKERS)
def test_what_is_dumped_back_is_what_it_was(data, name, protocol, optimize):
    was = data(MAKERS[name], protocol, optimize=optimize)
    found = extreg.loads(was, RETIRED, retired="placeholder")
    again = extreg.dumps(found, RETIRED, protocol, optimize=optimize)
    assert alike(extreg.loads(again, RETIRED, retired="placeholder"), found, {})
    assert sorted(map(str, extreg.pickles.scan(again).codes)) == sorted(map(str, extreg.pickles.scan(was).codes))
    if optimize or name != "many":  # what is the same object to one pickler is to the other
        assert len(again) == len(was)


def alike(one, other, seen):
    """Tell whether two loads gave the same, however it hangs together."""
    if type(one) is not type(other):
        return False
    kept = hasattr(type(one), "target")
    if kept or isinstance(one, (list, dict, set)):
        if id(one) in seen:
            return seen[id(one)] is other
        seen[id(one)] = other
    if isinstance(one, dict):
        return alike((*one, *one.values()), (*other, *other.values()), seen)
    if isinstance(one, (list, tuple, set)):
        return len(one) == len(other) and all(alike(a, b, seen) for a, b in zip(one, other, strict=True))
    if kept:
        parts = ("made_by", "args", "kwargs", "state", "items")
        return all(alike(getattr(one, part), getattr(other, part), seen) for part in parts)
    return one == other


def test_what_the_pickle_gave_can_be_looked_at(data):
    found = extreg.loads(data(plain), RETIRED, retired="placeholder")
    assert (found.code, found.target, found.made_by, found.args) == (9000, "oldshop:Plain", "newobj", ())
    assert found.state == {"money": [1, 2], "itself": found}
    assert found.state["itself"] is found
    found = extreg.loads(data(MAKERS["called"]), RETIRED, retired="placeholder")
    assert (found.made_by, found.args, found.state) == ("reduce", (1, "two"), {"state": 1})
    found = extreg.loads(data(listed), RETIRED, retired="placeholder")
    assert (found.items.appended, found.items.pairs, found.state) == ([1, 2, 3], [], {"note": "x"})
    found = extreg.loads(data(mapped), RETIRED, retired="placeholder")
    assert found.items.pairs == [("a", 1), ("itself", found)]
    found = extreg.loads(data(slotted), RETIRED, retired="placeholder")
    assert found.state == (None, {"a": 1, "b": 2})
    kind = extreg.loads(data(lambda old: old.function), RETIRED, retired="placeholder")
    assert (kind.code, kind.target) == (9006, "oldshop:function")
    assert "9006" in repr(kind)
    assert "oldshop:function" in repr(kind)


def test_arguments_with_names_are_written_from_protocol_4_on(data):
    was = data(lambda old: old.Named())
    found = extreg.loads(was, RETIRED, retired="placeholder")
    assert (found.args, found.kwargs) == ((1, 2), {"key": 3})
    assert extreg.dumps(found, RETIRED, 4) == was
    with pytest.raises(pickle.PicklingError, match="protocol 3"):
        extreg.dumps(found, RETIRED, 3)


def test_an_object_as_protocols_0_and_1_make_it():
    # copyreg._reconstructor(code 9000, object, None), then a BUILD; by hand, since these protocols write no codes.
    was = b"\x80\x02ccopyreg\n_reconstructor\n\x83\x28\x23cbuiltins\nobject\nN\x87R}X\x01\x00\x00\x00aK\x01sb."
    found = extreg.loads(was, RETIRED, retired="placeholder")
    assert (found.made_by, found.args, found.state) == ("reconstructor", (object, None), {"a": 1})
    again = extreg.loads(extreg.dumps(found, RETIRED, 2), RETIRED, retired="placeholder")
    assert (again.made_by, again.args, again.state) == ("reconstructor", (object, None), {"a": 1})


@pytest.mark.parametrize("check", ["before", "each"])
def test_they_are_for_those_who_ask_and_permit_nothing_else(data, check):
    was = data(plain)
    for loads in (extreg.loads, lambda data, *a, **k: extreg.load(io.BytesIO(data), *a, **k)):
        with pytest.raises(extreg.ForbiddenGlobalError, match="code 9000, retired"):
            loads(was, RETIRED, check=check)
        assert loads(was, RETIRED, check=check, retired="placeholder").code == 9000
        with pytest.raises(ValueError, match="retired is 'refuse' or 'placeholder', not 'ignore'"):
            loads(was, RETIRED, check=check, retired="ignore")
    for name in (b"os\nsystem", b"oldshop\nPlain", b"older\nPlain", b"extreg.scoped.placeholders\nreplace"):
        with pytest.raises(extreg.ForbiddenGlobalError):
            extreg.loads(b"\x80\x03c%s\n." % name, RETIRED, check=check, retired="placeholder")


def test_a_type_cannot_be_changed_by_a_pickle(data):
    kind = extreg.loads(data(lambda old: old.Plain), RETIRED, retired="placeholder")
    before = dict(vars(kind))
    for after in (b"}X\x01\x00\x00\x00aK\x01sb.", b"K\x01a.", b"K\x01K\x02s.", b"N}X\x04\x00\x00\x00codeK\x01s\x86b."):
        with pytest.raises((TypeError, AttributeError, pickle.UnpicklingError)):
            extreg.loads(b"\x80\x04\x83\x28\x23" + after, RETIRED, retired="placeholder")
    with pytest.raises(AttributeError, match="cannot be changed"):
        kind.code = 1
    assert dict(vars(kind)) == before


def test_objects_are_told_by_identity_and_can_be_keys(data):
    one, other = (extreg.loads(data(lambda old: old.Plain()), RETIRED, retired="placeholder") for _ in range(2))
    assert type(one) is type(other)
    assert one != other
    assert len({one, other}) == 2
    assert copy.deepcopy(one).code == one.code


def test_two_registries_with_another_target_for_the_code_have_two_types(data):
    was = data(plain)
    second = extreg.Registry(retired={9000: "other:Thing"})
    one, other = (extreg.loads(was, registry, retired="placeholder") for registry in (RETIRED, second))
    assert (one.target, other.target) == ("oldshop:Plain", "other:Thing")


def test_pickle_itself_does_not_dump_one(data):
    found = extreg.loads(data(plain), RETIRED, retired="placeholder")
    for dumps in (pickle.dumps, pickle._dumps):
        with pytest.raises(pickle.PicklingError, match=r"dumped by extreg\.dumps and nothing else"):
            dumps([found])
    with pytest.raises(pickle.PicklingError, match="protocol 1"):
        extreg.dumps(found, RETIRED, 1)


@pytest.mark.parametrize("share_memo", [False, True])
def test_the_classes_of_scoped_use_take_it_too(data, share_memo):
    was = data(plain)
    found = Unpickler(io.BytesIO(was), RETIRED, retired="placeholder", share_memo=share_memo).load()
    file = io.BytesIO()
    Pickler(file, RETIRED, 4).dump(found)
    again = extreg.loads(file.getvalue(), RETIRED, retired="placeholder")
    assert alike(again, found, {})


def test_what_one_process_writes_back_another_reads(data, tmp_path):
    was = data(plain)
    registry = tmp_path / "registry.toml"
    registry.write_text('format = 1\n\n[retired]\n9000 = "oldshop:Plain"\n')
    program = (
        "import sys, extreg\n"
        f"registry = extreg.Registry.load({str(registry)!r})\n"
        "found = extreg.loads(sys.stdin.buffer.read(), registry, retired='placeholder')\n"
        "sys.stdout.buffer.write(extreg.dumps(found, registry, 4))\n"
    )
    again = subprocess.run([sys.executable, "-c", program], input=was, capture_output=True, check=True).stdout
    assert subprocess.run([sys.executable, "-c", program], input=again, capture_output=True, check=True).stdout == again
    assert alike(*(extreg.loads(each, RETIRED, retired="placeholder") for each in (again, was)), {})
