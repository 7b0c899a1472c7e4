"""A failure at any line or call of what changes copyreg leaves it as it was, or as it should be, and no lock taken."""

import collections
import copyreg
import gc
import os
import signal
import sys

import pytest

import extreg
from extreg.ledger import INSTALLED, ledger
from extreg.ledger import locked as under

from .interrupting import comparable, every_step, locked, state

# A failure injected between opening a file and entering its `with` leaves the closing to the garbage collector.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.skipif(sys.implementation.name != "cpython", reason="PyPy traces other lines, and its own modules"),
]

FILE = """
[codes]
240 = "collections:OrderedDict"
500 = "decimal:Decimal"
[load-only]
501 = "fractions:Fraction"
[retired]
502 = "old:Thing"
"""
REDUCERS = '[reducers]\n"reducible:One" = "reducible:reduce_one"\n"reducible:Two" = "reducible:reduce_two"\n'
OTHERS = '[reducers]\n"reducible:One" = "reducible:reduce_two"\n"later:Never" = "later:reduce"\n'
MODULE = """
class One: pass
class Two: pass
def reduce_one(obj): return One, ()
def reduce_two(obj): return Two, ()
"""


@pytest.fixture(autouse=True)
def collected():
    """What a test left to the garbage collector goes here, where its warnings are expected, and not in another test."""
    yield
    gc.collect()


