"""Globals that must not have a code, because of what they do when a pickle calls them.

A code hides a name from those who look for it in pickles, and a registry is the allow-list of `extreg.loads`.  What can
run a program, load code or reach what nobody permitted belongs in neither.

Most rows are whole modules, since new functions come to them with every release.  What is a mere value there
(exceptions, enumerations, named tuples) is excepted, name by name.  Each row gives its reason and the source of that:
a file of CPython's library, a project's documentation, or "experiment" for what was run.
"""

from typing import Final, NamedTuple

from extreg.registry.target import split


class Danger(NamedTuple):
    """What a global does, as the end of a sentence, and where that is to be read."""

    why: str
    source: str


class _Module(NamedTuple):
    """All names of a module, and of those below it if `below`, but for the `harmless` ones."""

    danger: Danger
    harmless: frozenset[str]
    below: bool


_RUNS: Final = "it runs programs, or what it is given as a program"
_LOADS: Final = "it imports or loads whatever it is given the name of"
_UNPICKLES: Final = "it loads a pickle within the pickle, which nobody checks"
_REACHES: Final = "it hands out what nobody permitted: attributes, items or calls by whatever name it is given"
_MAKES: Final = "it makes code out of data"
_FILES: Final = "it opens, changes or removes files by whatever name it is given"
_CONNECTS: Final = "it opens connections to whatever address it is given"
_PROCESS: Final = "it changes the process that loads the pickle, or ends it"

_GETATTR: Final = (
    "every bound method and classmethod is dumped with it, so no pickle of one loads where the code is unknown"
)
_CHILDREN: Final = (
    "spawn and forkserver children load one before they run your code, and die because they have no codes yet"
)


def _modules(why: str, source: str, names: str, harmless: str = "", *, below: bool = False) -> dict[str, _Module]:
    row = _Module(Danger(why, source), frozenset(harmless.split()), below)
    return dict.fromkeys(names.split(), row)


def _names(why: str, source: str, module: str, names: str) -> dict[str, Danger]:
    return {f"{module}:{name}": Danger(why, source) for name in names.split()}


