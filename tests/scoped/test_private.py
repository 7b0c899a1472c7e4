"""The private instance of pickle's C module: what it writes and reads, and that nobody else sees it."""

import collections
import copyreg
import datetime
import importlib
import io
import os
import pickle
import sys
import threading
from functools import partial

import pytest

import extreg
from extreg.errors import ForbiddenGlobalError
from extreg.registry.model import Registry
from extreg.scoped import Pickler, Unpickler, private
from extreg.scoped.permits import permits_of

REGISTRY = Registry(codes={7: "datetime:date", 300: "collections:OrderedDict", 70_000: "datetime:timedelta"})
VALUE = [datetime.date(2020, 1, 2), collections.OrderedDict(a=datetime.timedelta(1)), "text", 2.5]

pytestmark = pytest.mark.skipif(private.bare() is None, reason="this Python gives no private instance")


@pytest.mark.parametrize("protocol", range(6))
def test_it_writes_what_pickle_writes_with_the_codes_installed(protocol):
    data = extreg.dumps(VALUE, REGISTRY, protocol)
    for code, target in REGISTRY.codes.items():
        copyreg.add_extension(*target.split(":"), code)
    assert data == pickle.dumps(VALUE, protocol) == extreg.dumps(VALUE, REGISTRY, protocol)


def test_other_codes_that_are_installed_do_not_show():
    copyreg.add_extension("datetime", "date", 9)
    for optimize in (False, True):
        for protocol in range(6):
            assert b"\x82\x09" not in extreg.dumps(VALUE, REGISTRY, protocol, optimize=optimize)
            assert b"\x82\x09" not in extreg.dumps(VALUE, Registry(), protocol, optimize=optimize)
    with pytest.raises(ForbiddenGlobalError):
        extreg.loads(b"\x80\x02\x82\x09.", REGISTRY, check="each")


def test_protocol_2_has_python_2_s_names_and_no_nested_ones():
    registry = Registry(codes={7: "dbm:open", 8: "collections:OrderedDict", 9: "collections:Counter.update"})
    import dbm

    assert extreg.dumps(dbm.open, registry, 2) == pickle.dumps(dbm.open, 2)
    assert b"\x82\x07" in extreg.dumps(dbm.open, registry, 3)
    assert b"\x82\x08" in extreg.dumps(collections.OrderedDict, registry, 2)
    assert b"\x82\x08" not in extreg.dumps(collections.OrderedDict, registry, 2, fix_imports=False)
    for protocol in (2, 3):
        assert b"\x82\x09" not in extreg.dumps(collections.Counter.update, registry, protocol)
    assert b"\x82\x09" in extreg.dumps(collections.Counter.update, registry, 4)


@pytest.mark.parametrize("optimize", [False, True])
def test_errors_are_pickle_s_own_with_their_notes(optimize):
    with pytest.raises((pickle.PicklingError, AttributeError)) as own:
        pickle.dumps([lambda: 0])
    with pytest.raises((pickle.PicklingError, AttributeError)) as caught:
        extreg.dumps([lambda: 0], REGISTRY, optimize=optimize)
    assert caught.type is own.type
    assert len(getattr(caught.value, "__notes__", ())) == len(getattr(own.value, "__notes__", ()))
    assert type(caught.value.__cause__) is type(own.value.__cause__)

    class Liar:
        def __reduce__(self):
            return 7

    with pytest.raises(pickle.PicklingError):
        extreg.dumps(Liar(), REGISTRY, optimize=optimize)


@pytest.mark.parametrize("check", ["before", "each"])
def test_what_an_unpickler_says_is_pickle_s_own(check):
    with pytest.raises(pickle.UnpicklingError):
        extreg.loads(b"\x80\x04K\x01Q.", REGISTRY, check=check)
    with pytest.raises(pickle.UnpicklingError):
        extreg.loads(b"\x80\x040.", REGISTRY, check=check)


