"""The pytest plugin: fixtures that isolate copyreg, ``--extreg-lint``, and ``--extreg-jar``.

pytest loads it in every run of every project that has extreg installed, so it imports nothing more until asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("extreg", "pickle extension codes")
    group.addoption("--extreg-lint", action="store_true", help="lint registry.toml as one more test item")
    group.addoption(
        "--extreg-jar",
        action="store_true",
        help="make a test of each pickle in the jar, which loads it in a child process",
    )
    group.addoption(
        "--extreg-registry",
        metavar="PATH",
        help="the registry of --extreg-lint and --extreg-jar (default: registry.toml in the rootdir)",
    )


@pytest.fixture
def isolated_copyreg() -> Iterator[None]:
    """Forget after the test what it did to copyreg: extension codes, their cache, and reducers."""
    from extreg.testing.isolation import isolated

    with isolated():
        yield


@pytest.fixture
def empty_copyreg() -> Iterator[None]:
    """As `isolated_copyreg`, and start the test without any extension code."""
    from extreg.testing.isolation import isolated

    with isolated(empty=True):
        yield


@pytest.hookimpl(tryfirst=True)  # ahead of -k and -m, which may deselect the items like any other
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the lint item, and those of the jar."""
    given = config.getoption("--extreg-registry")
    path = Path(config.invocation_params.dir, given) if given else config.rootpath / "registry.toml"
    if config.getoption("--extreg-lint"):
        place = f"{path.name}::extreg-lint"
        items.append(LintItem.from_parent(session, name="extreg-lint", nodeid=place, registry=path))
    if config.getoption("--extreg-jar"):
        items += _jar_items(session, path)


def _jar_items(session: pytest.Session, registry: Path) -> list[JarItem]:
    from extreg.errors import ExtregError
    from extreg.jar.folder import jar_folder
    from extreg.jar.inspection import chosen

    try:
        folder = jar_folder(registry)
        entries = chosen(folder, ())
    except ExtregError as error:
        raise pytest.UsageError(f"--extreg-jar: {error}") from None
    trials = JarTrials(registry, folder)
    place = os.path.relpath(folder, session.config.rootpath)
    return [
        JarItem.from_parent(
            session, name=entry.name, nodeid=f"{Path(place, entry.name).as_posix()}.pickle::extreg-jar", trials=trials
        )
        for entry in entries
    ]


class JarTrials:
    """The pickles of a jar that are tests of a run: all are loaded in one child process when the first is asked for."""

    def __init__(self, registry: Path, folder: Path) -> None:
        self.registry = registry
        self.folder = folder
        self._faults: dict[str, list[str]] | None = None

    def faults_of(self, name: str, session: pytest.Session) -> list[str]:
        """Return the lines that say what is wrong with an entry."""
        if self._faults is None:
            from extreg.jar.entries import PICKLE
            from extreg.jar.inspection import check, chosen
            from extreg.project.effective import module_path, read_effective

            wanted = [item.name for item in session.items if isinstance(item, JarItem) and item.trials is self]
            entries = chosen(self.folder, wanted)
            found = check(self.folder, entries, read_effective(self.registry), module_path(self.registry))
            self._faults = {
                one.entry.name: [
                    line for fault in one.faults for line in fault.shown(str(self.folder / f"{one.entry.name}{PICKLE}"))
                ]
                for one in found
            }
        return self._faults[name]


class JarItem(pytest.Item):
    """One pickle of the jar; it fails with what `extreg jar check` finds."""

    def __init__(self, *, trials: JarTrials, **options: Any) -> None:
        super().__init__(**options)
        self.trials = trials

    def runtest(self) -> None:
        """Load the pickle, with the others if it is the first."""
        lines = self.trials.faults_of(self.name, self.session)
        if lines:
            from extreg.printable import printable

            raise JarFailure("\n".join(map(printable, lines)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show findings as they are, and anything else as pytest does."""
        if isinstance(excinfo.value, JarFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where: the pickle."""
        return self.trials.folder / f"{self.name}.pickle", None, self.name


class JarFailure(Exception):  # noqa: N818 - it is a finding, not an error
    """What is wrong with a pickle."""


class LintItem(pytest.Item):
    """The lint of one registry; it fails with the findings, one to a line."""

    def __init__(self, *, registry: Path, **options: Any) -> None:
        super().__init__(**options)
        self.registry = registry

    def runtest(self) -> None:
        """Lint the registry."""
        from extreg.linter.run import lint

        findings = [str(finding) for finding in lint(self.registry)]
        if findings:
            raise LintFailure("\n".join(findings))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show findings as they are, and anything else as pytest does."""
        if isinstance(excinfo.value, LintFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where: the registry as a whole."""
        return self.registry, None, self.name


class LintFailure(Exception):  # noqa: N818 - it is a finding, not an error
    """What the lint found."""
