"""What the import hook sees, and what it must leave exactly as it was."""

import importlib
import importlib.util
import os
import sys
import threading
import warnings
import zipfile

import pytest

from extreg import importhook


@pytest.fixture
def log():
    return []


@pytest.fixture
def watched(tmp_path, monkeypatch, log):
    """Watch every module whose name starts with `seen_`; write modules with the function returned."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    class Names:
        def __contains__(self, name):
            return name.startswith("seen_")

    def write(name, text=""):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        importlib.invalidate_caches()
        return path

    unwatch = importhook.watch(
        before=lambda name: log.append(("before", name)),
        after=lambda name, module, failed: log.append(("after", name, sorted(vars(module)), failed)),
        modules=Names(),
    )
    yield write
    unwatch()
    for name in [name for name in sys.modules if name.startswith("seen_")]:
        del sys.modules[name]


def events(log):
    return [(entry[0], entry[1], entry[-1]) if entry[0] == "after" else entry for entry in log]


def test_an_import_is_reported_before_and_after_its_code(watched, log):
    watched("seen_plain.py", "x = 1\n")
    importlib.import_module("seen_plain")
    assert events(log) == [("before", "seen_plain"), ("after", "seen_plain", False)]
    assert "x" in log[-1][2]


def test_unwatched_modules_are_left_to_the_other_finders(watched, log):
    watched("plain_other.py")
    importlib.import_module("plain_other")
    assert log == []
    del sys.modules["plain_other"]


def test_reload_of_a_module_imported_before_the_watch_is_reported(tmp_path, monkeypatch, log):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "early.py").write_text("x = 1\n")
    early = importlib.import_module("early")
    unwatch = importhook.watch(after=lambda *args: log.append(args), modules={"early"})
    try:
        importlib.reload(early)
    finally:
        unwatch()
        del sys.modules["early"]
    assert log == [("early", early, False)]
    importlib.invalidate_caches()


def test_reload_and_removal_with_import_are_reported_each_time(watched, log):
    watched("seen_again.py", "x = 1\n")
    module = importlib.import_module("seen_again")
    importlib.reload(module)
    importlib.reload(module)
    del sys.modules["seen_again"]
    importlib.import_module("seen_again")
    assert events(log) == [("before", "seen_again"), ("after", "seen_again", False)] * 4


def test_a_module_that_raises_is_reported_as_failed_and_its_error_is_untouched(watched, log):
    watched("seen_half.py", "x = 1\nraise LookupError('half')\n")
    with pytest.raises(LookupError, match="half"):
        importlib.import_module("seen_half")
    assert events(log) == [("before", "seen_half"), ("after", "seen_half", True)]
    assert "x" in log[-1][2]
    assert "seen_half" not in sys.modules


def test_a_reload_that_raises_is_reported_as_failed(watched, log):
    path = watched("seen_reraise.py", "x = 1\n")
    module = importlib.import_module("seen_reraise")
    path.write_text("x = 2\nraise LookupError('half')\n# longer\n")
    with pytest.raises(LookupError):
        importlib.reload(module)
    assert events(log)[-1] == ("after", "seen_reraise", True)
    assert module.x == 2


def test_a_running_module_has_its_true_loader_already_and_keeps_it(watched):
    watched("seen_loader.py", "loader_while_running = __loader__\nspec_loader = __spec__.loader\n")
    module = importlib.import_module("seen_loader")
    expected = importlib.machinery.SourceFileLoader
    assert type(module.loader_while_running) is expected
    assert type(module.spec_loader) is expected
    assert type(module.__loader__) is type(module.__spec__.loader) is expected
    importlib.reload(module)
    assert type(module.__loader__) is type(module.__spec__.loader) is expected


def test_the_stand_in_passes_for_the_loader_until_then(watched):
    watched("seen_spec.py", "x = 1\n")
    spec = importlib.util.find_spec("seen_spec")
    assert isinstance(spec.loader, importlib.machinery.SourceFileLoader)
    assert spec.loader.get_source("seen_spec") == "x = 1\n"
    assert "SourceFileLoader" in repr(spec)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.x == 1


def test_namespace_packages_stay_namespace_packages(watched, log, tmp_path):
    watched("seen_space/inner.py", "x = 1\n")
    space = importlib.import_module("seen_space")
    assert list(space.__path__) == [str(tmp_path / "seen_space")]
    assert importlib.import_module("seen_space.inner").x == 1
    assert ("after", "seen_space.inner", False) in events(log)
    importlib.reload(space)


def test_modules_in_a_zip_file_are_reported_with_their_resources(watched, log, tmp_path, monkeypatch):
    from importlib import resources

    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as bundle:
        bundle.writestr("seen_zipped/__init__.py", "x = 1\n")
        bundle.writestr("seen_zipped/data.txt", "text")
    monkeypatch.syspath_prepend(str(tmp_path / "bundle.zip"))
    module = importlib.import_module("seen_zipped")
    assert module.x == 1
    assert ("after", "seen_zipped", False) in events(log)
    assert resources.files("seen_zipped").joinpath("data.txt").read_text() == "text"


def test_a_lazily_loaded_module_is_reported_when_it_is_loaded_and_not_before(watched, log):
    watched("seen_lazy.py", "x = 1\n")

    def lazy():
        sys.modules.pop("seen_lazy", None)
        spec = importlib.util.find_spec("seen_lazy")
        spec.loader = importlib.util.LazyLoader(spec.loader)
        module = importlib.util.module_from_spec(spec)
        sys.modules["seen_lazy"] = module
        spec.loader.exec_module(module)
        return module

    module = lazy()
    assert log == []
    assert importhook.started("seen_lazy") is None
    assert module.x == 1
    assert events(log) == [("before", "seen_lazy"), ("after", "seen_lazy", False)]
    assert importhook.started("seen_lazy") is module


def test_a_finder_that_answers_with_a_lazy_loader_is_followed(watched, log):
    watched("seen_lazyfinder.py", "x = 1\n")

    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name != "seen_lazyfinder":
                return None
            spec = importlib.machinery.PathFinder.find_spec(name, path, target)
            spec.loader = importlib.util.LazyLoader(spec.loader)
            return spec

    sys.meta_path.insert(1, finder := Finder())
    try:
        module = importlib.import_module("seen_lazyfinder")
        assert log == []
        assert module.x == 1
        assert events(log) == [("before", "seen_lazyfinder"), ("after", "seen_lazyfinder", False)]
    finally:
        sys.meta_path.remove(finder)


@pytest.mark.parametrize("position", [0, 1])
def test_a_finder_that_wraps_others_lives_beside_it(watched, log, position):
    """wrapt, ddtrace and others ask importlib.util.find_spec from inside find_spec, behind a guard of their own."""
    watched("seen_wrapped.py", "x = 1\n")

    class Wrapper:
        busy = False

        def find_spec(self, name, path=None, target=None):
            if self.busy or name != "seen_wrapped":
                return None
            self.busy = True
            try:
                return importlib.util.find_spec(name)
            finally:
                self.busy = False

    sys.meta_path.insert(position, wrapper := Wrapper())
    try:
        importlib.import_module("seen_wrapped")
    finally:
        sys.meta_path.remove(wrapper)
    assert events(log) == [("before", "seen_wrapped"), ("after", "seen_wrapped", False)]


def test_a_module_that_replaces_itself_is_reported_as_what_it_became(watched):
    watched(
        "seen_swap.py", "import sys, types\nm = types.ModuleType('seen_swap'); m.y = 5\nsys.modules[__name__] = m\n"
    )
    got = []
    unwatch = importhook.watch(after=lambda name, module, failed: got.append(module), modules={"seen_swap"})
    try:
        module = importlib.import_module("seen_swap")
    finally:
        unwatch()
    assert module.y == 5
    assert got == [module]


def test_a_warning_about_the_importer_still_blames_the_importer(watched, tmp_path):
    watched("seen_warns.py", "import warnings\nwarnings.warn('old', DeprecationWarning, stacklevel=2)\n")
    with pytest.warns(DeprecationWarning, match="old") as caught:
        import seen_warns  # noqa: F401
    assert caught[0].filename == __file__


def test_the_finder_comes_first_and_goes_with_the_last_watch():
    before = list(sys.meta_path)
    first = importhook.watch(modules={"nothing"})
    second = importhook.watch(modules={"nothing"})
    assert type(sys.meta_path[0]).__module__ == "extreg.importhook"
    assert len(sys.meta_path) == len(before) + 1 or before != sys.meta_path[1:]
    first()
    first()
    assert type(sys.meta_path[0]).__module__ == "extreg.importhook"
    second()
    assert sys.meta_path == before


def test_every_callback_runs_and_the_first_error_reaches_the_importer(watched, log):
    watched("seen_cb.py", "x = 1\n")

    def fail(name, module, failed):
        raise LookupError("callback")

    ends = [importhook.watch(after=fail, modules={"seen_cb"})]
    ends.append(importhook.watch(after=lambda *a: log.append(("last",)), modules={"seen_cb"}))
    try:
        with pytest.raises(LookupError, match="callback"):
            importlib.import_module("seen_cb")
    finally:
        for end in ends:
            end()
    assert log[-1] == ("last",)


def test_a_watch_that_ended_while_the_module_ran_is_not_called(watched):
    watched("seen_end.py", "import builtins\nbuiltins._extreg_end()\n")
    import builtins

    got = []
    builtins._extreg_end = importhook.watch(after=lambda *args: got.append(args), modules={"seen_end"})
    try:
        importlib.import_module("seen_end")
    finally:
        del builtins._extreg_end
    assert got == []


def test_threads_that_import_while_watches_come_and_go_see_whole_modules(watched, tmp_path):
    for number in range(40):
        watched(f"seen_t{number}.py", f"x = {number}\n")
    errors = []
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            importhook.watch(after=lambda *args: None)()

    def load():
        try:
            for number in range(40):
                assert importlib.import_module(f"seen_t{number}").x == number
        except BaseException as error:
            errors.append(error)

    churner = threading.Thread(target=churn)
    churner.start()
    loaders = [threading.Thread(target=load) for _ in range(4)]
    for thread in loaders:
        thread.start()
    for thread in loaders:
        thread.join()
    stop.set()
    churner.join()
    assert errors == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_forked_while_the_lock_is_held_can_watch():
    held, release = threading.Event(), threading.Event()

    def hold():
        with importhook._lock:
            held.set()
            release.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of fork with threads, which is the point
        child = os.fork()
    if child == 0:
        importhook.watch(modules={"nothing"})()
        os._exit(0)
    release.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


def test_a_running_module_that_ends_while_it_is_looked_at_is_reported_once():
    from importlib.machinery import ModuleSpec

    spec, module, got = ModuleSpec("seen_race", None), type(sys)("seen_race"), []
    entry = importhook.Watch(None, lambda *args: got.append(args), None)
    monkey = importhook._watches
    importhook._watches = (entry,)
    sys.modules["seen_race"] = module
    try:
        spec._initializing = False
        importhook._await(spec, module, entry)
        spec._initializing = False
    finally:
        importhook._watches = monkey
        del sys.modules["seen_race"]
    assert got == [("seen_race", module, False)]
    assert type(spec) is ModuleSpec
