"""Plain pickle finds former names; imports, probes and everything else find what they would find anyway."""

import importlib
import importlib.util
import io
import pickle
import pkgutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from extreg import healing

UNPICKLERS = {
    "C": lambda data: pickle.loads(data),
    "a class in C": lambda data: pickle.Unpickler(io.BytesIO(data)).load(),
    "Python": lambda data: pickle._loads(data),
    "a subclass": lambda data: Finding(io.BytesIO(data)).load(),
    "a subclass in Python": lambda data: FindingInPython(io.BytesIO(data)).load(),
    "within a map": lambda data: next(map(pickle.loads, [data])),
}


class Finding(pickle.Unpickler):
    def find_class(self, module, name):
        return super().find_class(module, name)


class FindingInPython(pickle._Unpickler):
    def find_class(self, module, name):
        return super().find_class(module, name)


NEW = """
class Box:
    class Lid:
        pass
"""
LAZY = """
def __getattr__(name):
    if name == "Lazy":
        return 7
    raise AttributeError(name)
"""
LAZY_CLASS = """
import sys, types

class Module(types.ModuleType):
    def __getattr__(self, name):
        if name == "Lazy":
            return 7
        raise AttributeError(name)

sys.modules[__name__].__class__ = Module
"""
NAMELESS = """
class Thing:
    def __reduce__(self):
        return "thing"

Thing.__module__ = None
thing = Thing()
"""
BOX = {"hshop.old.boxes:Box": ["hshop.new:Box"], "hshop.old.boxes:Box.Lid": ["hshop.new:Box.Lid"]}


def written(protocol, module, name):
    """Return pickles of the global `name` of `module` as they were written before it moved."""
    one = f"c{module}\n{name}\n.".encode()
    yield (b"\x80%c" % protocol if protocol > 1 else b"") + one
    if protocol >= 4:
        parts = [b"\x8c%c%s" % (len(text), text.encode()) for text in (module, name)]
        yield b"\x80%c%s\x94%s\x94\x93." % (protocol, *parts)


@pytest.mark.parametrize("how", UNPICKLERS)
@pytest.mark.parametrize("protocol", range(6))
def test_a_name_of_a_module_that_is_gone_is_found(how, protocol, project, heal):
    project(hshop__new=NEW)
    load = UNPICKLERS[how]
    for data in written(protocol, "hshop.old.boxes", "Box"):
        with pytest.raises(ModuleNotFoundError):
            load(data)
    heal(rows=BOX)
    import hshop

    before = dict(vars(hshop))
    for data in written(protocol, "hshop.old.boxes", "Box"):
        box = load(data)
        assert box is load(data)
        assert box is sys.modules["hshop.new"].Box
    # The new module is a module of its package; nothing else was added.
    assert {name: vars(hshop)[name] for name in vars(hshop) if name != "new"} == before
    for data in written(protocol, "hshop.old.boxes", "Box.Lid"):
        assert load(data) is box.Lid
    for name in ("Bag", "__loader__", "__dict__", "__class__", "__init__", "__getattribute__"):
        for data in written(protocol, "hshop.old.boxes", name):
            with pytest.raises(AttributeError):
                load(data)


@pytest.mark.parametrize("how", UNPICKLERS)
def test_an_instance_by_inst_and_a_nested_name(how, project, heal):
    project(hshop__new=NEW)
    heal(rows=BOX)
    load = UNPICKLERS[how]
    box = load(b"(ihshop.old.boxes\nBox\n.")
    assert type(box).__module__ == "hshop.new"
    nested = b"\x80\x04\x8c\x0fhshop.old.boxes\x8c\x07Box.Lid\x93)\x81."
    assert type(load(nested)) is type(box).Lid


def test_only_a_nested_name_is_known(project, heal):
    project(hshop__new=NEW)
    heal(rows={"hshop.old.boxes:Case.Lid": ["hshop.new:Box.Lid"]})
    for protocol in range(6):
        for data in written(protocol, "hshop.old.boxes", "Case.Lid"):
            assert pickle.loads(data).__qualname__ == "Box.Lid"
    for name in ("Case.Top", "Case.__class__", "Cas.Lid", "Case.Lid.more"):
        with pytest.raises(AttributeError):
            pickle.loads(list(written(4, "hshop.old.boxes", name))[1])


