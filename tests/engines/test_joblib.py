"""joblib and loky: the initializer, and what happens without it."""

import pytest

pytest.importorskip("joblib", reason='pip install ".[test-full]"')
pytestmark = [pytest.mark.slow, pytest.mark.once]

LOKY = """
import os, signal, sys
import extreg, extreg.workers, shop
from joblib.externals import loky
if __name__ == "__main__":
    extreg.install("./registry.toml")
    orders = [shop.order(number) for number in range(1_000)]
    begin = {"initializer": extreg.workers.initializer()} if sys.argv[1] == "with" else {}
    executor = loky.get_reusable_executor(2, **begin)
    assert list(executor.map(shop.back, orders)) == [shop.Order(o.number + 1, o.lines) for o in orders]
    print("1000 there and back")
    os.kill(next(iter(executor._processes)), signal.SIGKILL)
    try:
        list(executor.map(shop.back, orders[:10]))
    except loky.BrokenProcessPool:
        pass
    executor = loky.get_reusable_executor(2, **begin)
    assert list(executor.map(shop.back, orders[:10]))[0].number == 1
    print("again")
"""
PARALLEL = """
import extreg, extreg.workers, shop
from joblib import Parallel, delayed, parallel_config
if __name__ == "__main__":
    extreg.install("./registry.toml")
    with parallel_config("loky", n_jobs=2, initializer=extreg.workers.initializer()):
        found = Parallel()(delayed(shop.back)(shop.order(number)) for number in range(1_000))
    assert [order.number for order in found] == list(range(1, 1_001))
    print("1000 there and back")
"""


def test_with_the_initializer_loky_takes_coded_objects_and_new_processes_do_too(python):
    done = python(LOKY, "with")
    assert done.stdout == "1000 there and back\nagain\n", done.stderr


def test_joblib_hands_the_initializer_on(python):
    done = python(PARALLEL)
    assert done.stdout == "1000 there and back\n", done.stderr


def test_without_it_loky_says_that_a_task_cannot_be_read(python):
    done = python(LOKY, "without")
    assert done.returncode == 1
    assert "unregistered extension code 300" in done.stderr
    assert "BrokenProcessPool" in done.stderr
