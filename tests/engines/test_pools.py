"""multiprocessing and concurrent.futures, in every way to start processes: what happens without the codes, and with."""

import multiprocessing
import pickle
import pickletools
import sys

import pytest

import extreg
import extreg.workers

pytestmark = pytest.mark.slow

METHODS = multiprocessing.get_all_start_methods()
FRESH = [method for method in METHODS if method != "fork"]  # those whose processes do not inherit the codes

HEAD = """
import multiprocessing, os, signal, sys, time
import extreg, extreg.workers, shop
from concurrent.futures import ProcessPoolExecutor
method = sys.argv[1]
context = multiprocessing.get_context(method)
"""
ROUND_TRIP = """
def there_and_back(apply):
    orders = [shop.order(number) for number in range(1_000)]
    assert b"\\x83\\x2c\\x01" in __import__("pickle").dumps(orders)
    assert apply(shop.back, orders) == [shop.Order(order.number + 1, order.lines) for order in orders]
    print("1000 there and back")
"""


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("given", ["", "'registry.toml'", "extreg.Registry.load('registry.toml')"])
def test_a_pool_with_an_initializer_takes_coded_objects_and_its_new_workers_do_too(python, method, given):
    text = f"""{HEAD}{ROUND_TRIP}
if __name__ == "__main__":
    with extreg.install("./registry.toml"):
        # Each process is replaced after so many pieces of work.  (Killed while it waits for more, it leaves a Pool
        # waiting for ever, with codes or without.)
        with context.Pool(2, initializer=extreg.workers.initializer({given}), maxtasksperchild=3) as pool:
            began = {{child.pid for child in multiprocessing.active_children()}}
            there_and_back(lambda work, orders: pool.map(work, orders, chunksize=100))
            print(bool({{child.pid for child in multiprocessing.active_children()}} - began))
"""
    done = python(text, method)
    assert (done.stdout, done.stderr) == ("1000 there and back\nTrue\n", "")


@pytest.mark.parametrize("method", METHODS)
def test_an_executor_takes_coded_objects(python, method):
    text = f"""{HEAD}{ROUND_TRIP}
if __name__ == "__main__":
    extreg.install("./registry.toml")
    with ProcessPoolExecutor(2, context, extreg.workers.initializer()) as executor:
        there_and_back(lambda work, orders: list(executor.map(work, orders)))
"""
    done = python(text, method)
    assert (done.stdout, done.stderr) == ("1000 there and back\n", "")


@pytest.mark.parametrize("method", METHODS)
def test_a_manager_takes_coded_objects(python, method):
    text = f"""{HEAD}
from multiprocessing.managers import SyncManager
if __name__ == "__main__":
    extreg.install("./registry.toml")
    manager = SyncManager(ctx=context)
    manager.start(extreg.workers.initializer())
    kept = manager.dict()
    for number in range(1_000):
        kept[number] = shop.order(number)
    assert [kept[number] for number in range(1_000)] == [shop.order(number) for number in range(1_000)]
    manager.shutdown()
    print("1000 there and back")
"""
    done = python(text, method)
    assert (done.stdout, done.stderr) == ("1000 there and back\n", "")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("line", ["import extreg.auto", "extreg.install('./registry.toml')"])
def test_a_process_has_the_codes_of_the_top_level(python, method, line):
    text = f"""{HEAD}
{line}
def work(order, queue):
    queue.put(shop.back(order))
if __name__ == "__main__":
    queue = context.Queue()
    process = context.Process(target=work, args=(shop.order(1), queue))
    process.start()
    assert queue.get(timeout=60) == shop.Order(2, shop.order(1).lines)
    process.join()
    print(process.exitcode)
"""
    done = python(text, method)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.skipif("forkserver" not in METHODS, reason="no forkserver here")
def test_the_forkserver_has_the_codes_of_what_it_preloads(python):
    text = f"""{HEAD}
if __name__ == "__main__":
    extreg.install("./registry.toml")
    context.set_forkserver_preload(["extreg.auto"])
    with context.Pool(1) as pool:
        assert pool.apply_async(shop.back, (shop.order(1),)).get(60).number == 2
    print("back")
"""
    done = python(text, "forkserver")
    assert (done.stdout, done.stderr) == ("back\n", "")


