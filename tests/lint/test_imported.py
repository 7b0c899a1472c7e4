"""lint --import: user code may do to its process what it likes."""

import os
import sys
import time
from pathlib import Path

import pytest

from extreg.targets.child import import_answers

pytestmark = pytest.mark.slow

ORDER = "class Order:\n    pass\n"


@pytest.fixture
def ask(tmp_path: Path):
    def ask(*targets: str, seconds: float = 30.0, **modules: str):
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(text)
        return import_answers(targets, [str(tmp_path), *sys.path], seconds=seconds)

    return ask


@pytest.mark.parametrize(
    ("trouble", "detail"),
    [
        ("import os\nos._exit(3)", "ends the process (exit code 3)"),
        ("import os\nos.abort()", "ends the process (signal SIGABRT)"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "ends the process (signal SIGKILL)"),
        ("raise SystemExit(4)", "fails: SystemExit: 4"),
        ("raise KeyboardInterrupt", "fails: KeyboardInterrupt"),
        ("import os\nos.closerange(0, 50)\nos._exit(0)", "ends the process"),
        ("def f():\n    f()\nf()", "fails: RecursionError"),
    ],
)
def test_a_module_that_ends_its_process_harms_its_own_targets_only(ask, trouble: str, detail: str) -> None:
    found = ask("bad:X", "bad:Y", "a_good:Order", "z_good:Order", bad=trouble, a_good=ORDER, z_good=ORDER)
    assert found["a_good:Order"].kind == found["z_good:Order"].kind == "found"
    assert {found["bad:X"].kind, found["bad:Y"].kind} == {"unimportable"}
    assert detail in found["bad:X"].detail


def test_a_module_that_hangs_is_ended_with_what_it_started(ask, tmp_path: Path) -> None:
    start = time.monotonic()
    hang = "import subprocess, sys, time\n" + (
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    found = ask("hang:X", "z_good:Order", hang=hang, z_good=ORDER, seconds=5.0)
    assert "hangs for more than 5 seconds" in found["hang:X"].detail
    assert found["z_good:Order"].kind == "found"
    assert time.monotonic() - start < 60
    if sys.platform == "linux":
        status = Path(f"/proc/{(tmp_path / 'pid').read_text()}/stat")
        assert not status.exists() or status.read_text().split(")")[1].split()[0] == "Z"


def test_what_a_module_prints_does_not_mix_with_the_answers(ask) -> None:
    noise = "import os, sys\nprint('[]')\nos.write(1, b'[\"answer\"]\\n')\nsys.stderr.write('x' * 200000)\n" + ORDER
    assert ask("noisy:Order", noisy=noise)["noisy:Order"].kind == "found"


def test_a_module_that_reads_input_gets_none(ask) -> None:
    assert "EOFError" in ask("reads:X", reads="input()")["reads:X"].detail


def test_threads_and_exit_handlers_are_not_waited_for(ask) -> None:
    slow = "import atexit, threading, time\nthreading.Thread(target=time.sleep, args=(300,)).start()\n"
    slow += "atexit.register(time.sleep, 300)\n" + ORDER
    start = time.monotonic()
    assert ask("slow:Order", slow=slow)["slow:Order"].kind == "found"
    assert time.monotonic() - start < 60


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (ORDER, "found"),
        ("def Order(): pass", "found"),
        ("Order = dict", "reexported"),
        ("Order = 5", "unpicklable"),
        ("Order = object()", "unpicklable"),
        ("Order = lambda: 0", "unpicklable"),
        ("import functools\nOrder = functools.partial(int)", "unpicklable"),
        ("class Order:\n    __reduce__ = lambda self: 'Other'\nOrder = Order()\n", "unpicklable"),
        ("class Order:\n    __reduce__ = lambda self: 'Order'\nOrder = Order()\nOrder.__module__ = None\n", "found"),
        ("from typing import TypeVar\nOrder = TypeVar('Order')", "found"),
        ("import enum\nOrder = enum.Enum('Order', 'a')", "found"),
        ("", "missing"),
        ("import nothing_of_that_name", "unimportable"),
        ("def __getattr__(name):\n    raise ValueError(name)", "unimportable"),
    ],
)
def test_what_pickle_makes_of_it(ask, source: str, kind: str) -> None:
    assert ask("m:Order", m=source)["m:Order"].kind == kind


def test_a_name_that_only_another_module_puts_there_is_no_true_name(ask) -> None:
    """Whoever loads a pickle of it imports `made` alone."""
    source = "import sys, types\nclass Order: pass\nOrder.__module__ = 'made'\n"
    source += "sys.modules['made'] = types.ModuleType('made')\nsys.modules['made'].Order = Order\n"
    found = ask("m:Order", m=source)["m:Order"]
    assert (found.kind, found.target) == ("unpicklable", "")
    assert "it says of itself that it is made:Order, but importing made fails" in found.detail


def test_the_caller_is_left_alone(ask) -> None:
    before = dict(os.environ), list(sys.path), set(sys.modules)
    ask("m:Order", m=ORDER)
    assert (dict(os.environ), list(sys.path), set(sys.modules)) == before


@pytest.mark.parametrize(
    "source",
    [
        "raise ValueError(object())",
        "class Order:\n    def __reduce__(self): raise TypeError(self)\nOrder = Order()\n",
        "def __getattr__(name):\n    raise ValueError(lambda: name)",
        "class Order:\n    __qualname__ = 'x'\n    def __reduce__(self): return object()\nOrder = Order()\n",
    ],
)
def test_no_answer_differs_from_run_to_run(ask, source: str) -> None:
    found = ask("m:Order", m=source)["m:Order"]
    assert found.kind != "found"
    assert "0x" not in found.detail + found.hint + found.target
    assert ask("m:Order", m=source)["m:Order"] == found
