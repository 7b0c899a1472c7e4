"""``extreg autoload``: every process of an environment has the codes, and nobody called install()."""

import os
import sys

import pytest

from .conftest import CODES

pytestmark = pytest.mark.slow

FILES = ["zzz_extreg_autoload.pth", "zzz_extreg_autoload.py", "zzz_extreg_autoload.start"]


def test_a_program_that_never_installs_has_the_codes(environment):
    assert environment.codes() == []
    done = environment.extreg("autoload", "enable")
    assert done.stdout.splitlines()[1:] == [
        f"registry: {environment.registry}",
        "a start has: 1 live and 1 load-only codes",
    ]
    for flags in ([], ["-I"], ["-E"], ["-s"], ["-O"], ["-B"]):
        assert environment.codes(*flags, cwd="/") == [300, 301], flags
    assert environment.codes("-S") == []


def test_disable_leaves_nothing_behind(enabled):
    assert [name for name in enabled.files() if not name.endswith(".pyc")] == FILES
    done = enabled.extreg("autoload", "disable", cwd="/")
    assert done.stdout.count("removed ") == 3
    assert enabled.files() == []
    assert enabled.codes() == []
    assert "nothing was removed" in enabled.extreg("autoload", "disable").stderr


def test_status_says_off_and_on(environment):
    assert environment.status()["state"] == "off"
    environment.extreg("autoload", "enable")
    found = environment.status()
    assert (found["state"], found["live"], found["load_only"], found["findings"]) == ("on", 1, 1, [])
    assert found["registry"] == str(environment.registry)
    assert environment.extreg("autoload", "status").stdout.startswith("on: the virtual environment ")


PRIMITIVES = """
import multiprocessing, pickle, subprocess, sys
from concurrent.futures import ProcessPoolExecutor
from shop import Order

def twice(order):
    return Order(2 * order.number)

def put(queue, order):
    queue.put(twice(order))

def main():
    assert pickle.dumps(Order(1), 4)[11:14] == b"\\x83\\x2c\\x01", pickle.dumps(Order(1), 4)
    for method in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context(method)
        with context.Pool(1) as pool:
            assert pool.map(twice, [Order(4)]) == [Order(8)]
        queue = context.SimpleQueue()
        process = context.Process(target=put, args=(queue, Order(5)))
        process.start()
        assert queue.get() == Order(10)
        process.join()
        assert process.exitcode == 0
        with context.Manager() as manager:
            kept = manager.list([Order(6)])
            assert kept[0] == Order(6)
        with ProcessPoolExecutor(1, mp_context=context) as executor:
            assert executor.submit(twice, Order(7)).result() == Order(14)
    program = "import pickle, sys; sys.stdout.buffer.write(pickle.dumps(pickle.loads(sys.stdin.buffer.read())))"
    dumped = pickle.dumps(Order(9))
    assert subprocess.run([sys.executable, "-c", program], input=dumped, capture_output=True).stdout == dumped
    if sys.version_info >= (3, 14):
        from concurrent.futures import InterpreterPoolExecutor
        with InterpreterPoolExecutor(1) as executor:
            assert executor.submit(twice, Order(3)).result() == Order(6)
    print("done")

if __name__ == "__main__":
    main()
"""


def test_every_primitive_works_from_a_program_that_never_installs(enabled):
    (enabled.project / "program.py").write_text(PRIMITIVES)
    done = enabled.run("program.py")
    assert done.stdout == "done\n", done.stderr
    assert done.stderr == ""


def test_it_is_installed_once_though_site_reads_a_pth_twice(enabled):
    line = "from extreg.ledger import INSTALLED; print([entry._count for entry in INSTALLED])"
    assert enabled.run("-c", line).stdout == "[1]\n"


@pytest.mark.skipif(sys.version_info < (3, 15), reason="PEP 829 is Python 3.15's")
def test_of_pth_and_start_the_latter_alone_is_run(enabled):
    """Measured on 3.15.2, and what PEP 829 says: the line of a .pth is passed over where there is a .start."""
    module = enabled.site / "zzz_extreg_autoload.py"
    module.write_text(module.read_text().replace("    global _started\n", "    print('called')\n    global _started\n"))
    assert enabled.run("-c", "pass").stdout == "called\n"
    (enabled.site / "zzz_extreg_autoload.pth").unlink()
    assert enabled.codes() == [300, 301]
    (enabled.site / "zzz_extreg_autoload.start").write_text("# empty\n")
    assert enabled.codes() == []


def test_a_program_may_install_besides_and_uninstall(enabled):
    line = (
        "import copyreg, extreg\nown = extreg.install()\nassert extreg.install() is own\n"
        "with extreg.install(): pass\nown.uninstall(); own.uninstall()\n"
        "assert 300 in copyreg._inverted_registry\nextreg.uninstall()\nassert not copyreg._inverted_registry"
    )
    (enabled.project / "program.py").write_text(line)
    enabled.run("program.py")