def probes(name):
    """Return what everybody but an unpickler gets to hear of the module `name`."""

    def told(ask):
        try:
            return ask()
        except Exception as error:
            return type(error), str(error)

    above = name.rpartition(".")[0]

    def statement():
        namespace = {}
        exec(f"import {name}", namespace)
        return namespace

    def from_statement():
        exec(f"from {name} import Box", {})

    def from_above():
        exec(f"from {above} import {name.rpartition('.')[2]}", {})

    return {
        "import": told(statement),
        "from": told(from_statement),
        "from above": told(from_above),
        "import_module": told(lambda: importlib.import_module(name)),
        "__import__": told(lambda: __import__(name)),
        "find_spec": told(lambda: importlib.util.find_spec(name)),
        "resolve_name": told(lambda: pkgutil.resolve_name(name)),
        "importorskip": told(lambda: importorskip(name)),
        "walk": told(
            lambda: [found.name for found in pkgutil.iter_modules(sys.modules[above.partition(".")[0]].__path__)]
        ),
        "in sys.modules": name in sys.modules,
    }


def importorskip(name):
    try:
        return pytest.importorskip(name, exc_type=ImportError)
    except pytest.skip.Exception:
        return "skipped"


@pytest.mark.parametrize("name", ["hshop.boxes", "hshop.old.boxes"])
def test_everybody_else_hears_what_they_would_hear_anyway(name, project, heal):
    project(hshop__new=NEW)
    import hshop  # noqa: F401

    expected = probes(name)
    assert expected["import"][0] is ModuleNotFoundError
    heal(rows={f"{name}:Box": ["hshop.new:Box"]})
    assert probes(name) == expected


def test_what_a_package_had_by_that_name_stays(project, heal):
    """As numpy has ``numpy.char`` and had a module of that name."""
    project(hshop__new=NEW, hshop="class boxes:\n    Box = 1\n")
    import hshop

    before = hshop.boxes
    owner = heal(rows={"hshop.boxes:Box": ["hshop.new:Box"]})
    assert pickle.loads(b"chshop.boxes\nBox\n.").__name__ == "Box"
    assert hshop.boxes is before
    healing.stop(owner)
    assert hshop.boxes is before
    with pytest.raises(ModuleNotFoundError):
        pickle.loads(b"chshop.boxes\nBox\n.")


def test_a_left_over_folder_counts_as_gone(project, heal):
    folder = project(hshop__new=NEW)
    (folder / "hshop" / "boxes" / "__pycache__").mkdir(parents=True)
    heal(rows={"hshop.boxes:Box": ["hshop.new:Box"]})
    assert pickle.loads(b"chshop.boxes\nBox\n.").__name__ == "Box"
    if len(sys._current_frames()) > 1 and sys.version_info < (3, 11):
        return  # it stays, and whoever imports it is not told
    namespace = importlib.import_module("hshop.boxes")
    assert not hasattr(namespace, "Box")
    assert list(namespace.__path__) == [str(folder / "hshop" / "boxes")]


def test_a_living_module_that_lost_a_name_answers_for_it(project, heal):
    project(hshop__new=NEW, hshop__boxes="class Bag: pass\n")
    heal(rows={"hshop.boxes:Box": ["hshop.new:Box"], "hshop.boxes:Bag": ["hshop.new:Box"]})
    for protocol in range(6):
        for data in written(protocol, "hshop.boxes", "Box"):
            assert pickle.loads(data).__module__ == "hshop.new"
        for data in written(protocol, "hshop.boxes", "Bag"):
            assert pickle.loads(data).__module__ == "hshop.boxes"  # what it still has comes first


@pytest.mark.parametrize("imported", ["before", "after"])
@pytest.mark.parametrize(
    "own", ["", "def __getattr__(name):\n    if name == 'Lazy':\n        return 7\n    raise AttributeError(name)\n"]
)
def test_a_module_s_own_getattr_is_asked_first_and_is_back_in_the_end(own, imported, project, heal):
    project(hshop__new=NEW, hshop__boxes=own)
    if imported == "before":
        importlib.import_module("hshop.boxes")
    owner = heal(rows={"hshop.boxes:Box": ["hshop.new:Box"], "hshop.boxes:Lazy": ["hshop.new:Box"]})
    module = importlib.import_module("hshop.boxes")
    assert pickle.loads(b"chshop.boxes\nBox\n.").__name__ == "Box"
    found = pickle.loads(b"chshop.boxes\nLazy\n.")
    assert found == 7 if own else found.__name__ == "Box"
    with pytest.raises(AttributeError, match="Nothing"):
        module.Nothing  # noqa: B018
    importlib.reload(module)
    assert pickle.loads(b"chshop.boxes\nBox\n.").__name__ == "Box"
    healing.stop(owner)
    assert ("__getattr__" in vars(module)) == bool(own)
    if own:
        assert vars(module)["__getattr__"].__globals__ is vars(module)
    with pytest.raises(AttributeError):
        pickle.loads(b"chshop.boxes\nBox\n.")


