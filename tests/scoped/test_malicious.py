"""What the test suites of public scanners (picklescan, fickling, modelscan) hold against a loader, rebuilt by hand.

Each target is called in every way a pickle can name it, and by extension code with copyreg and its cache prepared.
`extreg.loads` has to stop each before anything is imported or run, which an audit hook watches.
"""

import copyreg
import pickle
import sys
from contextlib import contextmanager

import pytest

import extreg
from extreg.errors import ForbiddenGlobalError
from extreg.registry.model import Registry
from extreg.scoped.basics import BASICS

from . import forms

REGISTRY = Registry(
    codes={300: "decimal:Decimal", 301: "fractions:Fraction"},
    load_only={302: "uuid:UUID"},
    retired={303: "os:system"},
)

CALLS = [
    # Commands and processes.
    ("os", "system", "true"),
    ("posix", "system", "true"),
    ("nt", "system", "true"),
    ("os", "popen", "true"),
    ("os", "execv", "/bin/true", ["true"]),
    ("os", "spawnlp", 0, "true", "true"),
    ("os", "remove", "canary"),
    ("os", "putenv", "CANARY", "1"),
    ("subprocess", "Popen", ["true"]),
    ("subprocess", "run", ["true"]),
    ("subprocess", "call", ["true"]),
    ("subprocess", "check_output", ["true"]),
    ("subprocess", "getoutput", "true"),
    ("commands", "getoutput", "true"),
    ("pty", "spawn", "true"),
    ("asyncio.unix_events", "_UnixSubprocessTransport._start", None, "true"),
    ("multiprocessing.util", "spawnv_passfds", b"/bin/true", [b"true"], ()),
    ("distutils.spawn", "spawn", ["true"]),
    ("_posixsubprocess", "fork_exec"),
    ("webbrowser", "open", "http://localhost"),
    # Code.
    ("builtins", "eval", "1"),
    ("__builtin__", "eval", "1"),
    ("builtins", "exec", "1"),
    ("__builtin__", "execfile", "canary"),
    ("builtins", "compile", "1", "", "exec"),
    ("builtins", "__import__", "this"),
    ("builtins", "getattr", "", "join"),
    ("builtins", "globals"),
    ("builtins", "open", "canary", "w"),
    ("builtins", "breakpoint"),
    ("builtins", "type", "X", (), {}),
    ("builtins", "map", None, []),
    ("__builtin__", "apply", None, []),
    ("__builtin__", "reduce", None, []),
    ("importlib", "import_module", "this"),
    ("importlib.machinery", "SourceFileLoader", "this", "this.py"),
    ("imp", "load_source", "canary", "canary.py"),
    ("runpy", "run_path", "canary.py"),
    ("runpy", "_run_code", "1", {}),
    ("code", "InteractiveInterpreter"),
    ("code", "InteractiveInterpreter.runcode", None, "1"),
    ("cProfile", "run", "1"),
    ("cProfile", "runctx", "1", {}, {}),
    ("profile", "run", "1"),
    ("trace", "Trace.run", None, "1"),
    ("timeit", "timeit", "1"),
    ("bdb", "Bdb.run", None, "1"),
    ("pdb", "run", "1"),
    ("doctest", "debug_script", "1"),
    ("test.support.script_helper", "assert_python_ok", "-c", "1"),
    ("idlelib.pyshell", "ModifiedInterpreter.runcode", None, "1"),
    ("idlelib.run", "Executive.runcode", None, "1"),
    ("lib2to3.pgen2.pgen", "ParserGenerator.make_label", None, None, "1"),
    ("types", "FunctionType"),
    ("types", "CodeType"),
    ("marshal", "loads", b"N"),
    ("pydoc", "locate", "this"),
    ("pydoc", "pipepager", "text", "true"),
    ("pkgutil", "resolve_name", "os:system"),
    ("zipimport", "zipimporter", "canary"),
    ("ctypes", "CDLL", "libc.so.6"),
    ("ctypes", "PyDLL", "libc.so.6"),
    ("_ctypes", "dlopen", "libc.so.6"),
    ("gc", "get_objects"),
    ("sys", "exit", 0),
    ("sys", "settrace", None),
    ("signal", "raise_signal", 15),
    ("logging.config", "listen", 0),
    ("pip", "main", ["list"]),
    ("pip._internal", "main", ["list"]),
    ("venv", "create", "canary"),
    ("ensurepip", "_run_pip", ["list"]),
    # Ways to get at something else.
    ("operator", "attrgetter", "system"),
    ("operator", "methodcaller", "system", "true"),
    ("operator", "itemgetter", 0),
    ("_operator", "attrgetter", "system"),
    ("functools", "partial", "true"),
    ("functools", "reduce", None, []),
    ("itertools", "starmap", None, []),
    ("copyreg", "__newobj__", None),
    ("copyreg", "add_extension", "os", "system", 300),
    ("copyreg", "_extension_cache.__setitem__", 300, None),
    ("inspect", "getattr_static", "", "join"),
    ("fractions", "Fraction.__init__.__globals__"),
    ("fractions", "Decimal"),
    ("fractions", "sys.modules"),
    ("decimal", "Decimal.from_float", 1.0),
    ("decimal", "Decimal.__new__"),
    ("decimal", "Decimal."),
    ("decimal", ".Decimal"),
    ("uuid", "os.system", "true"),
    ("uuid", "UUID.__class__"),
    # Files and the network.
    ("io", "FileIO", "canary", "w"),
    ("shutil", "rmtree", "canary"),
    ("tempfile", "mktemp"),
    ("logging", "FileHandler", "canary"),
    ("linecache", "getline", "canary", 1),
    ("socket", "create_connection", ("localhost", 9)),
    ("socket", "socket"),
    ("ssl", "get_server_certificate", ("localhost", 9)),
    ("httplib", "HTTPSConnection", "localhost"),
    ("http.client", "HTTPSConnection", "localhost"),
    ("urllib.request", "urlopen", "file:///canary"),
    ("requests.api", "get", "http://localhost"),
    ("aiohttp.client", "ClientSession"),
    ("smtplib", "SMTP", "localhost"),
    ("sqlite3", "connect", "canary"),
    # Pickles in pickles, and other libraries' loaders.
    ("pickle", "loads", b"N."),
    ("cPickle", "loads", b"N."),
    ("_pickle", "loads", b"N."),
    ("dill._dill", "_create_function"),
    ("cloudpickle.cloudpickle", "_make_function"),
    ("joblib", "load", "canary"),
    ("numpy", "load", "canary"),
    ("numpy.testing._private.utils", "runstring", "1", {}),
    ("numpy.f2py.crackfortran", "getlincoef", "1", {}),
    ("pandas", "read_pickle", "canary"),
    ("torch", "load", "canary"),
    ("torch.serialization", "load", "canary"),
    ("torch.hub", "load", "canary"),
    ("torch._inductor.codecache", "compile_file", "1", "2", ["true"]),
    ("torch.utils._config_module", "load_config"),
    ("keras.models", "load_model", "canary"),
    ("tensorflow.io", "read_file", "canary"),
    ("sklearn.externals.joblib", "load", "canary"),
    # Names that only look right.
    ("decimal\x00", "Decimal", "1"),
    (" decimal", "Decimal", "1"),
    ("decimal", "Decimal ", "1"),
    ("", "300"),
    (" ", "300"),
    ("Decimal", "decimal"),
    ("DECIMAL", "Decimal", "1"),
    ("de\u0441imal", "Decimal", "1"),  # one letter of the first name is Cyrillic
]

