"""``[reducers]`` of a registry, through install, reload and uninstall."""

import copyreg
import importlib
import pickle
import sys

import pytest

import extreg


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module with a class that cannot pickle itself and two reduction functions, not imported yet."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    source = (
        "class Handle:\n"
        "    def __init__(self, number): self.number = number\n"
        "    def __reduce_ex__(self, protocol): raise TypeError('cannot pickle Handle')\n"
        "def reduce_handle(handle): return Handle, (handle.number,)\n"
        "def reduce_twice(handle): return Handle, (handle.number * 2,)\n"
        "def reduce_badly(handle): return 7\n"
    )
    (tmp_path / "handles_module.py").write_text(source)
    importlib.invalidate_caches()
    yield "handles_module"
    sys.modules.pop("handles_module", None)


def rows(function, code=True):
    codes = '[codes]\n300 = "handles_module:Handle"\n' if code else ""
    return f'{codes}[reducers]\n"handles_module:Handle" = "handles_module:{function}"\n'


def roundtrip(number):
    handles = importlib.import_module("handles_module")
    data = pickle.dumps(handles.Handle(number))
    return pickle.loads(data).number, data


def test_a_reducer_is_bound_when_the_module_of_its_type_is_first_imported(write, module):
    installation = extreg.install(write(rows("reduce_handle")))
    assert "handles_module" not in sys.modules
    number, data = roundtrip(7)
    assert number == 7
    assert b"handles_module" not in data  # the constructor went out as its code
    handles = sys.modules["handles_module"]
    assert handles.Handle in copyreg.dispatch_table
    installation.uninstall()
    assert handles.Handle not in copyreg.dispatch_table
    with pytest.raises(TypeError, match="cannot pickle Handle"):
        pickle.dumps(handles.Handle(7))


def test_reload_of_the_registry_exchanges_the_reducer(write, module):
    installation = extreg.install(write(rows("reduce_handle")))
    assert roundtrip(7)[0] == 7
    write(rows("reduce_twice"))
    installation.reload()
    assert roundtrip(7)[0] == 14
    write("")
    installation.reload()
    with pytest.raises(TypeError, match="cannot pickle Handle"):
        roundtrip(7)


def test_reload_of_the_module_binds_the_new_class(write, module):
    with extreg.install(write(rows("reduce_handle")), watch_reloads=True):
        assert roundtrip(7)[0] == 7
        old = sys.modules["handles_module"].Handle
        importlib.reload(sys.modules["handles_module"])
        assert sys.modules["handles_module"].Handle is not old
        assert roundtrip(8)[0] == 8
        assert old not in copyreg.dispatch_table


def test_a_type_that_has_another_reducer_is_a_conflict_and_nothing_is_installed(write, module):
    handles = importlib.import_module("handles_module")
    copyreg.pickle(handles.Handle, handles.reduce_twice)
    path = write(rows("reduce_handle"))
    with pytest.raises(extreg.ExtregError, match=rf"{path}:5.*reduce_twice") as caught:
        extreg.install(path)
    assert type(caught.value).__name__ == "ReducerError"
    assert copyreg._extension_registry == {}
    with extreg.install(path, on_conflict="replace"):
        assert roundtrip(7)[0] == 7
    assert copyreg.dispatch_table[handles.Handle] is handles.reduce_twice


def test_a_function_that_returns_no_reduction_is_named_with_its_line(write, module):
    path = write(rows("reduce_badly"))
    extreg.install(path)
    with pytest.raises(pickle.PicklingError, match=rf"{path}:5"):
        roundtrip(7)


def test_a_reload_that_fails_leaves_codes_and_reducers_as_they_were(write, module):
    handles = importlib.import_module("handles_module")
    installation = extreg.install(write(rows("reduce_handle")))
    write(
        '[codes]\n301 = "handles_module:reduce_twice"\n'
        + rows("reduce_handle", code=False).replace("Handle", "Missing")
    )
    with pytest.raises(extreg.ExtregError, match="Missing"):
        installation.reload()
    assert copyreg._inverted_registry == {300: ("handles_module", "Handle")}
    assert roundtrip(7)[0] == 7
    assert handles.Handle in copyreg.dispatch_table


def test_two_installations_with_the_same_reducer_share_it(write, module):
    one = extreg.install(write(rows("reduce_handle", code=False)))
    two = extreg.install(write(rows("reduce_handle"), "two.toml"))
    assert roundtrip(7)[0] == 7
    one.uninstall()
    assert roundtrip(7)[0] == 7
    two.uninstall()
    with pytest.raises(TypeError, match="cannot pickle Handle"):
        roundtrip(7)
