"""A failure at any single step of install leaves copyreg as it was."""

import copyreg
import sys
import threading

import pytest

import extreg
from extreg.startup import ledger

# A failure injected between opening a file and entering its `with` leaves the closing to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

FILE = """
[codes]
240 = "collections:OrderedDict"
500 = "decimal:Decimal"
600 = "mine:Already"
[load-only]
501 = "fractions:Fraction"
[retired]
502 = "old:Thing"
"""


class Injected(BaseException):
    """Raised at a chosen step; not an Exception, as KeyboardInterrupt is not."""


def fail_at(step: int):
    """Return a trace function that raises at the `step`-th line run in extreg's start-up modules."""
    seen = 0

    def trace(frame, event, _):
        nonlocal seen
        name = frame.f_globals.get("__name__", "")
        if not name.startswith("extreg.startup"):
            return None
        if event == "line":
            seen += 1
            if seen == step:
                sys.settrace(None)
                raise Injected(f"{name}:{frame.f_lineno}")
        return trace

    return trace


def state():
    tables = (copyreg._extension_registry, copyreg._inverted_registry, copyreg._extension_cache)
    return [dict(table) for table in tables], ledger.owners, dict(ledger.outside.live), dict(ledger.stand.inverted)


def locked() -> bool:
    """Whether another thread would have to wait for the ledger."""
    answer = []

    def try_it():
        if free := ledger.lock.acquire(blocking=False):
            ledger.lock.release()
        answer.append(not free)

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join()
    return answer[0]


def every_step(action, *done):
    """Run `action` with a failure at its first line, at its second, and so on until it succeeds.

    Each failure must leave the state as it was, or as one of those in `done`; returns how many were tried.
    """
    before = state()
    step = 0
    while True:
        step += 1
        previous = sys.gettrace()
        sys.settrace(fail_at(step))
        try:
            action()
        except Injected as error:
            assert state() in (before, *done), f"step {step} at {error}"
            assert not locked(), f"step {step} at {error} left the lock behind"
        else:
            return step - 1
        finally:
            sys.settrace(previous)


@pytest.mark.parametrize("policy", ["error", "replace", "keep"])
def test_install_interrupted_at_any_line_leaves_copyreg_as_it_was(write, policy):
    path = write(FILE)
    copyreg.add_extension("mine", "Already", 600)
    copyreg.add_extension("mine", "Other", 601)
    if policy != "error":
        copyreg.add_extension("someone", "Else", 240)
    copyreg._extension_cache[601] = "cached"
    copyreg._extension_cache[240] = "stale"
    steps = every_step(lambda: extreg.install(path, on_conflict=policy))
    assert steps > 80  # a trace that never fires would prove nothing
    assert copyreg._extension_registry["decimal", "Decimal"] == 500


def test_uninstall_interrupted_at_any_line_takes_out_all_rows_or_none(write):
    nothing = state()
    installation = extreg.install(write(FILE))
    steps = every_step(installation.uninstall, nothing)
    assert steps > 40
    assert state() == nothing


def test_a_second_install_interrupted_at_any_line_leaves_the_first(write):
    extreg.install(write(FILE))
    other = write(
        '[codes]\n240 = "collections:OrderedDict"\n700 = "x:Y"\n[load-only]\n500 = "decimal:Decimal"', "b.toml"
    )
    assert every_step(lambda: extreg.install(other)) > 80
    assert copyreg._inverted_registry[700] == ("x", "Y")


def test_a_live_row_is_never_without_its_inverse(write):
    """At no line of install, take-over and uninstall does a row stand in `_extension_registry` alone."""
    copyreg.add_extension("someone", "Else", 240)
    lines = 0

    def trace(frame, event, _):
        nonlocal lines
        if not frame.f_globals.get("__name__", "").startswith("extreg.startup"):
            return None
        lines += 1
        for key, code in copyreg._extension_registry.items():
            assert copyreg._inverted_registry.get(code) == key
        return trace

    path = write(FILE)
    sys.settrace(trace)
    try:
        extreg.install(path, on_conflict="replace").uninstall()
    finally:
        sys.settrace(None)
    assert lines > 100
    assert copyreg._extension_registry == {("someone", "Else"): 240}


def test_another_thread_sees_all_the_codes_or_none(write):
    rows = "\n".join(f'{code} = "m:C{code}"' for code in range(1000, 4000))
    path = write(f"[codes]\n{rows}")
    stop = threading.Event()
    bad = []
    looked = 0

    def look():
        nonlocal looked
        while not stop.is_set():
            live = len(copyreg._extension_registry.copy())
            looked += 1
            if live not in (0, 3000):
                bad.append(live)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=look)
    thread.start()
    try:
        layers = extreg.Registry.load(path)
        for _ in range(20):
            extreg.install(layers)
            copyreg._extension_registry.clear()
            copyreg._inverted_registry.clear()
            extreg.uninstall()
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert looked > 20
    assert bad == []