_MODULES: Final[dict[str, _Module]] = {
    **_modules(
        _RUNS,
        "Lib/os.py, Modules/posixmodule.c",
        "os posix nt",
        "DirEntry PathLike error sched_param stat_result statvfs_result terminal_size times_result uname_result "
        "waitid_result",
    ),
    **_modules(
        _RUNS, "Lib/subprocess.py", "subprocess", "CalledProcessError CompletedProcess SubprocessError TimeoutExpired"
    ),
    **_modules(_RUNS, "Lib/pty.py, Modules/_posixsubprocess.c, Lib/_osx_support.py", "pty _posixsubprocess _winapi"),
    **_modules(_RUNS, "Lib/_osx_support.py, Lib/_aix_support.py, Lib/_bootsubprocess.py", "_osx_support _aix_support"),
    **_modules(_RUNS, "Lib/_pyrepl/pager.py", "_pyrepl", below=True),
    **_modules(_RUNS, "Python 2, Lib/commands.py, Lib/popen2.py", "commands popen2"),
    **_modules(_RUNS, "Lib/runpy.py", "runpy", "_Error"),
    **_modules(_RUNS, "Lib/code.py, Lib/codeop.py", "code codeop"),
    **_modules(_RUNS, "Lib/pdb.py, Lib/bdb.py", "pdb bdb", "Restart BdbQuit"),
    **_modules(_RUNS, "Lib/cProfile.py, Lib/profile.py, Lib/timeit.py", "cProfile profile timeit profiling.tracing"),
    **_modules(_RUNS, "Lib/trace.py: runs what it is to count", "trace", "CoverageResults"),
    **_modules(_RUNS, "Lib/doctest.py", "doctest", "DocTestFailure Example TestResults UnexpectedException"),
    **_modules(_RUNS, "Lib/pydoc.py: locate imports, pipepager runs a command", "pydoc", "ErrorDuringImport"),
    **_modules(_RUNS, "Lib/webbrowser.py", "webbrowser", "Error"),
    **_modules(
        _RUNS, "Lib/uuid.py: runs ifconfig and its kin", "uuid", "SafeUUID UUID uuid3 uuid4 uuid5 uuid6 uuid7 uuid8"
    ),
    **_modules(_RUNS, "Lib/venv/__init__.py, Lib/ensurepip/__init__.py", "venv ensurepip", "Package", below=True),
    **_modules(_RUNS, "pip, setuptools: they run what a package brings along", "pip setuptools", below=True),
    **_modules(_RUNS, "Lib/distutils: runs compilers", "distutils numpy.distutils", below=True),
    **_modules(_RUNS, "Lib/test/support/script_helper.py", "test", below=True),
    **_modules(_RUNS, "Lib/idlelib, Lib/lib2to3: they evaluate what they are given", "idlelib lib2to3", below=True),
    **_modules(
        _RUNS,
        "Lib/concurrent/futures, Lib/multiprocessing/pool.py",
        "multiprocessing.pool",
        "MaybeEncodingError RemoteTraceback",
    ),
    **_modules(_RUNS, "Lib/multiprocessing/popen_fork.py and its kin", "multiprocessing.popen_fork"),
    **_modules(_RUNS, "Lib/multiprocessing/popen_spawn_posix.py", "multiprocessing.popen_spawn_posix"),
    **_modules(_RUNS, "numpy/f2py: it compiles, and evaluates expressions", "numpy.f2py", below=True),
    **_modules(_RUNS, "numpy/testing/_private/utils.py, runstring", "numpy.testing._private.utils", "IgnoreException"),
    **_modules(_RUNS, "torch/jit, torch/_dynamo, torch/_inductor: they compile and run", "torch._dynamo", below=True),
    **_modules(_RUNS, "torch/_inductor/codecache.py, compile_file", "torch._inductor", below=True),
    **_modules(_RUNS, "torch/utils/bottleneck/__main__.py", "torch.utils.bottleneck", below=True),
    **_modules(_RUNS, "pexpect: runs programs", "pexpect", below=True),
    **_modules(
        _RUNS,
        "Lib/asyncio: subprocesses, connections and event loops",
        "asyncio",
        "AppProtocolState BrokenBarrierError CancelledError CycleFoundException IncompleteReadError "
        "InvalidStateError LimitOverrunError NodeType QueueEmpty QueueFull QueueShutDown SSLProtocolState "
        "SendfileNotAvailableError TimeoutError",
        below=True,
    ),
    **_modules(
        _LOADS, "Lib/ctypes/__init__.py: shared libraries and raw memory", "ctypes", "ArgumentError", below=True
    ),
    **_modules(_LOADS, "Modules/_ctypes/_ctypes.c", "_ctypes"),
    **_modules(_LOADS, "Lib/importlib/machinery.py: loaders run what they load", "importlib.machinery"),
    **_modules(_LOADS, "Lib/importlib/util.py, Lib/importlib/abc.py", "importlib.util importlib.abc"),
    **_modules(_LOADS, "Lib/importlib/_bootstrap.py", "importlib._bootstrap", "_DeadlockError"),
    **_modules(_LOADS, "Lib/importlib/_bootstrap_external.py", "importlib._bootstrap_external"),
    **_modules(_LOADS, "Lib/importlib/_bootstrap.py, frozen", "_frozen_importlib", "_DeadlockError"),
    **_modules(_LOADS, "Lib/importlib/_bootstrap_external.py, frozen", "_frozen_importlib_external"),
    **_modules(_LOADS, "Python/import.c", "imp _imp"),
    **_modules(_LOADS, "Lib/zipimport.py", "zipimport", "ZipImportError"),
    **_modules(_LOADS, "Lib/pkgutil.py", "pkgutil", "ModuleInfo"),
    **_modules(_LOADS, "Lib/site.py", "site"),
    **_modules(_LOADS, "Lib/logging/config.py: resolves and calls what a configuration names", "logging.config"),
    **_modules(_LOADS, "torch/hub.py", "torch.hub"),
    **_modules(_UNPICKLES, "Lib/pickle.py", "pickle", "PickleBuffer PickleError PicklingError UnpicklingError _Stop"),
    **_modules(_UNPICKLES, "Modules/_pickle.c", "_pickle", "PickleBuffer PickleError PicklingError UnpicklingError"),
    **_modules(_UNPICKLES, "Python 2, Modules/cPickle.c", "cPickle", "PickleError PicklingError UnpicklingError"),
    **_modules(_UNPICKLES, "Lib/shelve.py", "shelve", "ShelveError"),
    **_modules(_UNPICKLES, "Lib/multiprocessing/connection.py", "multiprocessing.connection"),
    **_modules(_UNPICKLES, "joblib/numpy_pickle.py", "joblib.numpy_pickle", "NumpyArrayWrapper"),
    **_modules(_MAKES, "Python/marshal.c", "marshal"),
    **_modules(
        _FILES,
        "Lib/shutil.py",
        "shutil",
        "Error ExecError ReadError RegistryError SameFileError SpecialFileError usage",
    ),
    **_modules(_FILES, "Lib/fileinput.py, Lib/linecache.py", "fileinput linecache"),
    **_modules(
        _FILES, "Lib/compileall.py, Lib/py_compile.py", "compileall py_compile", "PyCompileError PycInvalidationMode"
    ),
    **_modules(_FILES, "Lib/zipapp.py", "zipapp", "ZipAppError"),
    **_modules(
        _CONNECTS,
        "Lib/socket.py, Modules/socketmodule.c",
        "socket _socket",
        "AddressFamily AddressInfo MsgFlag SocketKind error gaierror herror timeout",
    ),
    **_modules(
        _CONNECTS,
        "Lib/ssl.py: get_server_certificate connects",
        "ssl _ssl",
        "AlertDescription CertificateError DefaultVerifyPaths Options Purpose SSLCertVerificationError SSLEOFError "
        "SSLError SSLErrorNumber SSLSyscallError SSLWantReadError SSLWantWriteError SSLZeroReturnError TLSVersion "
        "VerifyFlags VerifyMode _ASN1Object _SSLMethod _TLSAlertType _TLSContentType _TLSMessageType",
    ),
    **_modules(_CONNECTS, "Lib/urllib/request.py, Python 2's urllib", "urllib.request urllib urllib2 httplib"),
    **_modules(_CONNECTS, "Lib/socketserver.py, Lib/xmlrpc/server.py", "socketserver xmlrpc.server http.server"),
    **_modules(_CONNECTS, "requests/api.py, aiohttp/client.py", "requests.api aiohttp.client"),
    **_modules(
        _PROCESS,
        "Python/sysmodule.c",
        "sys",
        "UnraisableHookArgs flags float_info hash_info int_info thread_info version_info",
    ),
    **_modules(_PROCESS, "Modules/gcmodule.c: hands out every object there is", "gc"),
    **_modules(_PROCESS, "Modules/atexitmodule.c, Modules/faulthandler.c", "atexit faulthandler"),
}

