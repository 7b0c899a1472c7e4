"""Rules on processes: whether each that the project starts, or that is deployed from its wheel, has the codes."""

from collections.abc import Iterator

from extreg.linter.context import Context
from extreg.linter.finding import Finding
from extreg.programs.whole import Late

# Where nobody says how processes start, Linux has forkserver from then on; macOS and Windows have spawn.
_NO_FORK = (3, 14)


def late_install(context: Context) -> Iterator[Finding]:
    """`extreg.install()` runs under `if __name__ == "__main__":`, or in a function that is called there or is an entry
    point, in a program that starts processes by spawn or forkserver without an initializer.

    Where nobody says how they start, that is so on macOS and Windows, and from Python 3.14 on; it is reported if the
    project supports 3.14. Calls that may run elsewhere too, and starts that cannot be told, are passed over.

    Why it matters: such a process runs the program's file under another name, so that nothing below the guard happens
    there. It knows no code, and dies of the first; in a `multiprocessing.Pool` everybody then waits for ever.

    How to fix it: call it at the top level of the program's file, above the guard, or `import extreg.auto` there; or
    give the pool `initializer=extreg.workers.initializer()`.
    """
    if context.programs is None or not _has_codes(context):
        return
    for found in context.programs.late(forkserver=max(context.pythons) >= _NO_FORK):
        yield Finding(
            rule="late-install",
            path=context.programs.shown(found.path),
            line=found.line,
            message=f"extreg.install() runs for the program alone{_where(found)}: the children that "
            f"{_what(context, found)} run only the top level of the program's file, and know no code{_when(found)}",
            hint="call it at the top level, above the guard" + _OR_THERE.get(found.engine.what, ""),
        )


_OR_THERE = {"process pool": "; or give the pool initializer=extreg.workers.initializer()"}


def _where(late: Late) -> str:
    return f", in {late.function}()" if late.function else ""


def _what(context: Context, late: Late) -> str:
    assert context.programs is not None
    place = f"{context.programs.shown(late.other)}:{late.engine.line}" if late.other else f"line {late.engine.line}"
    return f"{place} starts ({late.engine.what})"


def _when(late: Late) -> str:
    return " (on macOS and Windows, and from Python 3.14 on)" if late.by_default else ""


def engine_without_codes(context: Context) -> Iterator[Finding]:
    """Codes are live, and nothing in the project gives them to the processes of an engine that it uses.

    That is a Celery app, where no module that its worker imports installs; a Dask client of a cluster that runs
    elsewhere; and where nothing installs at all, and the registry is not a library's, a pool that spawns. Whatever may
    install in another way is believed: a function that is handed on, a signal, a word of `extreg.auto`, its workers,
    `run` or `autoload` in a file that starts programs (a Dockerfile, a Procfile, YAML).

    Why it matters: a process without the codes cannot load what has them. A Celery worker logs that, acknowledges the
    message and loses it; a Dask worker is restarted until the client gives up.

    How to fix it: `import extreg.auto` in the module of the Celery app, or `extreg.workers.celery.connect(app)`. For
    Dask, `extreg.workers.dask.register(client)`, or `--preload extreg.auto` for the scheduler and the workers. For a
    pool, `initializer=extreg.workers.initializer()`.
    """
    if context.programs is None or not _has_codes(context):
        return
    forkserver = max(context.pythons) >= _NO_FORK
    for path, engine in context.programs.bare(forkserver=forkserver, packaged=bool(context.package)):
        message, hint = _BARE.get(engine.start, _BARE["spawn"])
        yield Finding(
            rule="engine-without-codes",
            path=context.programs.shown(path),
            line=engine.line,
            message=message.format(engine.what),
            hint=hint,
        )


_BARE = {
    "worker": (
        "no module that a worker of this {} imports installs, so that its processes know no code",
        "import extreg.auto at the top level of this module; or extreg.workers.celery.connect(app)",
    ),
    "remote": (
        "nothing here gives the codes to the scheduler and the workers of this {}, and both load what it sends",
        "extreg.workers.dask.register(client); or start both with --preload extreg.auto",
    ),
    "spawn": (
        "nothing in the project installs, so that the processes of this {} know no code",
        "import extreg.auto at the top level of the program; or initializer=extreg.workers.initializer()",
    ),
}


def unpackaged_registry(context: Context) -> Iterator[Finding]:
    """The registry file lies in a package, and the wheel that setuptools builds of the project would lack it.

    Looked at are `[tool.setuptools]` in pyproject.toml, setup.cfg, a setup.py whose arguments are literals, and
    MANIFEST.in. Hatchling, flit, poetry, pdm and uv take every file of a package. What a plugin or code decides is
    passed over.

    Why it matters: all is well in the working tree, and whoever installs the package has no codes: `extreg.install()`
    fails there, or, in a worker, nothing can be loaded.

    How to fix it: name the file in `[tool.setuptools.package-data]`, or the package data of setup.cfg or setup.py.
    """
    if context.unpackaged is not None:
        name = context.document.path.replace("\\", "/").rpartition("/")[2]
        yield Finding(
            rule="unpackaged-registry",
            path=context.document.path,
            line=None,
            message=f"the wheel of {context.package} will not carry {name}: {context.unpackaged.why}",
            hint=context.unpackaged.cure,
        )


def _has_codes(context: Context) -> bool:
    return any(document.tables.codes for document in context.documents)