def test_the_getattr_of_a_module_s_class_is_asked_first(project, heal):
    project(hshop__new=NEW, hshop__boxes=LAZY_CLASS)
    heal(rows={"hshop.boxes:Box": ["hshop.new:Box"], "hshop.boxes:Lazy": ["hshop.new:Box"]})
    assert pickle.loads(b"chshop.boxes\nLazy\n.") == 7
    assert pickle.loads(b"chshop.boxes\nBox\n.").__name__ == "Box"


def test_a_wrapped_answer_passes_through(project, heal):
    project(hshop__new=NEW, hshop__boxes="")
    owner = heal(rows={"hshop.boxes:Box": ["hshop.new:Box"]})
    module = importlib.import_module("hshop.boxes")
    ours = vars(module)["__getattr__"]
    module.__getattr__ = lambda name: 8 if name == "Eight" else ours(name)
    assert pickle.loads(b"chshop.boxes\nBox\n.").__name__ == "Box"
    healing.stop(owner)
    assert module.Eight == 8
    with pytest.raises(AttributeError):
        module.Box  # noqa: B018


def test_what_has_no_module_of_its_own_is_not_handed_out(project, heal):
    """`whichmodule` looks for such objects in all modules, and would dump them under the former name."""
    project(hshop__new=NAMELESS, hshop__boxes="")
    heal(rows={"hshop.boxes:thing": ["hshop.new:thing"], "hshop.gone:thing": ["hshop.new:thing"]})
    boxes, new = importlib.import_module("hshop.boxes"), importlib.import_module("hshop.new")
    assert not hasattr(boxes, "thing")
    assert b"hshop.new" in pickle.dumps(new.thing)
    with pytest.raises(AttributeError):
        pickle.loads(b"chshop.gone\nthing\n.")


def test_a_module_is_not_handed_out(project, heal):
    project(hshop__new="import os\n")
    heal(rows={"hshop.old:os": ["hshop.new:os"]})
    with pytest.raises(AttributeError):
        pickle.loads(b"chshop.old\nos\n.")


def test_what_the_new_module_raises_comes_out(project, heal):
    project(hshop__new="raise RuntimeError('not today')\n", hshop__lacking="import not_there_at_all\n")
    heal(rows={"hshop.old:Box": ["hshop.new:Box"], "hshop.old:Bag": ["hshop.lacking:Bag"]})
    with pytest.raises(RuntimeError, match="not today"):
        pickle.loads(b"chshop.old\nBox\n.")
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        pickle.loads(b"chshop.old\nBag\n.")


def test_what_is_nowhere_says_where_it_should_be(project, heal):
    project(hshop__new="")
    heal(rows={"hshop.old:Box": ["hshop.new:Box", "hnot.there:Box"]})
    with pytest.raises(AttributeError, match=r"hshop.new:Box or hnot.there:Box"):
        pickle.loads(b"chshop.old\nBox\n.")


def test_the_likeliest_that_is_there_is_taken(project, heal):
    project(hshop__new=NEW)
    heal(rows={"hshop.old:Box": ["hnot.there:Box", "hshop.new:Bag", "hshop.new:Box"]})
    assert pickle.loads(b"chshop.old\nBox\n.").__module__ == "hshop.new"


@pytest.mark.parametrize("imported", ["before", "after"])
@pytest.mark.parametrize("how", UNPICKLERS)
def test_a_module_below_one_that_is_no_package(how, imported, project, heal):
    """As ``pathlib._local`` of Python 3.13 is under 3.12."""
    folder = project(hshop__new=NEW)
    (folder / "hlib.py").write_text("Box = 1\n")
    importlib.invalidate_caches()
    if imported == "before":
        importlib.import_module("hlib")
    owner = heal(rows={"hlib._local:Box": ["hshop.new:Box"]})
    for _ in range(2):
        for data in written(4, "hlib._local", "Box"):
            assert UNPICKLERS[how](data).__module__ == "hshop.new"
    assert not hasattr(sys.modules["hlib"], "_local")
    if sys.version_info >= (3, 11):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("hlib._local")
        assert UNPICKLERS[how](data).__module__ == "hshop.new"
    healing.stop(owner)
    assert "hlib._local" not in sys.modules