_BUILTINS: Final = "Python/bltinmodule.c"

_NAMES: Final[dict[str, Danger]] = {
    "multiprocessing.process:AuthenticationString": Danger(
        _CHILDREN, "Lib/multiprocessing/spawn.py, get_preparation_data; experiment"
    ),
    "builtins:getattr": Danger(_GETATTR, "Objects/classobject.c, method___reduce___impl; experiment"),
    **{
        name: danger
        for module in ("builtins", "__builtin__")
        for name, danger in (
            _names(_RUNS, _BUILTINS, module, "eval exec breakpoint execfile apply")
            | _names(_LOADS, _BUILTINS, module, "__import__ reload")
            | _names(_REACHES, _BUILTINS, module, "delattr setattr globals locals vars")
            | _names(_MAKES, _BUILTINS, module, "compile")
            | _names(_FILES, _BUILTINS, module, "open file input raw_input")
        ).items()
    },
    "__builtin__:getattr": Danger(_REACHES, "Python 2, Python/bltinmodule.c"),
    **_names(_REACHES, "Lib/operator.py", "operator", "attrgetter itemgetter methodcaller call delitem setitem"),
    **_names(_REACHES, "Modules/_operator.c", "_operator", "attrgetter itemgetter methodcaller call delitem setitem"),
    **_names(_REACHES, "Lib/functools.py, Modules/_functoolsmodule.c", "functools", "partial partialmethod reduce"),
    **_names(_REACHES, "Modules/_functoolsmodule.c", "_functools", "partial reduce"),
    **_names(_REACHES, "Lib/inspect.py", "inspect", "getattr_static getmembers getmembers_static currentframe stack"),
    **_names(_REACHES, "Lib/typing.py: evaluates annotations", "typing", "get_type_hints ForwardRef._evaluate"),
    **_names(_REACHES, "Lib/annotationlib.py", "annotationlib", "get_annotations ForwardRef.evaluate"),
    **_names(_REACHES, "Lib/inspect.py: evaluates annotations", "inspect", "get_annotations"),
    **_names(_REACHES, "Lib/unittest/mock.py", "unittest.mock", "_importer _get_target patch"),
    **_names(_MAKES, "Lib/types.py", "types", "CodeType FunctionType LambdaType"),
    **_names(_MAKES, "Lib/types.py, by pickle's name for it", "builtins", "code function"),
    **_names(_MAKES, "Lib/dataclasses.py: runs the source it makes", "dataclasses", "_create_fn"),
    **_names(
        _MAKES,
        "cloudpickle/cloudpickle.py",
        "cloudpickle.cloudpickle",
        "_builtin_type _make_function _function_setstate _make_cell _make_empty_cell _make_skeleton_class subimport "
        "dynamic_subimport loads load",
    ),
    **_names(
        _MAKES, "dill/_dill.py", "dill._dill", "_create_function _create_code _create_type _import_module _eval_repr"
    ),
    **_names(_RUNS, "Lib/importlib/__init__.py", "importlib", "__import__ reload invalidate_caches find_loader"),
    "importlib:import_module": Danger(_LOADS, "Lib/importlib/__init__.py"),
    **_names(_LOADS, "Lib/importlib/metadata/__init__.py", "importlib.metadata", "EntryPoint.load"),
    **_names(_LOADS, "Lib/logging/handlers.py, Lib/logging/__init__.py", "logging", "_importer"),
    **_names(_FILES, "Lib/logging/__init__.py", "logging", "FileHandler basicConfig"),
    **_names(
        _FILES,
        "Lib/logging/handlers.py",
        "logging.handlers",
        "BaseRotatingHandler RotatingFileHandler TimedRotatingFileHandler WatchedFileHandler",
    ),
    **_names(
        _CONNECTS,
        "Lib/logging/handlers.py",
        "logging.handlers",
        "SocketHandler DatagramHandler SysLogHandler SMTPHandler HTTPHandler",
    ),
    **_names(_FILES, "Modules/_io/_iomodule.c", "io", "open open_code FileIO"),
    **_names(_FILES, "Modules/_io/_iomodule.c", "_io", "open open_code FileIO"),
    **_names(_FILES, "Lib/codecs.py", "codecs", "open"),
    **_names(_FILES, "Lib/_pyio.py", "_pyio", "open open_code FileIO"),
    **_names(
        _FILES,
        "Lib/tempfile.py",
        "tempfile",
        "mktemp mkstemp mkdtemp NamedTemporaryFile TemporaryFile TemporaryDirectory SpooledTemporaryFile",
    ),
    **_names(_FILES, "Lib/tarfile.py, Lib/zipfile", "tarfile", "open TarFile TarFile.open"),
    **_names(_FILES, "Lib/zipfile", "zipfile", "ZipFile PyZipFile"),
    **_names(_FILES, "Lib/gzip.py, Lib/bz2.py, Lib/lzma.py", "gzip", "open GzipFile"),
    **_names(_FILES, "Lib/bz2.py", "bz2", "open BZ2File"),
    **_names(_FILES, "Lib/lzma.py", "lzma", "open LZMAFile"),
    **_names(_FILES, "Lib/mmap, Modules/mmapmodule.c", "mmap", "mmap"),
    **_names(_FILES, "Lib/dbm/__init__.py", "dbm", "open whichdb"),
    **_names(_FILES, "Lib/sqlite3, Modules/_sqlite/module.c", "sqlite3", "connect Connection"),
    **_names(_FILES, "Modules/_sqlite/module.c: extensions are shared libraries", "_sqlite3", "connect Connection"),
    **_names(_FILES, "Lib/glob.py", "glob", "glob iglob"),
    **_names(_FILES, "numpy/lib/_npyio_impl.py", "numpy", "fromfile memmap save savez savetxt loadtxt genfromtxt"),
    **_names(_CONNECTS, "Lib/http/client.py", "http.client", "HTTPConnection HTTPSConnection"),
    **_names(_CONNECTS, "Lib/ftplib.py", "ftplib", "FTP FTP_TLS"),
    **_names(_CONNECTS, "Lib/smtplib.py", "smtplib", "SMTP SMTP_SSL LMTP"),
    **_names(_CONNECTS, "Lib/poplib.py", "poplib", "POP3 POP3_SSL"),
    **_names(_CONNECTS, "Lib/imaplib.py", "imaplib", "IMAP4 IMAP4_SSL"),
    **_names(_RUNS, "Lib/imaplib.py: runs its command in a shell", "imaplib", "IMAP4_stream"),
    **_names(_CONNECTS, "Lib/nntplib.py", "nntplib", "NNTP NNTP_SSL"),
    **_names(_CONNECTS, "Lib/telnetlib.py", "telnetlib", "Telnet"),
    **_names(_CONNECTS, "Lib/xmlrpc/client.py", "xmlrpc.client", "ServerProxy Transport SafeTransport"),
    **_names(
        _CONNECTS, "aiohttp, requests, httpx: by their public names", "requests", "get post put delete request head"
    ),
    **_names(_CONNECTS, "aiohttp/client.py", "aiohttp", "ClientSession request"),
    **_names(_CONNECTS, "httpx/_api.py", "httpx", "get post put delete request stream Client AsyncClient"),
    **_names(_PROCESS, "Modules/signalmodule.c", "signal", "signal raise_signal pthread_kill setitimer alarm"),
    **_names(_PROCESS, "Modules/signalmodule.c", "_signal", "signal raise_signal pthread_kill setitimer alarm"),
    **_names(
        _PROCESS,
        "Modules/_threadmodule.c",
        "_thread",
        "start_new_thread start_new interrupt_main start_joinable_thread",
    ),
    **_names(_RUNS, "Lib/threading.py", "threading", "Thread Timer settrace setprofile"),
    **_names(_RUNS, "Lib/concurrent/futures", "concurrent.futures.process", "ProcessPoolExecutor"),
    **_names(_RUNS, "Lib/multiprocessing/context.py", "multiprocessing.context", "Process SpawnProcess ForkProcess"),
    **_names(_RUNS, "Lib/multiprocessing/process.py", "multiprocessing.process", "BaseProcess"),
    **_names(_RUNS, "Lib/multiprocessing/util.py", "multiprocessing.util", "spawnv_passfds Finalize"),
    **_names(_RUNS, "Lib/multiprocessing/spawn.py", "multiprocessing.spawn", "spawn_main _main prepare"),
    **_names(_UNPICKLES, "Lib/multiprocessing/managers.py", "multiprocessing.managers", "BaseManager SyncManager"),
    **_names(_RUNS, "Lib/platform.py: popen", "platform", "popen _syscmd_file _syscmd_ver"),
    **_names(_RUNS, "Lib/cgitb.py, Lib/rlcompleter.py: evaluates", "rlcompleter", "Completer Completer.attr_matches"),
    **_names(_RUNS, "Lib/unittest/main.py", "unittest.main", "TestProgram"),
    **_names(_LOADS, "Lib/unittest/loader.py", "unittest.loader", "TestLoader"),
    **_names(_RUNS, "Lib/wsgiref/handlers.py", "wsgiref.handlers", "CGIHandler"),
    **_names(_RUNS, "Lib/mailcap.py: runs the test of an entry", "mailcap", "findmatch"),
    **_names(_UNPICKLES, "numpy/lib/_npyio_impl.py", "numpy", "load"),
    **_names(_UNPICKLES, "numpy/lib/npyio.py", "numpy.lib.npyio", "load NpzFile"),
    **_names(_UNPICKLES, "numpy/lib/_npyio_impl.py", "numpy.lib._npyio_impl", "load NpzFile"),
    **_names(_LOADS, "numpy/ctypeslib.py", "numpy.ctypeslib", "load_library"),
    **_names(_LOADS, "numpy/ctypeslib/_ctypeslib.py", "numpy.ctypeslib._ctypeslib", "load_library"),
    **_names(_UNPICKLES, "pandas/io/pickle.py", "pandas", "read_pickle"),
    **_names(_UNPICKLES, "pandas/io/pickle.py", "pandas.io.pickle", "read_pickle"),
    **_names(_RUNS, "pandas/core/computation/eval.py", "pandas.core.computation.eval", "eval"),
    **_names(_RUNS, "pandas/core/computation/eval.py", "pandas", "eval"),
    **_names(_UNPICKLES, "joblib/numpy_pickle.py", "joblib", "load"),
    **_names(_UNPICKLES, "dill/_dill.py", "dill", "load loads load_session load_module"),
    **_names(_UNPICKLES, "dill/_dill.py", "dill._dill", "load loads Unpickler"),
    **_names(_UNPICKLES, "cloudpickle/__init__.py: pickle's own", "cloudpickle", "load loads"),
    **_names(_UNPICKLES, "torch/serialization.py", "torch", "load"),
    **_names(_UNPICKLES, "torch/serialization.py", "torch.serialization", "load _load _legacy_load"),
    **_names(_RUNS, "torch/jit", "torch.jit", "load compile script trace"),
    **_names(_RUNS, "torch/jit/_serialization.py", "torch.jit._serialization", "load"),
    **_names(_RUNS, "torch/jit/unsupported_tensor_ops.py", "torch.jit.unsupported_tensor_ops", "execWrapper"),
    **_names(_RUNS, "torch/_dynamo/guards.py", "torch", "compile"),
    **_names(
        _RUNS,
        "torch/fx/experimental/symbolic_shapes.py",
        "torch.fx.experimental.symbolic_shapes",
        "ShapeEnv.evaluate_guards_expression",
    ),
    **_names(_RUNS, "torch/fx/graph_module.py", "torch.fx.graph_module", "reduce_graph_module _forward_from_src"),
    **_names(_RUNS, "torch/utils/collect_env.py", "torch.utils.collect_env", "run run_and_read_all"),
    **_names(_UNPICKLES, "torch/utils/_config_module.py", "torch.utils._config_module", "ConfigModule.load_config"),
    **_names(
        _UNPICKLES,
        "torch/utils/data/datapipes/utils/decoder.py",
        "torch.utils.data.datapipes.utils.decoder",
        "basichandlers",
    ),
    **_names(_LOADS, "tensorflow/python/framework/load_library.py", "tensorflow", "load_library load_op_library"),
    **_names(_RUNS, "keras/src/saving/saving_api.py: runs what a model holds", "keras.models", "load_model"),
    **_names(_RUNS, "keras/src/saving/saving_api.py", "keras.src.saving.saving_api", "load_model"),
    **_names(_UNPICKLES, "yaml/__init__.py: makes any object that it is told", "yaml", "load unsafe_load full_load"),
    **_names(_UNPICKLES, "jsonpickle/unpickler.py", "jsonpickle.unpickler", "decode Unpickler"),
    **_names(_LOADS, "django/utils/module_loading.py", "django.utils.module_loading", "import_string"),
    **_names(_LOADS, "werkzeug/utils.py", "werkzeug.utils", "import_string"),
    **_names(_RUNS, "IPython", "IPython", "embed start_ipython"),
}


def danger(target: str) -> Danger | None:
    """Return why a target must not have a code, or None where nothing is known against it.

    The target of a nested name is as dangerous as what holds it: ``"pdb:Pdb.run"`` is.
    """
    module, qualname = split(target)
    named = _NAMES.get(target) or _NAMES.get(f"{module}:{qualname.partition('.')[0]}")
    return named or _of_module(module, qualname)


def danger_in(module: str) -> bool:
    """Say whether a module has dangerous names at all."""
    return module in _NAMED_MODULES or _row(module) is not None


def _of_module(module: str, qualname: str) -> Danger | None:
    row = _row(module)
    if row is None or qualname.partition(".")[0] in row.harmless:
        return None
    return row.danger


def _row(module: str) -> _Module | None:
    """Return the row of a module, or that of a package above it which stands for all below."""
    own = _MODULES.get(module)
    while own is None and module:
        module = module.rpartition(".")[0]
        above = _MODULES.get(module)
        own = above if above is not None and above.below else None
    return own


_NAMED_MODULES: Final = frozenset(target.partition(":")[0] for target in _NAMES)
