"""The [reducers] of a registry: bound at the first import of the type's module, and after each reload."""

import copy
import copyreg
import importlib
import pickle
import subprocess
import sys
import warnings

import pytest

from extreg.errors import ReducerError
from extreg.reduce import ReducerRow, bind, register

MONEY = """
class Money:
    class Coin:
        def __init__(self, amount):
            self.amount = amount
    def __init__(self, amount):
        self.amount = amount

def reduce_money(money):
    return Money, (money.amount,)

def reduce_wrongly(money):
    return [Money]

not_a_function = 5
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    modules = set(sys.modules)
    table = dict(copyreg.dispatch_table)

    def write(name, text=MONEY):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        importlib.invalidate_caches()

    yield write
    for name in set(sys.modules) - modules:
        if getattr(sys.modules[name], "__file__", None) is not None and str(tmp_path) in sys.modules[name].__file__:
            del sys.modules[name]
    assert copyreg.dispatch_table == table


def row(type="till:Money", function="till:reduce_money", place="registry.toml:31"):  # noqa: A002
    return ReducerRow(type, function, place)


@pytest.fixture
def bound(write):
    bindings = []

    def make(*rows, **options):
        bindings.append(bind(rows or [row()], **options))
        return bindings[-1]

    yield make
    for binding in bindings:
        binding.undo()
        binding.undo()


def test_a_row_is_bound_when_the_module_of_its_type_is_imported_and_not_before(write, bound):
    write("till.py")
    binding = bound()
    assert "till" not in sys.modules
    assert len(binding.pending) == 1
    import till

    assert binding.pending == ()
    assert pickle.loads(pickle.dumps(till.Money(5))).amount == 5
    assert copyreg.dispatch_table[till.Money] is till.reduce_money


def test_a_row_is_bound_at_once_where_the_module_is_imported(write, bound):
    write("till.py")
    import till

    bound(row(type="till:Money.Coin"))
    assert till.Money.Coin in copyreg.dispatch_table


def test_undo_ends_it_bound_or_not(write, bound):
    write("till.py")
    binding = bound()
    binding.undo()
    import till

    assert till.Money not in copyreg.dispatch_table
    binding = bound()
    assert till.Money in copyreg.dispatch_table
    binding.undo()
    assert till.Money not in copyreg.dispatch_table


def test_two_bindings_of_a_row_are_two_owners(write, bound):
    write("till.py")
    first, second = bound(), bound()
    import till

    first.undo()
    assert till.Money in copyreg.dispatch_table
    second.undo()
    assert till.Money not in copyreg.dispatch_table


@pytest.mark.parametrize("how", ["reload", "import again"])
def test_the_new_class_is_bound_after_its_module_ran_again(write, bound, how):
    write("till.py")
    bound()
    import till

    old = till.Money
    pickle.dumps(till.Money(1))
    write("till.py", MONEY + "\n# new\n")
    if how == "reload":
        importlib.reload(till)
    else:
        del sys.modules["till"]
        till = importlib.import_module("till")
    assert till.Money is not old
    assert old not in copyreg.dispatch_table
    assert pickle.loads(pickle.dumps(till.Money(5))).amount == 5
    assert copyreg.dispatch_table[till.Money] is till.reduce_money


def test_a_reload_that_fails_half_way_leaves_the_class_that_is_there_bound(write, bound):
    write("till.py")
    bound()
    import till

    old = till.Money
    write("till.py", "1/0\n")
    with pytest.raises(ZeroDivisionError):
        importlib.reload(till)
    assert till.Money is old
    assert old in copyreg.dispatch_table
    write("till.py", MONEY + "1/0\n")
    with pytest.raises(ZeroDivisionError):
        importlib.reload(till)
    assert till.Money in copyreg.dispatch_table
    assert old not in copyreg.dispatch_table


def test_an_import_that_fails_binds_nothing_that_stays_wrong(write, bound):
    write("till.py", "1/0\n")
    bound()
    with pytest.raises(ZeroDivisionError):
        importlib.import_module("till")
    write("till.py", MONEY + "# longer\n")
    till = importlib.import_module("till")
    assert pickle.loads(pickle.dumps(till.Money(5))).amount == 5


def test_the_module_of_the_function_is_imported_at_the_first_dump(write, bound):
    write("till.py")
    write("reducers.py", "import till\n\ndef reduce_money(money):\n    return till.Money, (money.amount + 1,)\n")
    bound(row(function="reducers:reduce_money"))
    import till

    assert "reducers" not in sys.modules
    assert pickle.loads(pickle.dumps(till.Money(1))).amount == 2
    import reducers

    write("reducers.py", "import till\n\ndef reduce_money(money):\n    return till.Money, (money.amount + 222,)\n")
    importlib.reload(reducers)
    assert copy.copy(till.Money(1)).amount == 223


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("till:nothing", "there is no reduction function till:nothing: till has no nothing"),
        ("nowhere.at.all:f", "cannot import the reduction function nowhere.at.all:f"),
        ("till:reduce_wrongly", r"till:reduce_wrongly returned \[<class"),
    ],
)
def test_a_function_that_will_not_do_is_an_error_at_the_first_dump(write, bound, function, message):
    write("till.py")
    bound(row(function=function))
    import till

    for _ in range(2):
        with pytest.raises(ReducerError, match=message) as caught:
            pickle.dumps(till.Money(1))
        assert str(caught.value).startswith("registry.toml:31: ")
        assert caught.value.places == ("registry.toml:31",)


def test_a_function_that_is_none_breaks_the_dump_and_not_the_import(write, bound):
    write("till.py")
    bound(row(function="till:not_a_function"))
    import till

    with pytest.raises(ReducerError, match=r"registry.toml:31: till:not_a_function is not a function: 5"):
        pickle.dumps(till.Money(1))


def test_a_mended_function_cures_the_type(write, bound):
    write("till.py")
    write("reducers.py", "reduce_money = 5\n")
    import reducers

    bound(row(function="reducers:reduce_money"))
    import till

    with pytest.raises(ReducerError, match="not a function"):
        pickle.dumps(till.Money(1))
    write("reducers.py", "import till\n\ndef reduce_money(money):\n    return till.Money, (money.amount,)\n")
    importlib.reload(reducers)
    assert copy.copy(till.Money(8)).amount == 8


def test_every_wrong_row_of_imported_modules_is_in_one_error_and_nothing_is_bound(write):
    write("till.py")
    import till

    rows = [
        row(),
        row(type="till:Cash", place="registry.toml:32"),
        row(type="till:not_a_function", place="registry.toml:33"),
        row(type="till:Money.Coin", function="till:not_a_function", place="registry.toml:34"),
    ]
    with pytest.raises(ReducerError) as caught:
        bind(rows)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert lines[0] == "registry.toml:32: till:Cash is no class that could be reduced: till has no Cash"
    assert lines[1].startswith("registry.toml:33: till:not_a_function is no class that could be reduced: it is 5")
    assert caught.value.places == ("registry.toml:32", "registry.toml:33", "registry.toml:34")
    assert till.Money not in copyreg.dispatch_table


def test_a_type_that_turns_out_missing_is_a_warning_and_not_a_failed_import(write, bound):
    write("till.py")
    bound(row(type="till:Cash"))
    with pytest.warns(RuntimeWarning, match=r"registry.toml:31: till:Cash is no class .*: till has no Cash"):
        importlib.import_module("till")
    assert "till" in sys.modules


def test_a_conflict_is_an_error_now_or_at_the_first_dump(write, bound):
    write("till.py", MONEY + "import copyreg\ncopyreg.pickle(Money, lambda money: (Money, (9,)))\n")
    binding = bound()
    till = importlib.import_module("till")
    with pytest.raises(ReducerError, match=r"registry.toml:31: till:Money is to be reduced by till:reduce_money, but"):
        pickle.dumps(till.Money(1))
    binding.undo()
    assert copy.copy(till.Money(1)).amount == 9
    with pytest.raises(ReducerError, match="outside extreg"):
        bind([row()])
    assert copy.copy(till.Money(1)).amount == 9
    bound(on_conflict="keep")
    assert copy.copy(till.Money(1)).amount == 9
    replacing = bound(on_conflict="replace")
    assert copy.copy(till.Money(1)).amount == 1
    replacing.undo()
    assert copy.copy(till.Money(1)).amount == 9
    del copyreg.dispatch_table[till.Money]


def test_two_rows_for_a_type_are_a_conflict_that_names_both(write, bound):
    write("till.py")
    importlib.import_module("till")
    with pytest.raises(
        ReducerError, match=r"registry.toml:40: .* registry.toml:31 has it reduced by till:reduce_money"
    ):
        bind([row(), row(function="till:reduce_wrongly", place="registry.toml:40")])


def test_a_module_that_registers_the_same_itself_is_no_conflict(write, bound):
    write("till.py", MONEY + "import copyreg\ncopyreg.pickle(Money, reduce_money)\n")
    binding = bound()
    till = importlib.import_module("till")
    assert copy.copy(till.Money(1)).amount == 1
    binding.undo()
    assert copyreg.dispatch_table.pop(till.Money) is till.reduce_money


def test_a_row_and_a_registration_of_the_same_function_are_two_owners(write, bound):
    write("till.py")
    till = importlib.import_module("till")
    registration = register(till.Money, till.reduce_money)
    binding = bound()
    registration.undo()
    assert till.Money in copyreg.dispatch_table
    binding.undo()
    assert till.Money not in copyreg.dispatch_table


def test_a_module_getattr_is_not_asked_for_a_type(write, bound):
    write("facade.py", "def __getattr__(name):\n    raise AssertionError(name)\n")
    bound(row(type="facade:Money"))
    with pytest.warns(RuntimeWarning, match="facade has no Money"):
        importlib.import_module("facade")


def test_builtin_types_are_bound_at_once(write, bound):
    write("ranges.py", "def reduce_slice(s):\n    return slice, (s.start, s.stop, s.step)\n")
    bound(row(type="builtins:slice", function="ranges:reduce_slice"))
    assert pickle.loads(pickle.dumps(slice(1, 2))) == slice(1, 2)


def test_the_package_that_binds_in_its_own_init_is_bound_when_it_ends(write, tmp_path):
    write(
        "shop/__init__.py",
        "from extreg.reduce import ReducerRow, bind\n"
        "bind([ReducerRow('shop:Money', 'shop:reduce_money', 'registry.toml:3')])\n" + MONEY,
    )
    code = (
        "import shop, pickle\n"
        "assert pickle.loads(pickle.dumps(shop.Money(4))).amount == 4\n"
        "import copyreg\n"
        "assert copyreg.dispatch_table[shop.Money] is shop.reduce_money\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, check=True)


def test_binding_imports_neither_pickle_nor_typing():
    code = """
