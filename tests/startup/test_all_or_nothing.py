"""Other threads see all the rows or none, and never one that could be dumped and not be loaded."""

import copyreg
import sys
import threading

import extreg

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