def test_two_modules_that_ask_each_other(project, heal):
    project(hshop__one="", hshop__two="")
    heal(rows={"hshop.one:Box": ["hshop.two:Box"], "hshop.two:Box": ["hshop.one:Box"]})
    for name in ("one", "two"):
        with pytest.raises(AttributeError):
            pickle.loads(f"chshop.{name}\nBox\n.".encode())


@pytest.mark.parametrize("first", [0, 1])
def test_two_owners_leave_in_any_order(first, project, heal):
    project(hshop__new=NEW)
    owners = [
        heal(rows={"hshop.old:Box": ["hshop.new:Box"]}),
        heal(rows={"hshop.old:Box": ["hshop.new:Box"], "hshop.old:Lid": ["hshop.new:Box.Lid"]}),
    ]
    healing.stop(owners[first])
    healing.stop(owners[first])
    assert pickle.loads(b"chshop.old\nBox\n.").__name__ == "Box"
    if first:
        with pytest.raises(AttributeError):
            pickle.loads(b"chshop.old\nLid\n.")
    healing.stop(owners[not first])
    with pytest.raises(ModuleNotFoundError):
        pickle.loads(b"chshop.old\nBox\n.")


class Late:
    """A finder that comes later, and has the module."""

    def find_spec(self, name, path=None, target=None):
        if name == "hshop.old":
            return importlib.util.spec_from_loader(name, Source())
        return None


class Source:
    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.Box = type("Box", (), {"__module__": "hshop.old"})


def test_a_finder_that_comes_later_is_asked(project, heal):
    project(hshop__new=NEW)
    heal(rows={"hshop.old:Box": ["hshop.new:Box"]})
    assert pickle.loads(b"chshop.old\nBox\n.").__module__ == "hshop.new"
    late = Late()
    sys.meta_path.append(late)
    try:
        assert pickle.loads(b"chshop.old\nBox\n.").__module__ == "hshop.old"
    finally:
        sys.meta_path.remove(late)


class Legacy:
    """A finder from before PEP 451, which the import system asks until 3.11."""

    def find_module(self, name, path=None):
        return self if name == "hshop.old" else None

    def load_module(self, name):
        module = sys.modules[name] = type(sys)(name)
        module.Box = type("Box", (), {"__module__": name})
        return module


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="no such finder is asked any more")
@pytest.mark.filterwarnings("ignore")
def test_an_old_finder_that_has_the_module_is_left_to_find_it(project, heal):
    project(hshop__new=NEW)
    heal(rows={"hshop.old:Box": ["hshop.new:Box"]})
    legacy = Legacy()
    sys.meta_path.append(legacy)
    try:
        assert pickle.loads(b"chshop.old\nBox\n.").__module__ == "hshop.old"
    finally:
        sys.meta_path.remove(legacy)


def test_a_pickle_cannot_change_what_answers(project, heal, tmp_path):
    project(hshop__new=NEW, hshop__boxes="")
    heal(rows={"hshop.old:Box": ["hshop.new:Box"], "hshop.boxes:Box": ["hshop.new:Box"]})
    folder = str(tmp_path).encode()
    for append in (b"chshop.old\n__path__\nV%s\na." % folder, b"chshop.old\n__path__\n(V%s\ne." % folder):
        with pytest.raises(Exception, match=r"append|extend|list|attribute"):
            pickle.loads(append)
        assert pickle.loads(b"chshop.old\n__path__\n.") == ()
    for state in (b"}Vformer\nchshop.new\nBox\ns", b"N}Vformer\nchshop.new\nBox\ns\x86"):
        with suppress(AttributeError):  # PyPy's unpickler says nothing of attributes that cannot be set
            pickle.loads(b"\x80\x02chshop.boxes\n__getattr__\n" + state + b"b.")
        answer = vars(sys.modules["hshop.boxes"])["__getattr__"]
        assert (answer.former, answer.path) == (None, "hshop.boxes")
    with pytest.raises(AttributeError, match="cannot be changed"):
        answer.former = print


