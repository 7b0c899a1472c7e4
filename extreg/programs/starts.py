"""Calls that start processes, or make what does: pools, multiprocessing, Celery's apps, Dask's clients and clusters."""

import ast
from typing import Final, Literal, NamedTuple, Protocol

Start = Literal["spawn", "forkserver", "default", "remote", "worker"]

CELERY: Final = frozenset({"celery.Celery", "celery.app.Celery", "celery.app.base.Celery"})
_DASK: Final = ("dask.distributed", "distributed", "distributed.client", "distributed.deploy.local")
_CLIENTS: Final = frozenset(f"{module}.{name}" for module in _DASK for name in ("Client",))
_CLUSTERS: Final = frozenset(f"{module}.LocalCluster" for module in _DASK)
_EXECUTORS: Final = frozenset(
    {"concurrent.futures.ProcessPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor"}
)
_MULTIPROCESSING: Final = frozenset(
    {"multiprocessing.Pool", "multiprocessing.pool.Pool", "multiprocessing.Process", "multiprocessing.Manager"}
)
_CONTEXTS: Final = frozenset({"multiprocessing.get_context", "multiprocessing.context.BaseContext.get_context"})
_METHODS: Final = frozenset({"spawn", "forkserver"})


class Engine(NamedTuple):
    """A call that starts processes, sooner or later.

    ``what`` is what it makes, as its users call it; ``start`` how its processes come to be: by a start method of
    multiprocessing, ``default`` for the one of the platform; ``remote`` for those of a Dask cluster that somebody else
    starts; ``worker`` for Celery's.
    """

    line: int
    what: str
    start: Start


class Names(Protocol):
    """What the names of the file stand for."""

    def of(self, node: ast.expr) -> str | None:
        """Return the dotted name that an expression is, or None."""

    def call(self, node: ast.expr | None) -> ast.Call | None:
        """Return the call that made what an expression stands for."""


def engine(node: ast.Call, names: Names, *, at_top: bool) -> "Engine | str | None":
    """Return what a call starts; a str for the start method that it sets for all; None where that cannot be told.

    None too where an initializer is given, or may be: what it does is the caller's affair.  `at_top` says that it runs
    when its file is imported: a Celery app that is made elsewhere is a client's, or made for somebody else.
    """
    dotted = names.of(node.func)
    words = {word.arg: word.value for word in node.keywords}
    if dotted == "multiprocessing.set_start_method":
        return _text(node.args[0] if node.args else words.get("method")) or "unknown"
    if None in words or any(isinstance(argument, ast.Starred) for argument in node.args):
        return None
    found: tuple[str, Start] | None = None
    if dotted in CELERY:
        found = ("Celery app", "worker") if at_top else None
    elif dotted in _CLUSTERS:
        found = _cluster(words)
    elif dotted in _CLIENTS:
        found = _client(node, words)
    else:
        found = _pool(node, words, names, dotted)
    return Engine(node.lineno, *found) if found is not None else None


def _cluster(words: "dict[str | None, ast.expr]") -> tuple[str, Start] | None:
    threads = words.get("processes")
    told = threads is None or (isinstance(threads, ast.Constant) and threads.value is True)
    return ("Dask cluster", "spawn") if told and not {"preload", "worker_class"} & words.keys() else None


def _client(node: ast.Call, words: "dict[str | None, ast.expr]") -> tuple[str, Start] | None:
    address = node.args[0] if node.args else words.get("address")
    if "scheduler_file" in words or ":" in (_text(address) or ""):
        return "Dask client", "remote"
    if address is None or (isinstance(address, ast.Constant) and address.value is None):
        return _cluster(words)
    return None  # a cluster, which is found where it is made, or an address that nobody can tell


def _pool(
    node: ast.Call, words: "dict[str | None, ast.expr]", names: Names, dotted: str | None
) -> tuple[str, Start] | None:
    if dotted in _EXECUTORS:
        context = words.get("mp_context", node.args[1] if len(node.args) > 1 else None)
        method = _start(context, names)
        return ("process pool", method) if method and "initializer" not in words and len(node.args) < 3 else None
    start: Start | None
    if dotted is not None and dotted in _MULTIPROCESSING:
        start, last = "default", dotted.rpartition(".")[2]
    elif isinstance(node.func, ast.Attribute) and node.func.attr in ("Pool", "Process", "Manager"):
        context = names.call(node.func.value)
        if context is None or names.of(context.func) not in _CONTEXTS:
            return None
        start, last = _start(context, names), node.func.attr
    else:
        return None
    if start is None or (last == "Pool" and ("initializer" in words or len(node.args) > 1)):
        return None
    return {"Pool": "process pool", "Process": "process", "Manager": "manager process"}[last], start


def _start(context: ast.expr | None, names: Names) -> Start | None:
    """Return the start method of a context of multiprocessing, or None for fork and for what cannot be told."""
    if context is None or (isinstance(context, ast.Constant) and context.value is None):
        return "default"
    call = names.call(context)
    if call is None or names.of(call.func) not in _CONTEXTS:
        return None
    method = call.args[0] if call.args else next((word.value for word in call.keywords if word.arg == "method"), None)
    if method is None:
        return "default"
    text = _text(method)
    return text if text in _METHODS else None  # type: ignore[return-value]


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
