"""Codes and other processes; docs/how-codes-behave.md names these tests."""

import copyreg
import shelve
import subprocess
import sys
import textwrap

import pytest

SHOP = "class Money:\n    pass\n"
REGISTER = 'import copyreg; copyreg.add_extension("shop", "Money", 4711)\n'


def run(tmp_path, text):
    """Run `text` as a script beside a module ``shop`` and return the words that it printed."""
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "register.py").write_text(f"def register():\n    {REGISTER}")
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(text))
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.slow
def test_a_spawned_process_without_the_codes_dies(tmp_path):
    text = """
        import multiprocessing, register, shop
        if __name__ == "__main__":
            register.register()
            child = multiprocessing.get_context("spawn").Process(target=print, args=(shop.Money(),))
            child.start()
            child.join()
            print(child.exitcode)
    """
    assert run(tmp_path, text) == ["1"]


@pytest.mark.slow
def test_a_pool_without_the_codes_waits_for_ever(tmp_path):
    text = """
        import multiprocessing, os, register, shop
        if __name__ == "__main__":
            register.register()
            pool = multiprocessing.get_context("spawn").Pool(1)
            pool.apply_async(abs, (1,)).get()  # it works
            try:
                pool.apply_async(type, (shop.Money(),)).get(timeout=3)
            except multiprocessing.TimeoutError:
                print("waited", flush=True)
            pool.terminate()
    """
    assert run(tmp_path, text) == ["waited"]


@pytest.mark.slow
def test_an_initializer_gives_a_pool_its_codes(tmp_path):
    text = """
        import multiprocessing, register, shop
        if __name__ == "__main__":
            register.register()
            with multiprocessing.get_context("spawn").Pool(1, initializer=register.register) as pool:
                print(pool.apply_async(type, (shop.Money(),)).get(timeout=30) is shop.Money)
    """
    assert run(tmp_path, text) == ["True"]


@pytest.mark.slow
def test_an_executor_without_the_codes_is_broken_and_one_with_an_initializer_is_not(tmp_path):
    text = """
        import concurrent.futures as futures, multiprocessing, register, shop
        if __name__ == "__main__":
            register.register()
            context = multiprocessing.get_context("spawn")
            with futures.ProcessPoolExecutor(1, context) as executor:
                print(type(executor.submit(type, shop.Money()).exception()).__name__)
            with futures.ProcessPoolExecutor(1, context, register.register) as executor:
                print(executor.submit(type, shop.Money()).result() is shop.Money)
    """
    assert run(tmp_path, text) == ["BrokenProcessPool", "True"]


def test_a_shelf_holds_codes(shop):
    copyreg.add_extension("shop", "Money", 4711)
    values = {}
    shelve.Shelf(values)["a"] = shop.Money
    assert b"\x83\x67\x12" in values[b"a"]