WATCHED = ("import", "exec", "compile", "open", "os.", "subprocess.", "socket.", "ctypes.", "pickle.", "sys.", "code.")


class Watch:
    """What happened while it was watching."""

    def __init__(self):
        self.on = False
        self.seen = []
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        if self.on and event.startswith(WATCHED):
            self.seen.append((event, arguments))

    @contextmanager
    def nothing_happens(self):
        self.seen.clear()
        modules = set(sys.modules)
        self.on = True
        try:
            yield
        finally:
            self.on = False
        assert self.seen == []
        assert set(sys.modules) == modules

    @contextmanager
    def nothing_but_what_is_permitted(self):
        """With ``check="each"`` what stands before a refusal is looked up, imported and called."""
        self.seen.clear()
        self.on = True
        try:
            yield
        finally:
            self.on = False
        # Decimal and its like stand in front of some refusals.
        permitted = {("decimal", "Decimal"), ("fractions", "Fraction"), ("uuid", "UUID")}
        for event, arguments in self.seen:
            assert event == "pickle.find_class", (event, arguments)
            assert arguments in permitted | set(BASICS)


@pytest.fixture(scope="module")
def watch():
    # What is compiled and imported when it is first used is there before anything is watched.
    for data in (b"\x80\x04\x8c\x01a\x8c\x01b\x93h\x00\x93.", b"Vx\nVy\n\x93.", pickle.dumps([1.5] * 50000, 4)):
        for size in (1, 600):
            with pytest.raises(ForbiddenGlobalError):
                extreg.loads(data[:-1] + b"0N" * size + b"cx\ny\n.", REGISTRY)
    return Watch()