def test_a_warm_start_imports_no_more_than_it_must(enabled):
    line = "import sys; print(*sorted(sys.modules))"
    bare = set(enabled.run("-c", line, env={"EXTREG_AUTOLOAD": "0"}).stdout.split())
    ours = set(enabled.run("-c", line).stdout.split()) - bare
    expected = {"extreg", "extreg.autoload", "extreg.ledger", "extreg.startup", "copyreg"}
    assert ours == expected - bare, "on 3.15 the import of pkgutil is the interpreter's own, and in both"


def test_switches(environment):
    environment.extreg("autoload", "enable")
    off, on = {"EXTREG_AUTOLOAD": "0"}, {"EXTREG_AUTOLOAD": "1"}
    assert environment.codes(env=off) == []
    assert environment.codes("-E", env=off) == environment.codes("-I", env=off) == [300, 301]
    environment.extreg("autoload", "enable", "--gated")
    assert environment.status()["gated"] is True
    assert environment.codes() == environment.codes(env=off) == environment.codes(env={"EXTREG_AUTOLOAD": "yes"}) == []
    assert environment.codes(env=on) == [300, 301]
    assert environment.codes("-E", env=on) == []


def test_no_variable_of_ours_counts_where_python_heeds_none(enabled):
    (enabled.site / "aaa.pth").write_text("import copyreg; copyreg.add_extension('other', 'Thing', 300)\n")
    replace = {"EXTREG_ON_CONFLICT": "replace"}
    line = "import copyreg; print(copyreg._inverted_registry[300])"
    assert enabled.run("-c", line, env=replace).stdout == "('shop', 'Order')\n"
    done = enabled.run("-E", "-c", line, env={**replace, "EXTREG_AUTOLOAD_STRICT": "1"})
    assert done.stdout == "('other', 'Thing')\n"
    assert "1 conflict with what copyreg already holds" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_path_is_what_was_enabled_whatever_else_is_there(enabled, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text('format = 1\n[codes]\n500 = "m:C"\n')
    assert enabled.codes(cwd=tmp_path, env={"EXTREG_REGISTRY": str(other)}) == [300, 301]
    for spelt in (["enable", "--path", "other.toml"], ["enable", "--registry", other]):
        enabled.extreg("autoload", *spelt, cwd=tmp_path)
        assert enabled.codes() == [500]
    enabled.extreg("--registry", enabled.registry, "autoload", "enable", cwd=tmp_path)
    assert enabled.codes() == [300, 301]


def test_any_path_will_do(environment):
    folder = environment.project / 'it\'s "söme" pläce\n{0}'
    folder.mkdir()
    (folder / "registry.toml").write_text('format = 1\n[codes]\n500 = "m:C"\n')
    environment.extreg("autoload", "enable", "--path", folder / "registry.toml")
    assert environment.codes(env={"LC_ALL": "C", "PYTHONUTF8": "0"}) == [500]
    assert environment.status()["state"] == "on"


def test_the_command_line_takes_the_working_directory_off_its_path_all_the_same(enabled):
    """Autoload imports extreg before ``-m`` has put the working directory there."""
    (enabled.project / "tomllib.py").write_text("print('hostile')")
    (enabled.project / "tomli.py").write_text("print('hostile')")
    (enabled.project / "argparse.py").write_text("print('hostile')")
    assert "hostile" not in enabled.extreg("list").stdout
    kept = enabled.extreg("lint", env={"PYTHONPATH": os.fspath(enabled.project)}, check=False)
    assert "hostile" in kept.stdout, "what PYTHONPATH names is the user's wish"


def test_the_command_line_itself_goes_without(enabled):
    assert enabled.run("-c", CODES.replace("print", "import sys; print")).stdout == "[300, 301]\n"
    hook = "import atexit; atexit.register(exec, 'import copyreg; print(len(copyreg._inverted_registry))', {})"
    (enabled.site / "aaa.pth").write_text(f"{hook}\n")
    assert enabled.extreg("rule", "unsorted").stdout.endswith("\n0\n")
    assert enabled.run("-c", "pass").stdout.endswith("2\n")


def test_pytest_says_nothing_of_what_was_imported_before_it(enabled):
    (enabled.project / "test_it.py").write_text("def test_it():\n    pass\n")
    program = "import pytest, sys; assert 'extreg' in sys.modules; sys.exit(pytest.main(['-W', 'error']))"
    assert "extreg" in enabled.run("-c", program).stdout.partition("plugins: ")[2].splitlines()[0]


def test_the_command_alone_prints_its_help(environment):
    assert "enable" in environment.extreg("autoload").stdout
    assert "--gated" in environment.extreg("autoload", "enable", "--help").stdout
