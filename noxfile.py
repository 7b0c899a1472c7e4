"""The parts of CI, each to be run alone: ``nox -s style``, ``nox -s tests-3.12``, ``nox -s build``.

`.ci/run` does the same on every Python that it finds, two at a time, from the wheel; the commands stand in
``.ci/commands`` for both.
"""

import shlex
from pathlib import Path

import nox

COMMANDS = dict(
    line.split(": ", 1)
    for line in Path(__file__).with_name(".ci").joinpath("commands").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14", "3.15"]

nox.options.sessions = ["style", "tests"]


def run(session: nox.Session, name: str) -> None:
    """Run a line of ``.ci/commands``."""
    session.run(*shlex.split(COMMANDS[name]), *session.posargs)


@nox.session
def style(session: nox.Session) -> None:
    """Style, types, and our own registry."""
    session.install("-e", ".[dev]")
    for name in ("check", "format", "types", "registry"):
        run(session, name)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All that CI tests on one Python: on 3.11 with everything that tests can use."""
    full = session.python == "3.11"
    session.install(f".[{'test-full' if full else 'test'}]")
    run(session, "tests once" if full else "tests")


@nox.session
def build(session: nox.Session) -> None:
    """The wheel."""
    session.install("pip")
    run(session, "build")


@nox.session
def bench(session: nox.Session) -> None:
    """All benchmarks, one after the other."""
    session.install(".[bench]")
    run(session, "bench")