def stopped(data, watch):
    """Return the error that `data` is refused with."""
    with watch.nothing_happens(), pytest.raises(ForbiddenGlobalError) as caught:
        extreg.loads(data, REGISTRY)
    # An unpickler reads the names of an INST as ASCII, and so does not come to ask for others.
    refusals = (ForbiddenGlobalError, UnicodeDecodeError)
    with watch.nothing_but_what_is_permitted(), pytest.raises(refusals) as each:
        extreg.loads(data, REGISTRY, check="each")
    assert each.type is UnicodeDecodeError or str(each.value) == str(caught.value)
    return caught.value


@pytest.mark.parametrize("form", forms.FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]}:{call[1]}".encode("unicode_escape").decode())
def test_a_call_is_stopped_however_it_is_written(call, form, watch):
    assert len(stopped(form(*call), watch).offenders) == 1


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]}:{call[1]}".encode("unicode_escape").decode())
def test_a_call_by_code_is_stopped_whatever_copyreg_knows(call, warm, watch):
    """The code is installed for the worst there is, and has been loaded before; 303 is retired."""
    ran = []
    for code in (7, 239, 299, 303, 70000):
        copyreg._inverted_registry[code] = call[:2]
        if warm:
            copyreg._extension_cache[code] = lambda *arguments: ran.append(arguments)
        error = stopped(forms.by_code(code, *call[2:]), watch)
        assert ran == []
        assert [offender.what.startswith(f"code {code}") for offender in error.offenders] == [True]


def test_the_harness_would_notice_a_call():
    """The same bytes do act where pickle itself loads them."""
    ran = []
    copyreg._inverted_registry[7] = ("os", "system")
    copyreg._extension_cache[7] = ran.append
    pickle.loads(forms.by_code(7, "true"))
    assert ran == ["true"]


@pytest.mark.parametrize("code", [300, 302])
def test_a_poisoned_cache_is_not_asked_for_a_permitted_code(code):
    ran = []
    copyreg._inverted_registry[code] = ("os", "system")
    copyreg._extension_cache[code] = ran.append
    value = "1" * 32
    found = extreg.loads(forms.by_code(code, value), REGISTRY)
    assert (type(found).__name__, ran) == ({300: "Decimal", 302: "UUID"}[code], [])
    assert copyreg._extension_cache[code] == ran.append


def test_each_wall_holds_without_the_other(monkeypatch):
    """With the check blinded, the unpickler itself refuses what is forbidden."""
    monkeypatch.setattr("extreg.scoped.permits.Permits._look", lambda _, data, *__: (len(data), [], []))
    held = 0
    for call in CALLS:
        for form in forms.FORMS:
            with pytest.raises((ForbiddenGlobalError, pickle.UnpicklingError, EOFError, ValueError)) as caught:
                extreg.loads(form(*call), REGISTRY)
            held += caught.type is ForbiddenGlobalError
    assert held > len(CALLS) * len(forms.FORMS) * 0.8