@pytest.mark.parametrize("method", FRESH)
def test_without_it_a_process_dies_and_an_executor_is_broken(python, method):
    text = f"""{HEAD}
if __name__ == "__main__":
    extreg.install("./registry.toml")
    process = context.Process(target=print, args=(shop.order(1),))
    process.start()
    process.join()
    print(process.exitcode)
    with ProcessPoolExecutor(1, context) as executor:
        print(type(executor.submit(shop.back, shop.order(1)).exception()).__name__)
"""
    done = python(text, method)
    assert done.stdout == "1\nBrokenProcessPool\n"
    assert "unregistered extension code 300" in done.stderr


@pytest.mark.parametrize("method", FRESH)
def test_without_it_a_pool_waits_for_ever(python, method):
    text = f"""{HEAD}
if __name__ == "__main__":
    extreg.install("./registry.toml")
    pool = context.Pool(1)
    assert pool.apply_async(abs, (-1,)).get(60) == 1
    try:
        pool.apply_async(shop.back, (shop.order(1),)).get(timeout=3)
    except multiprocessing.TimeoutError:
        print("waited", flush=True)
    pool.terminate()
"""
    done = python(text, method)
    assert done.stdout == "waited\n"
    assert "unregistered extension code 300" in done.stderr


@pytest.mark.parametrize("method", FRESH)
def test_an_old_worker_reads_what_is_load_only_there(python, shop, method):
    """A rolling change: the worker has the registry of before, the writer the one of after."""
    old = shop / "old.toml"
    old.write_text((shop / "registry.toml").read_text())
    new = (shop / "registry.toml").read_text().replace('\n[load-only]\n310 = "shop:Basket"\n', '310 = "shop:Basket"\n')
    (shop / "registry.toml").write_text(new + '311 = "shop:order"\n')
    text = f"""{HEAD}
if __name__ == "__main__":
    extreg.install("./registry.toml")
    with ProcessPoolExecutor(1, context, extreg.workers.initializer("./old.toml")) as executor:
        print(executor.submit(type, shop.Basket()).result().__name__)
        print(type(executor.submit(shop.order, 1).exception()).__name__)
"""
    done = python(text, method)
    assert done.stdout == "Basket\nBrokenProcessPool\n"
    assert "unregistered extension code 311" in done.stderr


def test_what_is_wrong_with_a_source_is_raised_at_once_and_not_in_workers(python):
    done = python("import extreg.workers\nextreg.workers.initializer('nowhere.toml')\n")
    assert done.returncode == 1
    assert "UnreadableError: cannot read" in done.stderr


def test_the_initializer_travels_without_codes_and_has_a_name_as_functions_have():
    """Ray asks for ``__name__`` (build_setup_hook_export_entry in ray/_private/function_manager.py)."""
    begin = extreg.workers.initializer(extreg.Registry(codes={300: "decimal:Decimal"}))
    data = pickle.dumps(begin)
    assert not [opcode for opcode, _, _ in pickletools.genops(data) if opcode.name.startswith("EXT")]
    assert begin.__name__ == "extreg.workers.initializer"
    assert repr(pickle.loads(data)) == repr(begin) == "<extreg.workers.initializer of the text of a registry>"


@pytest.mark.skipif(sys.version_info < (3, 14), reason="InterpreterPoolExecutor came with 3.14")
@pytest.mark.parametrize("given", ["", "extreg.Registry.load('registry.toml')"])
def test_a_pool_of_interpreters_takes_coded_objects(python, given):
    text = f"""{HEAD.replace("ProcessPoolExecutor", "InterpreterPoolExecutor")}{ROUND_TRIP}
if __name__ == "__main__":
    extreg.install("./registry.toml")
    with InterpreterPoolExecutor(2, initializer=extreg.workers.initializer({given})) as executor:
        there_and_back(lambda work, orders: list(executor.map(work, orders)))
"""
    done = python(text, "spawn")
    assert (done.stdout, done.stderr) == ("1000 there and back\n", "")