import sys
sys.modules.pop("typing", None)
before = set(sys.modules)
from extreg.reduce.binding import ReducerRow, bind
bind([ReducerRow("nowhere:Thing", "nowhere:reduce", "registry.toml:1")])
new = set(sys.modules) - before
assert {name for name in new if not name.startswith("extreg")} <= {"copyreg"}, new
"""
    subprocess.run([sys.executable, "-I", "-W", "error", "-c", code], check=True)


def test_lazy_modules_stay_lazy(write, bound):
    write("till.py")
    spec = importlib.util.find_spec("till")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    till = importlib.util.module_from_spec(spec)
    sys.modules["till"] = till
    spec.loader.exec_module(till)
    binding = bound()
    assert len(binding.pending) == 1
    assert till.Money in copyreg.dispatch_table


def test_warnings_of_an_import_that_ran_well_are_none(write, bound):
    write("till.py")
    bound()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.import_module("till")


def test_ipython_autoreload_binds_the_new_class(tmp_path):
    pytest.importorskip("IPython", reason='pip install ".[test-full]"')
    (tmp_path / "till.py").write_text(MONEY)
    (tmp_path / "drive.py").write_text(
        f"""
import os, sys, time
sys.path.insert(0, {str(tmp_path)!r})
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def cell(text):
    shell.run_cell(text).raise_error()
cell("%load_ext autoreload")
cell("%autoreload 2")
cell("from extreg.reduce import ReducerRow, bind; import pickle, copyreg")
cell("binding = bind([ReducerRow('till:Money', 'till:reduce_money', 'registry.toml:3')])")
cell("import till; money = till.Money(3); assert pickle.loads(pickle.dumps(money)).amount == 3")
for turn in range(3):
    with open({str(tmp_path / "till.py")!r}, "a") as file:
        file.write(f"\\nclass New{{turn}}(Money): pass\\n")
    os.utime({str(tmp_path / "till.py")!r}, (time.time() + 5 + turn,) * 2)
    cell("assert pickle.loads(pickle.dumps(till.Money(4))).amount == 4")
    cell("assert pickle.loads(pickle.dumps(money)).amount == 3")
    cell(f"till.New{{turn}}; assert till.Money in copyreg.dispatch_table")
print("bound")
"""
    )
    env = {**__import__("os").environ, "IPYTHONDIR": str(tmp_path / "ipython"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, str(tmp_path / "drive.py")], capture_output=True, text=True, check=False, env=env
    )
    assert "bound" in done.stdout, done.stdout + done.stderr