def chains():
    """Yield the samples that are more than one call."""
    # 2011, "Sour Pickles": compile, eval in the caller's globals, and apply of a method that getattr found.
    yield (
        "globals, compile, eval",
        (
            b"c__builtin__\nglobals\n(tRp100\n0c__builtin__\ncompile\n(S'a=1'\nS''\nS'exec'\ntRp101\n0"
            b"c__builtin__\neval\n(g101\ng100\ntRp102\n0c__builtin__\ngetattr\n(c__builtin__\ndict\nS'get'\ntRp103\n0"
            b"c__builtin__\napply\n(g103\n(g100\nS'a'\nltRp104\n0g104\n."
        ),
    )
    get = forms.text("builtins") + forms.text("getattr") + b"\x93"
    importer = forms.text("importlib") + forms.text("import_module") + b"\x93" + forms.text("os") + b"\x85R"
    yield (
        "getattr of an import",
        b"\x80\x05" + get + importer + forms.text("system") + b"\x86R" + forms.text("true") + b"\x85R.",
    )
    attr = forms.text("operator") + forms.text("attrgetter") + b"\x93" + forms.text("system") + b"\x85R"
    module = forms.text("builtins") + forms.text("__import__") + b"\x93" + forms.text("os") + b"\x85R"
    yield "attrgetter of an import", b"\x80\x04" + attr + module + b"\x85R" + forms.text("true") + b"\x85R."
    yield (
        "sys.modules replaced",
        (
            b"\x80\x04csys\nmodules\np0\n0g0\nS'sys'\ncsys\nmodules\nscsys\nget\n(S'os'\ntRp1\n0g0\nS'sys'\ng1\ns"
            b"csys\nsystem\n(S'true'\ntR."
        ),
    )
    yield (
        "marshalled function",
        (
            b"\x80\x04"
            + forms.text("types")
            + forms.text("FunctionType")
            + b"\x93"
            + forms.text("marshal")
            + forms.text("loads")
            + b"\x93C\x01N\x85R}\x86R)R."
        ),
    )
    yield "state by a function", b"\x80\x02cdecimal\nDecimal\n)\x81}V__setstate__\ncos\nsystem\nsbVtrue\nb."
    yield "state put on a class", b"\x80\x02cdecimal\nDecimal\nN}V__reduce__\ncos\nsystem\ns\x86b."
    yield "a pickle that covers its tracks", b"cos\nsystem\n(S'true'\ntR0N."
    yield (
        "a call nobody waits for",
        b"\x80\x04"
        + forms.text("pty")
        + forms.text("spawn")
        + b"\x93"
        + forms.text("true")
        + b"\x85R"
        + forms.text("x")
        + b"b.",
    )
    yield "keys that are objects", b"\x80\x02}cdecimal\nDecimal\n(tRcos\ngetcwd\n)Rs."


@pytest.mark.parametrize(("name", "data"), list(chains()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_chain_is_stopped_before_its_first_link(name, data, watch):
    stopped(data, watch)


def test_all_offenders_are_told_with_their_places_and_commands(watch):
    data = b"\x80\x04cos\nsystem\n0cos\nsystem\n0" + forms.by_code(303)[2:-3] + b"0\x82\x07ca b\nc d\n."
    error = stopped(data, watch)
    told = [(offender.what, offender.offsets, offender.target) for offender in error.offenders]
    assert told == [
        ("os:system", (2, 14), "os:system"),
        ("code 303, retired, which was os:system", (26,), "os:system"),
        ("code 7", (31,), None),
        ("a b:c d", (33,), None),
    ]
    assert "extreg add" not in str(error)  # nobody should type that for os.system


def test_a_command_in_a_message_can_be_pasted(watch):
    """The name comes from whoever wrote the pickle, and a shell would read it."""
    error = stopped(b"\x80\x04ca;reboot\n$(reboot)\n.", watch)
    assert error.offenders[0].cure == "extreg add 'a;reboot:$(reboot)'"
    assert str(stopped(b"\x80\x04ca\x1b[2J\nb\n.", watch)).isascii()


def test_python_2_names_are_what_they_lead_to(watch):
    registry = Registry(codes={300: "queue:Queue", 301: "dbm:open"})
    assert extreg.loads(b"\x80\x02cQueue\nQueue\n.", registry).__module__ == "queue"
    for data in (b"\x80\x03cQueue\nQueue\n.", b"\x80\x02cdbm\nopen\n."):
        with watch.nothing_happens(), pytest.raises(ForbiddenGlobalError):
            extreg.loads(data, registry)
    with watch.nothing_happens(), pytest.raises(ForbiddenGlobalError):
        extreg.loads(b"\x80\x02cQueue\nQueue\n.", registry, fix_imports=False)


def test_only_the_first_pickle_counts_and_only_it_is_loaded():
    assert extreg.loads(b"N." + forms.by_global("os", "system", "true"), REGISTRY) is None
