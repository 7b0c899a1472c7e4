"""The reload watcher: no stale class after importlib.reload, %autoreload, or del sys.modules and import."""

import copyreg
import importlib
import os
import pickle
import subprocess
import sys
import textwrap

import pytest

import extreg

CODED = b"\x80\x04\x83\x2c\x01."  # EXT2 300


@pytest.fixture
def module(tmp_path, monkeypatch, write):
    """A module with a class that has a code, on the import path; yields a function to rewrite it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two writes within one second must both be seen

    def rewrite(text):
        (tmp_path / "watched_module.py").write_text(textwrap.dedent(text))
        importlib.invalidate_caches()

    rewrite("class Thing: version = 1")
    write('[codes]\n300 = "watched_module:Thing"')
    yield rewrite
    sys.modules.pop("watched_module", None)


def loaded():
    return pickle.loads(CODED)


def test_without_the_watcher_the_cache_serves_the_old_class(module, tmp_path):
    extreg.install(tmp_path)
    assert loaded().version == 1
    module("class Thing: version = 2")
    importlib.reload(sys.modules["watched_module"])
    assert loaded().version == 1  # the trap that the watcher is for


@pytest.mark.parametrize("imported_first", [False, True])
def test_after_a_reload_the_new_class_is_loaded(module, tmp_path, imported_first):
    if imported_first:
        import watched_module  # noqa: F401
    with extreg.install(tmp_path, watch_reloads=True):
        assert loaded().version == 1
        module("class Thing: version = 2")
        importlib.reload(sys.modules["watched_module"])
        assert loaded().version == 2
        assert pickle.loads(pickle.dumps(loaded()())).version == 2


def test_pickles_that_the_module_loads_while_it_runs_leave_nothing_behind(module, tmp_path):
    with extreg.install(tmp_path, watch_reloads=True):
        assert loaded().version == 1
        module(
            f"""
            import pickle
            class Thing: version = "early"
            assert pickle.loads({CODED!r}) is Thing  # not the class of the former life
            class Thing: version = 2
            """
        )
        importlib.reload(sys.modules["watched_module"])
        assert loaded().version == 2


def test_a_reload_that_raises_half_way_leaves_the_cache_empty_for_the_module(module, tmp_path):
    with extreg.install(tmp_path, watch_reloads=True):
        assert loaded().version == 1
        module(f"import pickle\nclass Thing: version = 2\npickle.loads({CODED!r})\nraise RuntimeError('half-way')")
        with pytest.raises(RuntimeError, match="half-way"):
            importlib.reload(sys.modules["watched_module"])
        assert 300 not in copyreg._extension_cache
        assert loaded().version == 2  # as by name


def test_a_module_deleted_and_imported_again_is_noticed(module, tmp_path):
    with extreg.install(tmp_path, watch_reloads=True):
        assert loaded().version == 1
        module("class Thing: version = 2")
        del sys.modules["watched_module"]
        import watched_module

        assert loaded() is watched_module.Thing


def test_other_modules_codes_stay_cached_and_subscribers_hear_of_the_evicted(module, tmp_path, write):
    write('[codes]\n300 = "watched_module:Thing"\n301 = "decimal:Decimal"')
    told = []
    with extreg.install(tmp_path, watch_reloads=True):
        assert loaded().version == 1
        pickle.loads(b"\x80\x04\x83\x2d\x01.")
        with extreg.on_clear(told.append):
            importlib.reload(sys.modules["watched_module"])
        assert list(copyreg._extension_cache) == [301]
    assert told == [{300}, {300}]  # before the module's code runs and after


def test_the_watcher_leaves_with_the_last_installation_that_wants_it(module, tmp_path, write):
    finders = list(sys.meta_path)
    one = extreg.install(tmp_path, watch_reloads=True)
    two = extreg.install(write('[codes]\n400 = "a:B"', "two.toml"), watch_reloads=True)
    assert sys.meta_path != finders
    one.uninstall()
    assert sys.meta_path != finders
    two.uninstall()
    assert sys.meta_path == finders


def test_codes_that_a_reload_of_the_registry_brings_are_watched_too(module, tmp_path, write):
    write("")
    with extreg.install(tmp_path, watch_reloads=True) as installation:
        write('[codes]\n300 = "watched_module:Thing"')
        installation.reload()
        assert loaded().version == 1
        module("class Thing: version = 2")
        importlib.reload(sys.modules["watched_module"])
        assert loaded().version == 2


def test_autoreload_in_ipython_serves_the_new_class(tmp_path):
    pytest.importorskip("IPython", reason='pip install ".[test-full]"')
    (tmp_path / "registry.toml").write_text('format = 1\n[codes]\n300 = "watched_module:Thing"')
    (tmp_path / "watched_module.py").write_text("class Thing:\n    version = 1\n")
    script = f"""
%load_ext autoreload
%autoreload 2
%load_ext extreg
import extreg, pickle, os, watched_module
_ = extreg.install()
print("first", pickle.loads({CODED!r}).version)
text = "class Thing:\\n    version = 2\\n    def more(self): return 3\\n"
_ = __import__("pathlib").Path("watched_module.py").write_text(text)
os.utime("watched_module.py", (2e9, 2e9))
print("second", pickle.loads({CODED!r}).version, pickle.loads({CODED!r}) is watched_module.Thing)
print("third", pickle.loads(pickle.dumps(watched_module.Thing())).more())
"""
    (tmp_path / "cells.ipy").write_text(script)
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython"), "PYTHONPATH": str(tmp_path)}
    program = (
        "from IPython.core.interactiveshell import InteractiveShell as S; s = S.instance()\n"
        "for cell in open('cells.ipy').read().strip().splitlines():\n"
        "    s.run_cell(cell).raise_error()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    assert lines[-3:] == ["first 1", "second 2 True", "third 3"], done.stdout + done.stderr