@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("protocol", range(6))
def test_a_pickler_writes_what_dumps_writes(protocol, optimize):
    """Whatever is installed."""
    copyreg.add_extension("datetime", "date", 9)
    file = io.BytesIO()
    pickler = Pickler(file, REGISTRY, protocol, optimize=optimize)
    for _ in range(2):
        pickler.dump(VALUE)
    assert file.getvalue() == 2 * extreg.dumps(VALUE, REGISTRY, protocol, optimize=optimize)


def test_a_pickler_s_hooks_and_table_are_asked():
    class Mine(Pickler):
        dispatch_table = copyreg.dispatch_table | {complex: lambda value: (complex, (value.imag, value.real))}

        def persistent_id(self, obj):
            return "two" if obj == 2.5 else None

        def reducer_override(self, obj):
            return "VALUE" if obj is REGISTRY else NotImplemented

    class Its(Unpickler):
        def persistent_load(self, pid):
            return pid

    registry = Registry(codes={**REGISTRY.codes, 9: f"{__name__}:VALUE"})
    file = io.BytesIO()
    pickler = Mine(file, registry)
    assert isinstance(pickler, pickle.Pickler)
    pickler.dump([2.5, 1j, datetime.date(2020, 1, 1)])
    for check in ("before", "each"):
        file.seek(0)
        assert Its(file, registry, check=check).load() == ["two", 1 + 0j, datetime.date(2020, 1, 1)]
    with pytest.raises(pickle.PicklingError):
        pickler.dump(REGISTRY)  # it is not the object of that name
    pickler.dump(1)
    assert pickle.loads(file.getvalue()[file.getvalue().rindex(b"\x80") :]) == 1


def test_a_poisoned_cache_is_not_asked():
    registry = Registry(codes=dict(REGISTRY.codes))
    for code in registry.codes:
        copyreg._extension_cache[code] = os.system
        copyreg._inverted_registry[code] = ("os", "system")
    data = extreg.dumps(VALUE, registry)
    for _ in range(100):
        assert extreg.loads(data, registry) == extreg.loads(data, registry, check="each") == VALUE
    assert permits_of(registry).quick is not None
    assert set(copyreg._extension_cache.values()) == {os.system}