def test_a_folder_that_joins_the_path_later_has_the_module(project, heal, tmp_path_factory, monkeypatch):
    project(hshop__new=NEW)
    heal(rows={"hlib.old:Box": ["hshop.new:Box"]})
    assert pickle.loads(b"chlib.old\nBox\n.").__module__ == "hshop.new"
    other = tmp_path_factory.mktemp("other")
    (other / "hlib").mkdir()
    (other / "hlib" / "__init__.py").touch()
    (other / "hlib" / "old.py").write_text(NEW)
    monkeypatch.syspath_prepend(other)
    assert pickle.loads(b"chlib.old\nBox\n.").__module__ == "hlib.old"


def test_a_module_in_a_zip_and_a_lazy_one(project, heal, tmp_path_factory, monkeypatch):
    project(hshop__new=NEW)
    archive = tmp_path_factory.mktemp("zip") / "lib.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("hlib/__init__.py", "")
        file.writestr("hlib/boxes.py", "class Bag: pass\n")
    monkeypatch.syspath_prepend(archive)
    heal(rows={"hlib.boxes:Box": ["hshop.new:Box"], "hlib.gone:Box": ["hshop.new:Box"]})
    spec = importlib.util.find_spec("hlib.boxes")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules["hlib.boxes"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("boxes", "gone"):
        assert pickle.loads(f"chlib.{name}\nBox\n.".encode()).__module__ == "hshop.new"
    assert pickle.loads(b"chlib.boxes\nBag\n.").__module__ == "hlib.boxes"


def test_what_is_no_module_is_left_alone(heal):
    sys.modules["hlib"] = object()
    heal(rows={"hlib:Box": ["hshop.new:Box"]})
    with pytest.raises(AttributeError):
        pickle.loads(b"chlib\nBox\n.")


THREADS = """
import pickle, sys, threading, importlib
from extreg import healing

healing.start(1, [healing.table_of([("hshop.old.boxes:Box", ["hshop.new:Box"])])])
until, problems, rounds = threading.Event(), [], [0, 0]

def load():
    while not until.is_set():
        try:
            if pickle.loads(b"chshop.old.boxes\\nBox\\n.").__module__ != "hshop.new":
                problems.append("another")
            rounds[0] += 1
        except BaseException as error:
            problems.append(error)

def probe():
    while not until.is_set():
        try:
            importlib.import_module("hshop.old.boxes")
        except ModuleNotFoundError:
            rounds[1] += 1

sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=work) for work in (load, load, load, probe)]
for thread in threads:
    thread.start()
until.wait(2)
until.set()
for thread in threads:
    thread.join()
healing.stop(1)
left = [name for name in sys.modules if name.startswith("hshop")]
print(problems[:1], rounds[0] > 0, sorted(left), sorted(name for name in vars(sys.modules["hshop"]) if name[0] != "_"))
"""


@pytest.mark.slow
def test_threads_load_while_others_import(project):
    folder = project(hshop__new=NEW)
    assert run(THREADS, folder) == "[] True ['hshop', 'hshop.new'] ['new']"


def run(program, folder):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["hshop.boxes", "hshop.old.boxes"])
def test_a_program_with_one_thread_has_no_stand_in_left(name, project):
    folder = project(hshop__new=NEW)
    program = f"""
import pickle, sys, tests_of_probes as probes
from extreg import healing
import hshop

expected = probes.probes({name!r})
healing.start(1, [healing.table_of([("{name}:Box", ["hshop.new:Box"])])])
assert probes.probes({name!r}) == expected
for _ in range(2):
    assert pickle.loads(b"c{name}\\nBox\\n.").__name__ == "Box"
    assert probes.probes({name!r}) == expected, (probes.probes({name!r}), expected)
print(expected["import"])
"""
    source = Path(__file__).read_text().partition("def probes(")
    helper = source[2].partition("\n@pytest")[0]
    (folder / "tests_of_probes.py").write_text(
        f"import importlib, importlib.util, pkgutil, sys, pytest\n\n\ndef probes({helper}"
    )
    assert "ModuleNotFoundError" in run(program, folder)


def test_a_program_that_needs_none_imports_nothing_more(tmp_path):
    program = "import sys\nfrom extreg import healing\nbefore = set(sys.modules)\n"
    program += "healing.start(1, [healing.table_of([('hshop.old:Box', ['hshop.new:Box'])])])\nimport json\n"
    program += "print([name for name in sys.modules if name.startswith('extreg') and name not in before])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