@pytest.fixture
def reducible(tmp_path, monkeypatch):
    (tmp_path / "reducible.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("reducible")
    del sys.modules["reducible"]


def nothing():
    pass


def quickly(steps, least):
    tried, late = steps
    assert tried >= least  # a trace that never fires would prove nothing
    return late


@pytest.mark.parametrize("policy", ["error", "replace", "keep"])
def test_install(write, policy):
    path = write(FILE)
    copyreg.add_extension("mine", "Other", 601)
    copyreg._extension_cache[601] = "cached"
    if policy != "error":
        copyreg.add_extension("someone", "Else", 240)
    late = quickly(
        every_step(nothing, lambda: extreg.install(path, on_conflict=policy), extreg.uninstall, may_be_done=False), 100
    )
    assert late == 0
    assert copyreg._extension_cache == {601: "cached"}


def test_a_refused_install(write):
    path = write(FILE)
    copyreg.add_extension("someone", "Else", 240)

    def refused():
        with pytest.raises(extreg.ConflictError):
            extreg.install(path)

    quickly(every_step(nothing, refused, extreg.uninstall, may_be_done=False), 100)


def test_the_first_install_of_a_process(write):
    """The quiet case, which has code of its own."""
    path = write(FILE)

    def action():
        sys.modules.pop("extreg.startup.changes", None)
        extreg.install(path)

    kept = {name: sys.modules[name] for name in ("extreg.startup.changes", "extreg.ledger.clearing")}
    try:
        sys.modules.pop("extreg.ledger.clearing")
        installation = every_step(nothing, action, extreg.uninstall, may_be_done=False)
        quickly(installation, 30)
    finally:
        sys.modules.update(kept)


@pytest.mark.parametrize("watch", [False, True])
def test_a_second_install_of_the_same_file(write, watch):
    """No count too many."""
    path = write(FILE)
    late = quickly(
        every_step(
            lambda: extreg.install(path),
            lambda: extreg.install(path, watch_reloads=watch),
            extreg.uninstall,
            may_be_done=False,
        ),
        20,
    )
    assert late == 0


def test_an_install_beside_another(write):
    path = write(FILE)
    other = write(
        '[codes]\n240 = "collections:OrderedDict"\n700 = "x:Y"\n[load-only]\n500 = "decimal:Decimal"', "b.toml"
    )
    prepare = lambda: extreg.install(path)  # noqa: E731
    quickly(every_step(prepare, lambda: extreg.install(other), extreg.uninstall, may_be_done=False), 100)


def test_install_with_a_watch(write):
    path = write(FILE)
    quickly(
        every_step(nothing, lambda: extreg.install(path, watch_reloads=True), extreg.uninstall, may_be_done=False), 100
    )


@pytest.mark.usefixtures("reducible")
def test_install_with_reducers(write):
    path = write(FILE + REDUCERS)
    late = quickly(every_step(nothing, lambda: extreg.install(path), extreg.uninstall, may_be_done=False), 250)
    assert late == 0


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.usefixtures("reducible")
def test_uninstall(write, times):
    path = write(FILE + REDUCERS)

    def prepare():
        for _ in range(times):
            extreg.install(path, watch_reloads=True)

    quickly(
        every_step(prepare, lambda: INSTALLED[0].uninstall(), extreg.uninstall, may_be_done=True),
        10 if times > 1 else 90,
    )


def test_uninstall_of_all(write):
    paths = write(FILE), write('[codes]\n700 = "x:Y"', "b.toml")

    def prepare():
        for path in paths:
            extreg.install(path)

    quickly(every_step(prepare, extreg.uninstall, extreg.uninstall, may_be_done=True), 60)


RELOADS = {
    "rows": (FILE, FILE.replace("500", "503") + "[reducers]\n"),
    "reducers": (FILE + REDUCERS, FILE + OTHERS),
    "reducers that come": (FILE, FILE + REDUCERS),
    "reducers that go": (FILE + REDUCERS, FILE.replace("500", "503")),
}


@pytest.mark.parametrize("change", RELOADS)
@pytest.mark.parametrize("watch", [False, True])
@pytest.mark.usefixtures("reducible")
def test_reload(write, change, watch):
    old, new = RELOADS[change]
    path = write(old)

    def prepare():
        write(old)
        extreg.install(path, watch_reloads=watch)
        write(new)

    quickly(every_step(prepare, extreg.reload, extreg.uninstall, may_be_done=True), 150)


def test_a_reload_that_is_refused(write):
    path = write(FILE)
    copyreg.add_extension("someone", "Else", 700)

    def prepare():
        write(FILE)
        extreg.install(path)
        write(FILE + '\n[reducers]\n"collections:NoSuchClass" = "collections:Counter"\n')

    def refused():
        with pytest.raises(extreg.ExtregError):
            extreg.reload()

    quickly(every_step(prepare, refused, extreg.uninstall, may_be_done=False), 150)


@pytest.mark.parametrize("policy", ["error", "replace", "keep"])
def test_a_reducer(reducible, policy):
    kept = []
    if policy != "error":
        copyreg.dispatch_table[reducible.One] = reducible.reduce_two

    def register():
        kept.append(extreg.reduce.register(reducible.One, reducible.reduce_one, on_conflict=policy))

    def undo():
        while kept:
            kept.pop().undo()

    try:
        assert quickly(every_step(nothing, register, undo, may_be_done=False), 20) == 0
        quickly(every_step(register, lambda: kept[0].undo(), undo, may_be_done=True), 5)
    finally:
        copyreg.dispatch_table.pop(reducible.One, None)


def test_a_first_use_of_a_reducer(reducible):
    kept = []

    def register():
        kept.append(extreg.reduce.register(reducible.One, reducible.reduce_one))

    def undo():
        while kept:
            kept.pop().undo()

    use = lambda: copyreg.dispatch_table[reducible.One](reducible.One())  # noqa: E731
    quickly(every_step(register, use, undo, may_be_done=True), 10)


def test_a_watch_of_imports():
    from extreg.importhook import watch

    kept = []

    def undo():
        while kept:
            kept.pop()()

    begin = lambda: kept.append(watch(modules={"nothing"}))  # noqa: E731
    assert quickly(every_step(nothing, begin, undo, may_be_done=False), 10) == 0
    quickly(every_step(begin, lambda: kept[0](), undo, may_be_done=True), 5)


def test_what_was_evicted_does_not_come_back(write):
    """Between the look at the cache and the undoing somebody may have reloaded a module."""

    class Replaced:
        pass

    copyreg.add_extension("collections", "OrderedDict", 300)
    copyreg.add_extension("decimal", "Decimal", 301)
    decimal = __import__("decimal")
    copyreg._extension_cache.update({300: Replaced, 301: decimal.Decimal})
    path = write('[codes]\n300 = "x:Y"\n301 = "x:Z"')

    def broken(codes):
        raise KeyboardInterrupt

    with extreg.on_clear(broken), pytest.raises(KeyboardInterrupt):
        extreg.install(path, on_conflict="replace")
    assert copyreg._inverted_registry == {300: ("collections", "OrderedDict"), 301: ("decimal", "Decimal")}
    assert copyreg._extension_cache.get(300, collections.OrderedDict) is collections.OrderedDict
    assert copyreg._extension_cache.get(301, decimal.Decimal) is decimal.Decimal


@pytest.mark.parametrize("event", ["a callback fails", "an interrupt comes"])
def test_a_class_that_a_reload_replaced_meanwhile_is_not_served_again(write, tmp_path, monkeypatch, event):
    """While the callback runs, which is outside every lock, the module of another code is reloaded."""
    (tmp_path / "renewed.py").write_text("class Thing: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    renewed = __import__("renewed")
    extreg.install(write('[codes]\n300 = "renewed:Thing"'), watch_reloads=True)
    copyreg._extension_cache[300] = renewed.Thing

    def meanwhile(codes):
        if 700 in codes:
            __import__("importlib").reload(renewed)
            raise LookupError if event == "a callback fails" else KeyboardInterrupt

    try:
        with extreg.on_clear(meanwhile), pytest.raises((extreg.CallbackError, KeyboardInterrupt)):
            extreg.install(write('[codes]\n700 = "x:Y"', "b.toml"))
        assert copyreg._extension_cache.get(300, renewed.Thing) is renewed.Thing
        assert 700 not in copyreg._inverted_registry
    finally:
        extreg.uninstall()
        del sys.modules["renewed"]


def timed_interrupts(write, count):
    """Interrupt a whole life, with reducers and watches, by a timer; return how many interrupts came."""
    path, other = write(FILE + REDUCERS), write('[codes]\n700 = "x:Y"', "b.toml")
    clean = comparable(state())
    came = 0

    def life():
        extreg.install(path, watch_reloads=True)
        extreg.install(path)
        extreg.install(other, on_conflict="replace")
        write(FILE + OTHERS)
        extreg.reload()
        write(FILE + REDUCERS)
        extreg.uninstall()

    def interrupt(*_):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        for number in range(count):
            try:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 1e-6 + (number % 997) * 1e-5)
                    life()
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                came += 1
            write(FILE + REDUCERS)
            assert locked() == []
            counts = [entry._count for entry in INSTALLED]
            assert len(counts) == len(ledger.owners)
            assert all(counts)
            extreg.uninstall()
            assert comparable(state()) == clean, number
    finally:
        signal.signal(signal.SIGALRM, previous)
    return came


needs_timers = pytest.mark.skipif(not hasattr(os, "fork"), reason="timers of POSIX")


@needs_timers
@pytest.mark.usefixtures("reducible")
def test_a_timer_may_interrupt_anything(write):
    assert timed_interrupts(write, 200) > 50


@needs_timers
@pytest.mark.soak
@pytest.mark.usefixtures("reducible")
def test_a_timer_may_interrupt_anything_soak(write):
    print(timed_interrupts(write, 20_000))


class LateLock:
    """A lock that a signal interrupts when it has been taken and its block has not begun, as from CPython 3.14 on."""

    def __init__(self):
        self.taken = 0

    def __enter__(self):
        self.taken += 1
        raise KeyboardInterrupt

    def __exit__(self, *_):
        self.release()

    def release(self):
        self.taken -= 1

    def _recursion_count(self):
        return self.taken


@pytest.mark.parametrize("depth", [0, 1])
def test_a_lock_is_released_where_a_signal_comes_before_its_block(depth):
    """As often as it was taken, and no oftener: whoever holds it further up goes on to do so."""
    lock = LateLock()
    lock.taken = depth
    with pytest.raises(KeyboardInterrupt):
        under(lock, nothing)
    assert lock.taken == depth