@pytest.mark.parametrize("times", [1, 100])
@pytest.mark.parametrize("check", ["before", "each"])
def test_a_class_that_was_reloaded_is_the_new_one(times, check, tmp_path, monkeypatch):
    (tmp_path / "reloaded.py").write_text("class Thing:\n    class Inner:\n        pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("reloaded")
    registry = Registry(codes={7: "reloaded:Thing", 8: "reloaded:Thing.Inner"})
    try:
        for _ in range(3):
            data = extreg.dumps([module.Thing, module.Thing.Inner], registry)
            assert b"\x82\x07" in data
            assert b"\x82\x08" in data
            one = extreg.dumps(module.Thing, registry)
            for _ in range(times):
                assert extreg.loads(one, registry, check=check) is module.Thing
                assert extreg.loads(data, registry, check=check) == [module.Thing, module.Thing.Inner]
            importlib.reload(module)
    finally:
        del sys.modules["reloaded"]


def test_many_classes_are_loaded(monkeypatch):
    names = [name for name in dir(collections.abc) if name[0].isupper()]
    registry = Registry(codes={300 + n: f"collections.abc:{name}" for n, name in enumerate(names)})
    values = [getattr(collections.abc, name) for name in names]
    assert len(values) > 20
    data = b"\x80\x04](" + b"".join(b"\x83%s" % code.to_bytes(2, "little") for code in registry.codes) + b"e."
    for _ in range(100):
        assert extreg.loads(data, registry) == values


def test_no_name_poses_as_the_module_of_the_codes():
    from extreg.scoped.confined import _CODES

    for module in (_CODES, _CODES + "", " "):
        for check in ("before", "each"):
            with pytest.raises(ForbiddenGlobalError):
                extreg.loads(f"\x80\x04c{module}\n300\n.".encode("latin1"), REGISTRY, check=check)


@pytest.mark.parametrize("check", ["before", "each"])
def test_all_offenders_are_named(check):
    data = b"\x80\x04cos\nsystem\n0\x82\x63\x30cposix\nremove\n."
    with pytest.raises(ForbiddenGlobalError) as caught:
        extreg.loads(data, REGISTRY, check=check)
    assert [offender.what for offender in caught.value.offenders] == ["os:system", "code 99", "posix:remove"]


def test_each_calls_what_is_permitted_before_a_refusal_and_before_does_not():
    day = b"cdatetime\ndate\n(M\xe4\x07K\x01K\x02tR0"
    made = []
    registry = Registry(codes={7: f"{__name__}:noted"})
    globals()["noted"] = lambda: made.append(1)
    data = f"\x80\x03c{__name__}\nnoted\n)R0cos\nsystem\n.".encode("latin1")
    for check, calls in (("before", []), ("each", [1])):
        with pytest.raises(ForbiddenGlobalError):
            extreg.loads(data, registry, check=check)
        assert made == calls
    del globals()["noted"]
    assert extreg.loads(b"\x80\x03" + day + b"N.", REGISTRY) is None


@pytest.mark.parametrize("seconds", [1, pytest.param(60, marks=pytest.mark.soak)])
def test_threads_see_copyreg_unchanged(seconds, tmp_path, monkeypatch):
    """Threads dump, load and make instances at the smallest switch interval; one reloads a module, another looks."""
    (tmp_path / "again.py").write_text("class Thing:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("again")
    tables = (copyreg._extension_registry, copyreg._inverted_registry, copyreg._extension_cache)
    before, until, problems = [dict(table) for table in tables], threading.Event(), []
    rounds = dict.fromkeys(("dumped", "reloaded", "looked"), 0)

    def work(number):
        lasting = registry_of(number)
        while not until.is_set():
            for registry in (lasting, registry_of(number)):
                try:
                    data = extreg.dumps([module.Thing, *VALUE], registry)
                except pickle.PicklingError:
                    continue  # it has been reloaded since it was asked for
                for check in ("before", "each"):
                    thing, *rest = extreg.loads(data, registry, check=check)
                    if rest != VALUE or thing.__name__ != "Thing":
                        problems.append(data)
                rounds["dumped"] += 1

    def reload():
        while not until.is_set():
            importlib.reload(module)
            rounds["reloaded"] += 1

    def look():
        modules = sys.modules
        while not until.is_set():
            rounds["looked"] += 1
            if modules["copyreg"] is not copyreg:
                problems.append("the stand-in was seen")

    try:
        at_once([reload, look, *(partial(work, number) for number in range(1, 9))], until, seconds)
    finally:
        del sys.modules["again"]
    print(rounds)
    assert problems == []
    assert min(rounds.values()) > 0
    assert [dict(table) for table in tables] == before


def at_once(works, until, seconds):
    """Run `works` in threads at the smallest switch interval, and set `until` after so many seconds."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=work) for work in works]
    try:
        for thread in threads:
            thread.start()
        until.wait(seconds)
    finally:
        until.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)


def registry_of(number):
    """Return a registry with codes of its own."""
    codes = {number * 1000 + code % 1000 + 1: target for code, target in ROWS}
    return Registry(codes={**codes, number: "again:Thing"})


ROWS = list(REGISTRY.codes.items())


def test_an_import_function_in_python_is_no_peril(monkeypatch):
    """It would run while the stand-in is there; so there is no instance made."""
    import builtins

    real = builtins.__import__
    seen = []

    def watching(name, *arguments, **options):
        seen.append(sys.modules["copyreg"])
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", watching)
    assert private.instance({}, {}) is None
    registry = Registry(codes=dict(REGISTRY.codes))
    assert extreg.loads(extreg.dumps(VALUE, registry), registry) == VALUE
    assert set(seen) <= {copyreg}
